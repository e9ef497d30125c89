"""Whether the services get anywhere: who waits does not hang, who works has to be done in time."""

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

# For a step that names no time of its own: longer than any deadline of the daemon.
STEP_SECONDS = 180.0


class Service(Protocol):
    """What runs for as long as the daemon, or until it is told to end."""

    NAME: str

    async def run(self) -> None: ...


class Job:
    """A piece of work of one service, inside another one or not; due `seconds` after it last got somewhere."""

    def __init__(self, life: "Life", seconds: float, outer: "Job | None") -> None:
        self.life = life
        self._seconds = seconds
        self._outer = outer
        self.due = math.inf
        self.renew(seconds)

    def renew(self, seconds: float = 0.0) -> None:
        """Note that the work went on, and that its next step takes at most so long; so did whatever it is part of."""
        longest = max(seconds, self._seconds)
        self.due = self.life.now() + longest
        if self._outer is not None:
            self._outer.renew(longest)

    def rest(self) -> None:
        """Note that nothing is due until it is renewed."""
        self.due = math.inf
        if self._outer is not None:
            self._outer.rest()


# Statements are run for whichever service asks; that they take time is that service's affair, without its doing.
_current: ContextVar[Job | None] = ContextVar("job", default=None)


class Life:
    """What one service shows of itself: it waits, which it may do for ever, unless it works.

    `now` is a monotonic clock in seconds.
    """

    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self.name = name
        self.now = now
        self._jobs: set[Job] = set()

    @property
    def hangs(self) -> bool:
        """Return whether something that is being worked on should long have been done."""
        return any(job.due < self.now() for job in self._jobs)

    @contextmanager
    def working(self, seconds: float = STEP_SECONDS) -> Iterator[Job]:
        """Be at work on what takes at most so long, or on what goes on at least so often."""
        outer = _current.get()
        job = Job(self, seconds, outer)
        self._jobs.add(job)
        token = _current.set(job)
        try:
            yield job
        finally:
            _current.reset(token)
            self._jobs.discard(job)
            if outer is not None:
                outer.renew()

    async def pause(self, seconds: float) -> None:
        """Wait before going on, within work or outside."""
        job = _current.get()
        if job is not None:
            job.rest()
        await asyncio.sleep(seconds)
        if job is not None:
            job.renew()

    async def run(self, service: Service) -> None:
        """Run a service: whatever it asks of the database is work, also where it does not say so."""
        _current.set(Job(self, math.inf, None))
        await service.run()


class Liveness:
    """Knows every service that runs; one that it does not know has no life to run with."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lives: dict[str, Life] = {}

    def life_of(self, service: type[Service]) -> Life:
        """Return the life for a service of this kind, of which there is one."""
        return self._lives.setdefault(service.NAME, Life(service.NAME, self._now))

    async def supervise(self, service: Service) -> None:
        """Run a service until it ends by itself."""
        await self.life_of(type(service)).run(service)

    def stalled(self) -> list[str]:
        """Return the services that hang.

        What counts is that a service goes on, not that the database does: an outage must not become a restart loop.
        """
        return [name for name, life in self._lives.items() if life.hangs]


@contextmanager
def working(seconds: float) -> Iterator[None]:
    """Be at work for whichever service this is done for, if for one: for statements, which know their deadlines."""
    job = _current.get()
    if job is None:
        yield
        return
    with job.life.working(seconds):
        yield
