"""The lock on the state folder: its holder owns the server."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path


class OwnerLock:
    """An flock on one file; the kernel releases it when its holder dies, however that happens.

    The file is never removed: otherwise two processes could hold locks on two files of the same name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Return whether this object holds the lock."""
        return self._descriptor is not None

    def take(self) -> bool:
        """Take the lock if it is free, without waiting; return whether it is held now."""
        if self._descriptor is None:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()}\n".encode())
            except BlockingIOError:
                os.close(descriptor)
                return False
            except BaseException:
                os.close(descriptor)
                raise
            self._descriptor = descriptor
        return True

    def holder(self) -> str:
        """Return the process id of the lock's holder, or `unknown`, for a message."""
        with suppress(OSError):
            return self._path.read_text("ascii").strip() or "unknown"
        return "unknown"

    def release(self) -> None:
        """Release the lock if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
