"""The life of a daemon over parts in memory: the order of its start and its stop, and what it does in between."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
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
from pattern_sync.services.liveness import STEP_SECONDS
from pattern_sync.services.outage import Availability
from pattern_sync.services.supervisor import Supervisor
from pattern_sync.services.timings import Timings
from pattern_sync.sync.in_force import FilterInForce
from pattern_sync.sync.intake import Intake
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, RecordedFacts, outage_backoff, row_ids

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

    async def open(self) -> None:
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
    """The database at a start; `faults` are raised first, one per attempt. It may be `stuck`."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.stuck = False
        self.asked = 0
        self.published: list[SyncFilter] = []

    async def check_schema(self) -> None:
        self.asked += 1
        if self.stuck:
            await asyncio.Event().wait()
        if self.faults:
            raise self.faults.pop(0)

    async def check_rights(self) -> None:
        return

    async def publish_filter(self, sync_filter: SyncFilter) -> bool:
        self.published.append(sync_filter)
        return True

    async def missing_indexes(self) -> tuple[MissingIndex, ...]:
        return (INDEX,)


class Pool:
    """The connections, which a stop hurries."""

    def __init__(self, told: list[str]) -> None:
        self._told = told

    async def __aenter__(self) -> None:
        return

    async def __aexit__(self, *_: object) -> None:
        self._told.append("pool closes")

    def hurry(self) -> None:
        self._told.append("pool hurries")


class House:
    """A daemon made of these parts."""

    def __init__(self, *faults: Exception, worker_listens: bool = True, drain_seconds: float = 0.01) -> None:
        self.told: list[str] = []
        self.clock = Clock()
        self.facts = RecordedFacts()
        self.lost: list[str] = []
        self.database = Availability(Clock(), self.lost.append, lambda _: None)
        self.publisher = SimpleNamespace(wanted=SyncFilter())
        self.gateway = Gateway(*faults)
        self.intake = Intake()
        self.in_force = FilterInForce(SyncFilter())
        self.supervisor = Supervisor(self.clock, outage_backoff)
        self.stop, self.reload = asyncio.Event(), asyncio.Event()
        worker = Part("worker", self.told, listens=worker_listens)
        core = SimpleNamespace(
            emit=self.facts,
            timings=Timings(retry_base_seconds=0.001),
            supervisor=self.supervisor,
            database=self.database,
            intake=self.intake,
            observers=SimpleNamespace(manager=SimpleNamespace(stopping=lambda _: self.told.append("STOPPING=1"))),
        )
        parts = SimpleNamespace(
            core=core,
            pool=Pool(self.told),
            gateway=self.gateway,
            in_force=self.in_force,
            publisher=self.publisher,
            keepers=[Part("keeper", self.told)],
            http=Part("http", self.told),
            live=Part("live", self.told),
            workers=[worker],
            page_notifier=Part("notifier", self.told),
            producers=[Part("producer", self.told)],
        )
        self.daemon = Daemon(cast("Parts", parts), self.stop, self.reload, drain_seconds)

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
        assert house.index("keeper begins") < house.index("worker begins")
        stopping = [what for what in house.told if not what.endswith(("opens", "begins"))]
        assert stopping[:3] == ["STOPPING=1", "pool hurries", "worker closes"]
        steps = ["producer ends", "worker ends", "notifier closes", "notifier ends", "http closes", "http ends"]
        assert [what for what in stopping if what in steps] == steps
        assert house.told[-1] == "pool closes"
        assert "live ends" in house.told
        assert house.index("keeper ends") > house.index("notifier ends"), "the watchdog is fed while the daemon drains"
        assert house.facts == [FilterPublished(SyncFilter()), IndexMissing(INDEX), DaemonStopping(0), DaemonStopped()]

    run(check(), seconds=10)


def test_a_daemon_serves_while_it_waits_for_the_database() -> None:
    async def check() -> None:
        house = House(DatabaseUnavailable("refused"), DatabaseUnavailable("refused"))
        await house.run_until(house.is_queueing)
        assert house.lost == ["refused"]
        assert not house.database.is_lost()
        assert house.gateway.published == [SyncFilter()]

    run(check(), seconds=10)


def test_a_stop_before_the_database_was_reached_stops_the_server() -> None:
    async def check() -> None:
        house = House(*[DatabaseUnavailable("refused")] * 10_000)
        await house.run_until(lambda: house.lost)
        assert not house.is_queueing()
        assert house.index("STOPPING=1") < house.index("http closes")
        assert house.told[-1] == "pool closes"
        assert house.facts == [DaemonStopping(0), DaemonStopped()]

    run(check(), seconds=10)


def test_a_stop_does_not_wait_for_a_first_connect_that_hangs() -> None:
    async def check() -> None:
        house = House()
        house.gateway.stuck = True
        await house.run_until(lambda: house.gateway.asked)
        assert not house.is_queueing()
        assert house.facts == [DaemonStopping(0), DaemonStopped()]
        assert house.index("pool hurries") < house.index("http closes"), "a request may wait for a connect as well"

    run(check(), seconds=10)


def test_a_first_connect_beyond_every_deadline_counts_as_hanging() -> None:
    async def check() -> None:
        house = House()
        house.gateway.stuck = True
        task = asyncio.create_task(house.daemon.run())
        await settle(lambda: house.gateway.asked)
        assert not house.supervisor.hanging()
        house.clock.seconds += STEP_SECONDS + 1
        assert house.supervisor.hanging() == [START]
        house.stop.set()
        await task

    run(check(), seconds=10)


def test_the_start_publishes_the_filter_of_a_reload_that_came_while_it_waited() -> None:
    async def check() -> None:
        house = House(*[DatabaseUnavailable("refused")] * 3)
        newer = SyncFilter(min_confidence=42.0)

        def reloaded() -> bool:
            if house.lost:
                house.publisher.wanted = newer
            return house.is_queueing()

        await house.run_until(reloaded)
        assert house.gateway.published == [newer]
        assert house.in_force.value == newer

    run(check(), seconds=10)


def test_an_outage_ends_the_drain() -> None:
    async def check() -> None:
        house = House(worker_listens=False, drain_seconds=3600.0)
        task = asyncio.create_task(house.daemon.run())
        await settle(house.is_queueing)
        house.stop.set()
        await settle(lambda: "worker closes" in house.told)
        house.database.lost("worker", DatabaseUnavailable("gone"))
        await task
        assert house.facts.of(DrainTimedOut) == [DrainTimedOut(0)]

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
