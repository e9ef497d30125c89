"""Folders for servers of our own."""

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
    """Yield a folder for a server that runs as another user, as root has to have it: tmp_path is closed to that user.

    In memory, ten times as fast as a slow disk, where there is room; but programs may not be allowed to run there.
    """
    fits = not runs_programs and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    folder = Path(tempfile.mkdtemp(prefix="pattern-sync-test-", dir=MEMORY if fits else None))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
