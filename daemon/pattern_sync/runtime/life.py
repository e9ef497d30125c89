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
from pattern_sync.runtime.assembly import Parts, assemble
from pattern_sync.runtime.core import retry_backoff
from pattern_sync.runtime.host import Host
from pattern_sync.services.timings import Timings
from pattern_sync.services.waiting import wait_for

# To notify the pages of other daemons of what was written last.
LAST_NOTIFICATION_SECONDS = 2.0
# Longer than the server itself gives to what is being answered.
HTTP_CLOSE_SECONDS = 6.0
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

        Raises AccessRefused or SchemaError where the first connect shows that waiting would not help, SchemaTooNew or
        SchemaOutdated also when another version's `migrate` has changed the schema later; anything else is a bug.
        """
        self._parts.http.open()
        with self._signals():
            async with self._parts.pool, self._serving(), asyncio.TaskGroup() as group:
                if await self._reach_database():
                    self._start_queueing(group)
                    await self._stop.wait()
                    self._stop_producers()
                    await self._drain()
                    await self._notify_pages()
        self._core.emit(DaemonStopped())

    @asynccontextmanager
    async def _serving(self) -> AsyncGenerator[None, None]:
        """Serve. Stop in order even if the daemon gives up: a task group alone would cut off open connections."""
        supervisor, http, live = self._core.supervisor, self._parts.http, self._parts.live
        async with asyncio.TaskGroup() as group:
            supervisor.start(group, [http, live])
            try:
                yield
            finally:
                supervisor.cancel([live])
                await supervisor.close([http], HTTP_CLOSE_SECONDS)

    async def _reach_database(self) -> bool:
        """Wait for the database and publish the filter; False where a stop came first."""
        parts, wanted = self._parts, self._parts.in_force.own
        backoff = retry_backoff(self._core.timings)
        while not self._stop.is_set():
            try:
                await parts.gateway.check_schema()
                await parts.gateway.check_rights()
                await parts.gateway.publish_filter(wanted)
            except AccessRefused:
                raise
            except DatabaseError as fault:  # also a notification queue that is full: waiting helps, or somebody else
                self._core.database.lost(START, fault)
                await wait_for(self._stop, backoff.next_delay_seconds())
            else:
                self._core.database.back(START)
                self._core.emit(FilterPublished(wanted))
                return True
        return False

    def _start_queueing(self, group: asyncio.TaskGroup) -> None:
        parts = self._parts
        self._core.supervisor.start(group, [*parts.workers, parts.page_notifier, *parts.producers])
        group.create_task(self._advise(), name="advice")

    def _stop_producers(self) -> None:
        parts = self._parts
        self._core.emit(DaemonStopping(len(self._core.intake)))
        self._core.supervisor.cancel(parts.producers)
        self._core.observers.manager.stopping()

    async def _drain(self) -> None:
        parts = self._parts
        in_time = await self._core.supervisor.close(parts.workers, self._drain_seconds)
        if not in_time or len(self._core.intake):
            self._core.emit(DrainTimedOut(len(self._core.intake)))

    async def _notify_pages(self) -> None:
        await self._core.supervisor.close([self._parts.page_notifier], LAST_NOTIFICATION_SECONDS)

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
    now = asyncio.get_running_loop().time
    parts = assemble(settings, host, reload, read_settings, now, patience)
    await Daemon(parts, stop, reload, settings.drain_seconds).run()
