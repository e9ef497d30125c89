"""Liveness: a service that waits does not hang; one that works has to finish each step in time."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# For a step that names no time of its own: longer than any deadline of the daemon.
STEP_SECONDS = 180.0


class Step:
    """A piece of work that is due `seconds` after its last progress. Progress of an inner step is progress here."""

    def __init__(self, now: Callable[[], float], seconds: float, steps: "set[Step]", outer: "Step | None") -> None:
        self._now = now
        self._seconds = seconds
        self._outer = outer
        self.steps = steps
        self.due = math.inf
        self.renew()

    def renew(self, seconds: float = 0.0) -> None:
        """Record progress; the next one takes at most so long, here and in every outer step."""
        longest = max(seconds, self._seconds)
        self.due = self._now() + longest
        if self._outer is not None:
            self._outer.renew(longest)

    @contextmanager
    def inner(self, seconds: float, steps: "set[Step]") -> Iterator[None]:
        """Work on a part of this step, which is one of `steps` meanwhile."""
        step = Step(self._now, seconds, steps, self)
        steps.add(step)
        token = _current.set(step)
        try:
            yield
        finally:
            _current.reset(token)
            steps.discard(step)
            self.renew()


# A statement runs on behalf of whichever service asks; the time it takes counts for that service.
_current: ContextVar[Step | None] = ContextVar("step", default=None)


class Liveness:
    """The steps that one service is working on. `now` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._steps: set[Step] = set()
        self._root = Step(now, math.inf, self._steps, None)
        self._now = now

    @property
    def hangs(self) -> bool:
        """Return whether a step should long have been finished.

        Only the service's own progress counts, not the database's: an outage must not become a restart loop.
        """
        return any(step.due < self._now() for step in self._steps)

    def attach(self) -> None:
        """Make the current task's statements count for this service, even outside a step."""
        _current.set(self._root)

    @contextmanager
    def working(self, seconds: float = STEP_SECONDS) -> Iterator[None]:
        """Work on something that takes at most so long, or that makes progress at least so often."""
        with (_current.get() or self._root).inner(seconds, self._steps):
            yield


@contextmanager
def working(seconds: float) -> Iterator[None]:
    """Work on behalf of whichever service this runs for, if any: for statements, which know their deadlines."""
    step = _current.get()
    if step is None:
        yield
        return
    with step.inner(seconds, step.steps):
        yield
