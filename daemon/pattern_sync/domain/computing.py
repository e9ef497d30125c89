"""Where computations run that take long: beside an event loop, whose other work they would hold up."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

Answer = TypeVar("Answer")


class Computing(Protocol):
    """Runs a computation that may take a second; a daemon does so beside its event loop."""

    def __call__(self, computation: Callable[[], Answer], /) -> Awaitable[Answer]:
        """Return what it returns."""


async def at_once(computation: Callable[[], Answer], /) -> Answer:
    """Run a computation here: nobody else waits for this thread."""
    return computation()
