"""Standard streams that are there and take any text, whoever started us."""

import errno
import io
import os
import sys
from typing import TypeGuard

_NOT_TAKEN = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def open_missing_streams() -> None:
    """Open /dev/null where a standard stream is closed.

    Otherwise Python has None in its place, and the next socket or file gets its number: what a library, or a child,
    then writes to standard error goes into the database connection.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def take_any_text() -> None:
    """Print an escape for each character that the output's encoding lacks: names may have any, the shell decides it."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def is_of_output(fault: Exception) -> TypeGuard[OSError]:
    """Return whether standard output did not take what was printed: a full disk, or a reader that has gone."""
    return isinstance(fault, OSError) and fault.filename is None and fault.errno in _NOT_TAKEN


def drop_output() -> None:
    """Drop what was printed and not taken: Python would raise again when it flushes the output at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
