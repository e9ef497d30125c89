"""What a service is, and the supervisor that runs it."""

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol

from pattern_sync.domain.backoff import Backoff
from pattern_sync.services.activity import Activity
from pattern_sync.services.liveness import Liveness
from pattern_sync.services.outage import Reports
from pattern_sync.services.waiting import done_unless


class Service(Protocol):
    """Runs as long as the daemon, or until it is closed."""

    name: str

    async def run(self) -> None: ...


class ClosableService(Service, Protocol):
    """Finishes what it has taken when it is closed, and ends."""

    def close(self) -> None: ...


class Supervisor:
    """Runs services in tasks of their names. One that ends before it was closed is a bug, and ends the daemon."""

    def __init__(self, now: Callable[[], float], backoff: Callable[[], Backoff]) -> None:
        self._now = now
        self._backoff = backoff
        self._livenesses: dict[str, Liveness] = {}
        self._activities: dict[str, Activity] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closed: set[str] = set()

    def activity(self, service: type[Service], reports: Reports) -> Activity:
        """Return the activity of a service; `reports` get to know its outages."""
        name = service.name
        return self._activities.setdefault(name, Activity(name, self.liveness(name), reports, self._backoff()))

    def liveness(self, name: str) -> Liveness:
        """Return the liveness of a service, or of another part of the daemon's work."""
        return self._livenesses.setdefault(name, Liveness(self._now))

    def hanging(self) -> list[str]:
        """Return the names of the services that hang."""
        return [name for name, liveness in self._livenesses.items() if liveness.hangs]

    def start(self, group: asyncio.TaskGroup, services: Collection[Service]) -> None:
        """Start services in a task group."""
        for service in services:
            self._tasks[service.name] = group.create_task(self._run(service), name=service.name)

    def cancel(self, services: Collection[Service]) -> None:
        """Cancel services that have nothing to finish."""
        for service in services:
            self._tasks[service.name].cancel()

    async def close(
        self, services: Collection[ClosableService], seconds: float, unless: asyncio.Event | None = None
    ) -> bool:
        """Close services and wait for their ends; return whether all ended in time. What did not is cancelled.

        The wait is over as soon as `unless` is set.
        """
        for service in services:
            self._closed.add(service.name)
            service.close()
        tasks = {self._tasks[service.name] for service in services}
        await done_unless(unless or asyncio.Event(), asyncio.wait(tasks), seconds)
        unfinished = [task for task in tasks if not task.done()]
        for task in unfinished:
            task.cancel()
        return not unfinished

    async def _run(self, service: Service) -> None:
        self.liveness(service.name).attach()
        await service.run()
        if service.name not in self._closed:
            raise RuntimeError(f"The {service.name} ended, which it must not.")
