"""Standard streams that are there and take any text, whoever started us."""

import io
import os
import sys


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
