"""The life of one daemon: its start and its stop, phase by phase."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any

from pattern_sync.config import Settings
from pattern_sync.domain.errors import AccessRefused, DatabaseError, SchemaError
from pattern_sync.domain.facts import (
    DaemonStopped,
    DaemonStopping,
    DrainTimedOut,
    Emit,
    FilterPublished,
    HttpOutOfFiles,
    IndexMissing,
)
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.runtime.assembly import Parts, assemble
from pattern_sync.runtime.core import retry_backoff
from pattern_sync.runtime.host import Host
from pattern_sync.runtime.threads import UnjoinedThreads
from pattern_sync.services.timings import Timings
from pattern_sync.services.waiting import done_unless

# To notify the pages of other daemons of what was written last.
LAST_NOTIFICATION_SECONDS = 2.0
# Longer than the server itself gives to what is being answered.
HTTP_CLOSE_SECONDS = 6.0
# What a stop takes beside the drain, with room to spare.
STOP_SECONDS = 20.0
START = "start"
_OUT_OF_FILES = "socket.accept() out of system resource"


class Daemon:
    """One daemon in one process: started, running until a signal, stopped.

    `stop` and `reload` are set by signals.
    """

    def __init__(self, parts: Parts, stop: asyncio.Event, reload: asyncio.Event, drain_seconds: float) -> None:
        self._parts = parts
        self._core = parts.core
        self._stop = stop
        self._reload = reload
        self._drain_seconds = drain_seconds

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises InvalidSettings where HTTP cannot be served as they say, AccessRefused or SchemaError where the first
        connect shows that waiting would not help, SchemaTooNew or SchemaOutdated also when the schema becomes one that
        this version cannot work with; anything else is a bug.
        """
        with self._signals():
            await done_unless(self._stop, self._parts.http.open())
            async with self._parts.pool, self._serving(), asyncio.TaskGroup() as group:
                is_reached = await done_unless(self._stop, self._reach_database())
                if is_reached:
                    self._start_queueing(group)
                    await self._stop.wait()
                self._begin_stop()
                if is_reached:
                    self._core.supervisor.cancel(self._parts.producers)
                    await self._drain()
                    await self._notify_pages()
        self._core.emit(DaemonStopped())

    @asynccontextmanager
    async def _serving(self) -> AsyncGenerator[None, None]:
        """Serve. Stop in order even if the daemon gives up: a task group alone would cut off open connections."""
        supervisor, http, others = self._core.supervisor, self._parts.http, [self._parts.live, *self._parts.keepers]
        async with asyncio.TaskGroup() as group:
            supervisor.start(group, [http, *others])
            try:
                yield
            finally:
                supervisor.cancel(others)
                self._parts.pool.hurry()  # also for requests that came before the database was reached
                await supervisor.close([http], HTTP_CLOSE_SECONDS)

    async def _reach_database(self) -> None:
        """Wait for the database and publish the filter."""
        liveness, backoff = self._core.supervisor.liveness(START), retry_backoff(self._core.timings)
        liveness.attach()
        while True:
            try:
                with liveness.working():
                    wanted = await self._publish_filter()
            except AccessRefused:
                raise
            except DatabaseError as fault:  # also a notification queue that is full: waiting helps, or somebody else
                self._core.database.lost(START, fault)
                await asyncio.sleep(backoff.next_delay_seconds())
            else:
                self._core.database.back(START)
                self._core.emit(FilterPublished(wanted))
                return

    async def _publish_filter(self) -> SyncFilter:
        """Publish the filter that is wanted by now: a reload may have come while the database was away."""
        parts = self._parts
        await parts.gateway.check_schema()
        await parts.gateway.check_rights()
        wanted = parts.publisher.wanted
        parts.in_force.publishing(wanted)
        await parts.gateway.publish_filter(wanted)
        parts.in_force.published(wanted)
        return wanted

    def _start_queueing(self, group: asyncio.TaskGroup) -> None:
        parts = self._parts
        self._core.supervisor.start(group, [*parts.workers, parts.page_notifier, *parts.producers])
        group.create_task(self._advise(), name="advice")

    def _begin_stop(self) -> None:
        self._core.emit(DaemonStopping(len(self._core.intake)))
        self._core.observers.manager.stopping(self._drain_seconds + STOP_SECONDS)
        self._parts.pool.hurry()

    async def _drain(self) -> None:
        """Finish what is marked. An outage ends this: the next start's catch-up finds what is left."""
        parts, outage = self._parts, self._core.database.outage
        in_time = await self._core.supervisor.close(parts.workers, self._drain_seconds, unless=outage)
        if not in_time or len(self._core.intake):
            self._core.emit(DrainTimedOut(len(self._core.intake)))

    async def _notify_pages(self) -> None:
        outage = self._core.database.outage
        await self._core.supervisor.close([self._parts.page_notifier], LAST_NOTIFICATION_SECONDS, unless=outage)

    async def _advise(self) -> None:
        """Name the indexes that the application's tables lack, once. A fault here is the services' to report."""
        with suppress(DatabaseError, SchemaError):
            for index in await self._parts.gateway.missing_indexes():
                self._core.emit(IndexMissing(index))

    @contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(partial(report_loop_fault, self._core.emit))
        events = {signal.SIGTERM: self._stop, signal.SIGINT: self._stop, signal.SIGHUP: self._reload}
        for number, event in events.items():
            loop.add_signal_handler(number, event.set)
        try:
            yield
        finally:
            for number in events:
                loop.remove_signal_handler(number)


def report_loop_fault(emit: Emit, loop: Any, context: dict[str, Any]) -> None:  # noqa: ANN401 - as asyncio calls it
    """Take what the event loop complains of; what is no shortage of files is asyncio's to log."""
    if context.get("message") == _OUT_OF_FILES:
        emit(HttpOutOfFiles(str(context.get("exception"))))
    else:
        loop.default_exception_handler(context)


async def run_daemon(
    settings: Settings,
    host: Host,
    read_settings: Callable[[], Settings],
    timings: Timings | None = None,
) -> None:
    """Run one daemon until it is signalled to stop; see Daemon.run for what is raised."""
    patience = timings or Timings()
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(UnjoinedThreads())
    parts = assemble(settings, host, reload, read_settings, loop.time, patience)
    await Daemon(parts, stop, reload, settings.drain_seconds).run()
