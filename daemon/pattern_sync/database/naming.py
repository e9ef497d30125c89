"""The names by which the server knows our sessions: what they are, and of which version."""

from functools import cache
from importlib.metadata import version

LISTENER = "listener"
# On it the daemons tell each other who reads what.
READERS_CHANNEL = "pattern_sync_readers"
COMMAND = "command"


@cache  # it reads a file
def release() -> str:
    """Return the version of this package."""
    return version("pattern-sync")


def session_name(part: str = "") -> str:
    """Return an application_name such as `pattern-sync 0.3.0 listener`; `doctor` compares the daemons' versions."""
    return f"pattern-sync {release()} {part}".strip()
