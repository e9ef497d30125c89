"""Turn into a PostgreSQL program: `python launch.py PARENT UID GID PROGRAM [ARGUMENT...]`.

Run as a script and by its path, so it imports the standard library only. A process of its own instead of a
`preexec_fn`: Python code between fork and exec can deadlock when the parent has other threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
UNCHANGED = -1


def die_with_parent(libc: ctypes.CDLL, parent: int) -> None:
    """Ask the kernel for SIGINT, PostgreSQL's fast shutdown, when the starting thread ends; Linux only."""
    if sys.platform != "linux":
        return
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    # A parent that died before the call above never sends the signal.
    if os.getppid() != parent:
        sys.exit("the starting process is gone")


def main(numbers: list[str], command: list[str]) -> None:
    """Give up root, tie the life to the parent's and become the program."""
    parent, uid, gid = map(int, numbers)
    # Nothing is loaded after the switch: this Python may be closed to the other user.
    libc = ctypes.CDLL(None)
    if uid != UNCHANGED:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # What Python ignores (SIGPIPE) stays so across exec; what it catches (SIGINT) could be lost there.
    for number in (signal.SIGPIPE, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    # Not earlier: a change of the user clears the parent-death signal.
    die_with_parent(libc, parent)
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    try:
        main(sys.argv[1:4], sys.argv[4:])
    except OSError as error:
        sys.exit(f"{sys.argv[4]}: {error.strerror}")
