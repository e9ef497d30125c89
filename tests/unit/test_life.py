"""The life of a daemon over parts in memory: the order of its start and its stop, and what it does in between."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable, SchemaMissing
from pattern_sync.domain.facts import (
    DaemonStopped,
    DaemonStopping,
    DrainTimedOut,
    FilterPublished,
    IndexMissing,
)
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.statistics import MissingIndex
from pattern_sync.runtime.life import START, Daemon
from pattern_sync.services.supervisor import Supervisor
from pattern_sync.services.timings import Timings
from pattern_sync.sync.in_force import FilterInForce
from pattern_sync.sync.intake import Intake
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, RecordedFacts, RecordedReports, outage_backoff, row_ids

if TYPE_CHECKING:
    from pattern_sync.runtime.assembly import Parts

INDEX = MissingIndex("operation_patterns", "slow", "CREATE INDEX")


class Part:
    """A service that records when it began, was asked to close, and ended."""

    def __init__(self, name: str, told: list[str], *, listens: bool = True) -> None:
        self.name = name
        self._told = told
        self._listens = listens
        self._closed = asyncio.Event()

    def open(self) -> None:
        self._told.append(f"{self.name} opens")

    async def run(self) -> None:
        self._told.append(f"{self.name} begins")
        try:
            await self._closed.wait()
        finally:
            self._told.append(f"{self.name} ends")

    def close(self) -> None:
        self._told.append(f"{self.name} closes")
        if self._listens:
            self._closed.set()


class Gateway:
    """The database at a start; `faults` are raised first, one per attempt."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.published: list[SyncFilter] = []

    async def check_schema(self) -> None:
        if self.faults:
            raise self.faults.pop(0)

    async def check_rights(self) -> None:
        return

    async def publish_filter(self, sync_filter: SyncFilter) -> bool:
        self.published.append(sync_filter)
        return True

    async def missing_indexes(self) -> tuple[MissingIndex, ...]:
        return (INDEX,)


class House:
    """A daemon made of these parts."""

    def __init__(self, *faults: Exception, worker_listens: bool = True) -> None:
        self.told: list[str] = []
        self.facts = RecordedFacts()
        self.reports = RecordedReports()
        self.gateway = Gateway(*faults)
        self.intake = Intake()
        self.stop, self.reload = asyncio.Event(), asyncio.Event()
        worker = Part("worker", self.told, listens=worker_listens)
        core = SimpleNamespace(
            emit=self.facts,
            timings=Timings(retry_base_seconds=0.001),
            supervisor=Supervisor(Clock(), outage_backoff),
            database=self.reports,
            intake=self.intake,
            observers=SimpleNamespace(manager=SimpleNamespace(stopping=lambda: self.told.append("STOPPING=1"))),
        )
        parts = SimpleNamespace(
            core=core,
            pool=self._pool(),
            gateway=self.gateway,
            in_force=FilterInForce(SyncFilter()),
            http=Part("http", self.told),
            live=Part("live", self.told),
            workers=[worker],
            page_notifier=Part("notifier", self.told),
            producers=[Part("producer", self.told)],
        )
        self.daemon = Daemon(cast("Parts", parts), self.stop, self.reload, drain_seconds=0.01)

    @asynccontextmanager
    async def _pool(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self.told.append("pool closes")

    async def run_until(self, condition: Callable[[], object]) -> None:
        task = asyncio.create_task(self.daemon.run())
        await settle(lambda: task.done() or condition())
        self.stop.set()
        await task

    def is_queueing(self) -> bool:
        return "producer begins" in self.told

    def index(self, what: str) -> int:
        return self.told.index(what)


def test_serving_starts_first_and_the_stop_goes_from_producers_to_the_pool() -> None:
    async def check() -> None:
        house = House()
        await house.run_until(house.is_queueing)
        assert house.told[0] == "http opens"
        assert house.index("http begins") < house.index("worker begins")
        stopping = [what for what in house.told if not what.endswith(("opens", "begins"))]
        assert stopping[:2] == ["STOPPING=1", "worker closes"]
        steps = ["producer ends", "worker ends", "notifier closes", "notifier ends", "http closes", "http ends"]
        assert [what for what in stopping if what in steps] == steps
        assert house.told[-1] == "pool closes"
        assert "live ends" in house.told
        assert house.facts == [FilterPublished(SyncFilter()), IndexMissing(INDEX), DaemonStopping(0), DaemonStopped()]

    run(check(), seconds=10)


def test_a_daemon_serves_while_it_waits_for_the_database() -> None:
    async def check() -> None:
        house = House(DatabaseUnavailable("refused"), DatabaseUnavailable("refused"))
        await house.run_until(house.is_queueing)
        assert [(name, str(fault)) for name, fault in house.reports.faults] == [(START, "refused")] * 2
        assert house.reports.without == set()
        assert house.gateway.published == [SyncFilter()]

    run(check(), seconds=10)


def test_a_stop_before_the_database_was_reached_stops_the_server() -> None:
    async def check() -> None:
        house = House(*[DatabaseUnavailable("refused")] * 10_000)
        await house.run_until(lambda: house.reports.faults)
        assert not house.is_queueing()
        assert house.told[-1] == "pool closes"
        assert house.facts == [DaemonStopped()]

    run(check(), seconds=10)


@pytest.mark.parametrize("fault", [AccessRefused("wrong password"), SchemaMissing("not installed")], ids=repr)
def test_a_permanent_fault_at_the_start_ends_the_daemon(fault: Exception) -> None:
    async def check() -> None:
        house = House(fault)
        with pytest.raises(ExceptionGroup) as raised:
            await house.daemon.run()
        assert raised.group_contains(type(fault), match=str(fault))
        assert house.told[-1] == "pool closes"

    run(check(), seconds=10)


def test_work_not_drained_in_time_is_cut_off_and_counted() -> None:
    async def check() -> None:
        house = House(worker_listens=False)
        house.intake.add(row_ids(1, 2, 3))
        await house.run_until(house.is_queueing)
        assert "worker ends" in house.told
        assert house.facts.of(DaemonStopping) == [DaemonStopping(3)]
        assert house.facts.of(DrainTimedOut) == [DrainTimedOut(3)]

    run(check(), seconds=10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_sigterm_stops_the_daemon_and_sighup_requests_a_reload(number: signal.Signals) -> None:
    async def check() -> None:
        house = House()
        task = asyncio.create_task(house.daemon.run())
        await settle(house.is_queueing)
        os.kill(os.getpid(), signal.SIGHUP)
        await settle(house.reload.is_set)
        os.kill(os.getpid(), number)
        await task
        assert house.stop.is_set()
        with suppress(ValueError):
            assert not asyncio.get_running_loop().remove_signal_handler(number), "no handler is left"

    run(check(), seconds=10)
