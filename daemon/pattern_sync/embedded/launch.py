"""Turn this process into a PostgreSQL program: `python launch.py PARENT UID GID PROGRAM [ARGUMENT...]`.

This file runs as a script, by its path, so it imports only the standard library. It is a process of its own, not a
`preexec_fn`: Python code between fork and exec can deadlock when the parent has other threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
UNCHANGED = -1


def die_with_parent(libc: ctypes.CDLL, parent: int) -> None:
    """Have the kernel send SIGINT, PostgreSQL's fast shutdown, when the starting thread ends; Linux only."""
    if sys.platform != "linux":
        return
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    # If the parent died before the call above, the signal never comes.
    if os.getppid() != parent:
        sys.exit("the starting process has ended")


def main(numbers: list[str], command: list[str]) -> None:
    """Drop root, end with the parent from now on, and execute the program."""
    parent, uid, gid = map(int, numbers)
    # Load libc before the switch: the other user may not be able to read this Python's files.
    libc = ctypes.CDLL(None)
    if uid != UNCHANGED:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # exec keeps signals ignored that Python ignores (SIGPIPE); one that Python catches (SIGINT) could be lost there.
    for number in (signal.SIGPIPE, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    # Only now: a change of the user clears the parent-death signal.
    die_with_parent(libc, parent)
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    try:
        main(sys.argv[1:4], sys.argv[4:])
    except OSError as error:
        sys.exit(f"{sys.argv[4]}: {error.strerror}")
