"""The lock on the state folder: whoever holds it owns the server."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path


class OwnerLock:
    """An flock on one file, which the kernel gives back when its holder dies, however that happens.

    The file is never removed: two processes could then hold locks on two files of the same name.
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
        """Name the process that holds the lock, for a message."""
        with suppress(OSError):
            return self._path.read_text("ascii").strip() or "unknown"
        return "unknown"

    def release(self) -> None:
        """Give the lock back, if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
