"""Folders for servers that the tests start."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM_BYTES = 1 << 30


@contextmanager
def open_folder(*, runs_programs: bool = False) -> Iterator[Path]:
    """Yield a folder that another user can enter: a server does not run as root, and tmp_path is private to root.

    It is in memory if there is room, ten times as fast as a slow disk; but it may be mounted noexec.
    """
    fits = not runs_programs and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    folder = Path(tempfile.mkdtemp(prefix="pattern-sync-test-", dir=MEMORY if fits else None))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
