"""What live updates send, to which pages and in which order: over a queue in memory, without a network."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.entry import QueueCounts, QueueEntry, Status
from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable
from pattern_sync.domain.facts import Fact, NotificationIgnored
from pattern_sync.domain.notification import MOST_NAMED
from pattern_sync.services.activity import Activity
from pattern_sync.services.liveness import Liveness
from pattern_sync.services.outage import Availability
from pattern_sync.services.timings import Timings
from pattern_sync.web.fingerprint_check import LONGEST_UNCHECKED_SECONDS
from pattern_sync.web.live import LiveUpdates
from pattern_sync.web.live_clients import MOST_UNREAD, LiveClient
from pattern_sync.web.live_reader import LONGEST_MESSAGE_CHARACTERS, STATE_ENTRIES, LiveReader
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock
from tests.support.seed import NO_EVIDENCE

Document = dict[str, Any]

TIMINGS = Timings(live_tick_seconds=0.001)  # the only wait in real time

ENTRY = QueueEntry(
    pattern_id="a",
    tool_sequence="Read→Edit",
    status="pending",
    confidence_score=0.85,
    occurrence_count=7,
    estimated_savings_usd=5_000.0,
    impact_score=29_750.0,
    pattern_context=None,
    example_sessions=("w1",),
    reviewed_by=None,
    reviewed_at=None,
    approval_notes=None,
    created_at=datetime(2026, 11, 23, 6, 43, 27, 123456, tzinfo=UTC),
    evidence=NO_EVIDENCE,
    snooze=None,
    mark=None,
    likelihood=None,
    folded=False,
)


class FakeView:
    """A queue in memory; `faults` are raised first, one per read; `meanwhile` runs once, after rows were read."""

    def __init__(self, *pattern_ids: str) -> None:
        self.entries: dict[str, QueueEntry] = {}
        self.version = 0
        self.reads: list[str] = []
        self.faults: list[Exception] = []
        self.meanwhile: Callable[[], object] | None = None
        for pattern_id in pattern_ids:
            self.write(pattern_id)

    def write(self, pattern_id: str, status: str = "pending") -> None:
        self.entries[pattern_id] = replace(ENTRY, pattern_id=pattern_id, status=status)
        self.version += 1

    def remove(self, pattern_id: str) -> None:
        del self.entries[pattern_id]
        self.version += 1

    async def first_entries(self, limit: int) -> list[QueueEntry]:
        self._read("list")
        found = [entry for entry in self.entries.values() if entry.status == Status.PENDING][:limit]
        self._go_on()
        return found

    async def find_entries(self, pattern_ids: Sequence[str]) -> list[QueueEntry]:
        self._read("find")
        found = [self.entries[pattern_id] for pattern_id in pattern_ids if pattern_id in self.entries]
        self._go_on()
        return found

    async def count_entries(self) -> QueueCounts:
        self._read("count")
        return QueueCounts(len(self.entries), 0, 0, 0, 0, len(self.entries), 0.0, None)

    async def fingerprint(self) -> str:
        self._read("fingerprint")
        return str(self.version)

    def _read(self, name: str) -> None:
        self.reads.append(name)
        if self.faults:
            raise self.faults.pop(0)

    def _go_on(self) -> None:
        happening, self.meanwhile = self.meanwhile, None
        if happening:
            happening()


class ShortActivity(Activity):
    """Waits only for events, and records the requested times and how often it looked for work."""

    def __init__(self, clock: Clock, pages: Availability) -> None:
        super().__init__(LiveUpdates.name, Liveness(clock), pages, Backoff(lambda: 1.0, 1.0, 4.0))
        self.waits: list[float] = []
        self.ticks = 0

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)

    async def wait_for(self, event: asyncio.Event, seconds: float) -> bool:
        self.ticks += 1
        return await super().wait_for(event, seconds)


@dataclass
class Live:
    """Live updates and everything around them, on a clock that stands still."""

    view: FakeView = field(default_factory=FakeView)
    clock: Clock = field(default_factory=Clock)
    polling: bool = False

    def __post_init__(self) -> None:
        self.facts: list[Fact] = []
        self.database = Availability(self.clock, lambda _: None, lambda _: None)
        self.pages = Availability(self.clock, lambda _: None, lambda _: None)
        self.activity = ShortActivity(self.clock, self.pages)
        self.updates = LiveUpdates(
            LiveReader(self.view, self.clock),
            self.database.is_lost,
            lambda: self.polling,
            self.facts.append,
            self.activity,
            self.clock,
            TIMINGS,
        )

    async def joined(self) -> LiveClient:
        """Return a client that has got the state."""
        client = self.updates.join()
        await self.updates.run_once()
        assert [each["type"] for each in await sent_to(client)] == ["state"]
        return client

    def notify(self, change: str, *signatures: str) -> None:
        self.updates.notified(json.dumps({change: signatures}))

    def ignored(self) -> int:
        return sum(isinstance(fact, NotificationIgnored) for fact in self.facts)


async def some_ticks(live: Live) -> None:
    """Let the updates check for work a few times."""
    before = live.activity.ticks
    await settle(lambda: live.activity.ticks > before + 3)


async def sent_to(client: LiveClient) -> list[Document]:
    """Return the messages that the client has not read yet."""
    documents = []
    with suppress(TimeoutError):
        while True:
            async with asyncio.timeout(0):
                documents.append(json.loads(await client.next_message()))
    return documents


def changes_in(documents: Sequence[Document]) -> list[tuple[str, str, str | None]]:
    """Return change, pattern and status as sent; the status of a removed entry is None."""
    return [
        (each["change"], each["pattern_id"], each["entry"] and each["entry"]["status"])
        for document in documents
        for each in document["changes"]
    ]


def test_the_first_message_is_the_counts_and_the_first_pending_entries() -> None:
    async def check() -> None:
        live = Live(FakeView(*(f"p{number:02}" for number in range(STATE_ENTRIES + 5))))
        live.view.write("decided", "approved")
        client = live.updates.join()
        await live.updates.run_once()
        (state,) = await sent_to(client)
        assert (state["type"], state["counts"]["total"]) == ("state", STATE_ENTRIES + 6)
        assert [entry["pattern_id"] for entry in state["entries"]] == [f"p{number:02}" for number in range(20)]
        assert state["entries"][0]["created_at"] == "2026-11-23T06:43:27.123456Z"

    run(check())


def test_a_change_is_sent_as_the_entry_is_now_with_the_new_counts() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.view.write("b")
        live.view.write("a", "approved")
        live.notify("queued", "b")
        live.notify("decided", "a")
        await live.updates.run_once()
        (message,) = await sent_to(client)
        assert message["type"] == "changes"
        assert message["counts"]["total"] == 2
        assert changes_in([message]) == [("queued", "b", "pending"), ("decided", "a", "approved")]

    run(check())


@pytest.mark.parametrize("change", ["queued", "refreshed", "decided", "commented", "removed"])
def test_an_entry_gone_when_it_is_read_is_sent_as_removed_whatever_the_notification(change: str) -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.view.remove("a")
        live.notify(change, "a")
        await live.updates.run_once()
        assert changes_in(await sent_to(client)) == [("removed", "a", None)]

    run(check())


def test_several_changes_of_one_entry_are_sent_once_as_the_latest() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        for change in ("queued", "refreshed", "commented", "decided"):
            live.notify(change, "a")
        live.view.reads.clear()
        await live.updates.run_once()
        assert changes_in(await sent_to(client)) == [("decided", "a", "pending")]
        assert live.view.reads.count("find") == 1

    run(check())


def test_a_new_page_gets_the_state_and_the_others_only_the_change() -> None:
    async def check() -> None:
        live = Live()
        old = await live.joined()
        live.view.write("a")
        live.notify("queued", "a")
        new = live.updates.join()
        await live.updates.run_once()
        assert changes_in(await sent_to(old)) == [("queued", "a", "pending")]
        (state,) = await sent_to(new)
        assert [entry["pattern_id"] for entry in state["entries"]] == ["a"]

    run(check())


def test_a_page_that_joins_during_a_read_gets_nothing_before_its_own_state() -> None:
    async def check() -> None:
        live = Live()
        await live.joined()
        new: list[LiveClient] = []
        live.view.meanwhile = lambda: new.append(live.updates.join())
        live.notify("queued", "a")
        await live.updates.run_once()
        assert await sent_to(new[0]) == []
        live.view.write("b")
        await live.updates.run_once()
        (state,) = await sent_to(new[0])
        assert [entry["pattern_id"] for entry in state["entries"]] == ["b"]

    run(check())


def test_a_change_during_a_read_is_sent_after_it() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()

        def decide() -> None:
            live.view.write("a", "approved")
            live.notify("decided", "a")

        live.view.meanwhile = decide
        live.notify("refreshed", "a")
        await live.updates.run_once()
        await live.updates.run_once()
        assert changes_in(await sent_to(client)) == [("refreshed", "a", "pending"), ("decided", "a", "approved")]

    run(check())


def test_a_change_while_a_new_pages_state_is_read_is_sent_after_it() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = live.updates.join()

        def decide() -> None:
            live.view.write("a", "approved")
            live.notify("decided", "a")

        live.view.meanwhile = decide
        await live.updates.run_once()
        await live.updates.run_once()
        state, *changes = await sent_to(client)
        assert state["entries"][0]["status"] == "pending"
        assert changes_in(changes) == [("decided", "a", "approved")]

    run(check())


@pytest.mark.parametrize("fault", [DatabaseUnavailable("gone"), AccessRefused("not now")])
def test_marks_survive_an_outage_which_is_sent_once_and_ends_with_a_state(fault: Exception) -> None:
    async def check() -> None:
        live = Live()
        client = await live.joined()
        live.view.write("a")
        live.notify("queued", "a")
        live.view.faults = [fault, fault]
        await live.updates.run_once()
        await live.updates.run_once()
        assert await sent_to(client) == [{"type": "outage"}]
        assert live.activity.waits == [1.0, 2.0]
        await live.updates.run_once()
        (state,) = await sent_to(client)
        assert [entry["pattern_id"] for entry in state["entries"]] == ["a"]
        assert not live.database.is_lost()

    run(check())


def test_a_page_that_joins_in_an_outage_gets_the_outage_and_then_the_state() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        await live.joined()
        live.view.faults = [DatabaseUnavailable("gone")] * 2
        live.notify("refreshed", "a")
        await live.updates.run_once()
        new = live.updates.join()
        await live.updates.run_once()
        await live.updates.run_once()
        assert [each["type"] for each in await sent_to(new)] == ["outage", "state"]

    run(check())


def test_a_fault_between_two_reads_sends_no_partial_message() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.notify("refreshed", "a")

        def break_down() -> None:
            live.view.faults = [DatabaseUnavailable("gone")]

        live.view.meanwhile = break_down  # after the entries, before the counts
        await live.updates.run_once()
        assert [each["type"] for each in await sent_to(client)] == ["outage"]
        await live.updates.run_once()
        assert [each["type"] for each in await sent_to(client)] == ["state"]

    run(check())


@pytest.mark.parametrize(("more", "kind"), [(0, "changes"), (1, "state")])
def test_more_changes_than_make_sense_become_a_state(more: int, kind: str) -> None:
    async def check() -> None:
        live = Live()
        client = await live.joined()
        for number in range(MOST_NAMED + more):
            live.notify("queued", f"p{number}")
        await live.updates.run_once()
        assert [each["type"] for each in await sent_to(client)] == [kind]
        live.view.reads.clear()
        await live.updates.run_once()
        assert "find" not in live.view.reads, "a sent change is not sent again"

    run(check())


def test_a_notification_of_everything_becomes_a_state() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.notify("refreshed", "a")
        live.updates.notified("*")
        await live.updates.run_once()
        assert [each["type"] for each in await sent_to(client)] == ["state"]

    run(check())


def test_a_client_that_reads_nothing_is_dropped_at_no_cost_to_the_others() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        lazy, diligent = live.updates.join(), live.updates.join()
        for number in range(MOST_UNREAD):
            assert not lazy.too_slow.is_set(), number
            live.updates.mark_everything()
            await live.updates.run_once()
            assert len(await sent_to(diligent)) == 1
        live.updates.mark_everything()
        await live.updates.run_once()
        assert lazy.too_slow.is_set()
        assert len(await sent_to(diligent)) == 1
        assert not diligent.too_slow.is_set()

    run(check())


def test_a_page_that_has_left_is_sent_nothing() -> None:
    async def check() -> None:
        live = Live()
        gone, newcomer = await live.joined(), live.updates.join()
        live.updates.leave(gone)
        live.updates.leave(newcomer)
        live.updates.mark_everything()
        await live.updates.run_once()
        assert (await sent_to(gone), await sent_to(newcomer), len(live.updates)) == ([], [], 0)

    run(check())


def test_nothing_is_read_while_no_page_is_open() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        running = asyncio.create_task(live.updates.run())
        live.notify("queued", "a")
        live.updates.mark_everything()
        live.clock.seconds += 10 * TIMINGS.live_safety_net_seconds
        await settle(lambda: live.activity.waits)  # woken, and over it
        assert live.view.reads == []
        client = live.updates.join()
        await settle(lambda: live.view.reads)
        assert len(await sent_to(client)) == 1
        live.updates.leave(client)
        live.view.reads.clear()
        woken = len(live.activity.waits)
        live.updates.mark_everything()
        await settle(lambda: len(live.activity.waits) > woken)
        assert live.view.reads == []
        running.cancel()

    run(check())


@pytest.mark.parametrize(
    ("polling", "patience"), [(True, TIMINGS.live_poll_seconds), (False, TIMINGS.live_safety_net_seconds)]
)
def test_an_unnotified_change_is_found_in_time(*, polling: bool, patience: float) -> None:
    async def check() -> None:
        live = Live(FakeView("a"), polling=polling)
        client = live.updates.join()
        running = asyncio.create_task(live.updates.run())
        await settle(lambda: "count" in live.view.reads)
        assert len(await sent_to(client)) == 1
        live.clock.seconds += patience - 0.001
        live.view.write("unheard")
        await some_ticks(live)
        assert {each["type"] for each in await sent_to(client)} <= {"heartbeat"}
        live.clock.seconds += 0.001
        await settle(lambda: live.view.reads.count("list") == 2)
        (state,) = await sent_to(client)
        assert [entry["pattern_id"] for entry in state["entries"]] == ["a", "unheard"]
        running.cancel()

    run(check())


def test_checks_of_an_unchanged_queue_send_nothing_and_read_no_rows() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        await live.updates.run_once()
        await sent_to(client)
        live.view.reads.clear()
        for _ in range(3):
            await live.updates.run_once()
        assert await sent_to(client) == []
        assert live.view.reads == ["fingerprint"] * 3

    run(check())


def test_an_unnotified_change_right_after_a_state_is_sent() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.view.write("b")
        await live.updates.run_once()
        assert [each["type"] for each in await sent_to(client)] == ["state"]

    run(check())


def test_an_unnotified_change_while_a_state_was_read_is_sent() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.updates.mark_everything()
        live.view.meanwhile = lambda: live.view.write("b")
        await live.updates.run_once()
        await sent_to(client)
        await live.updates.run_once()
        assert [each["type"] for each in await sent_to(client)] == ["state"]

    run(check())


def test_a_new_page_does_not_hide_an_unnotified_change_from_the_others() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        old = await live.joined()
        await live.updates.run_once()
        await sent_to(old)
        live.view.write("b")
        await live.joined()
        await live.updates.run_once()
        assert [each["type"] for each in await sent_to(old)] == ["state"]

    run(check())


def test_a_notified_change_does_not_hide_an_unnotified_one() -> None:
    async def check() -> None:
        live = Live(FakeView("a", "b"))
        client = await live.joined()
        await live.updates.run_once()
        await sent_to(client)
        live.view.write("b", "approved")
        live.view.write("a", "approved")
        live.notify("decided", "a")
        await live.updates.run_once()
        await live.updates.run_once()
        assert [each["type"] for each in await sent_to(client)] == ["changes"]
        live.clock.seconds += LONGEST_UNCHECKED_SECONDS
        await live.updates.run_once()
        assert [each["type"] for each in await sent_to(client)] == ["state"]
        live.clock.seconds += LONGEST_UNCHECKED_SECONDS
        await live.updates.run_once()
        assert await sent_to(client) == []

    run(check())


def test_endless_changes_do_not_delay_an_unnotified_one_for_ever() -> None:
    async def check() -> None:
        live = Live(FakeView("a", "b"))
        client = await live.joined()
        live.view.write("b", "approved")
        types = []
        for _ in range(10):
            live.clock.seconds += LONGEST_UNCHECKED_SECONDS / 10
            live.view.write("a")
            live.notify("refreshed", "a")
            await live.updates.run_once()
            types += [each["type"] for each in await sent_to(client)]
        assert types == ["changes"] * 9 + ["state"]

    run(check())


def test_changes_too_long_for_a_message_become_a_state() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        newcomer = live.updates.join()
        name = "b" * (LONGEST_MESSAGE_CHARACTERS // 2)
        live.view.write(name)
        live.notify("queued", name)
        await live.updates.run_once()
        for each in (client, newcomer):
            assert [message["type"] for message in await sent_to(each)] == ["state"]

    run(check())


def test_a_page_gets_a_heartbeat_when_there_is_nothing_else_to_send() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = live.updates.join()
        running = asyncio.create_task(live.updates.run())
        await settle(lambda: "count" in live.view.reads)
        assert [each["type"] for each in await sent_to(client)] == ["state"]
        live.clock.seconds += TIMINGS.live_heartbeat_seconds
        assert json.loads(await client.next_message()) == {"type": "heartbeat"}
        live.database.lost("another service", DatabaseUnavailable("gone"))
        assert json.loads(await client.next_message()) == {"type": "outage"}
        live.clock.seconds += TIMINGS.live_heartbeat_seconds
        assert json.loads(await client.next_message()) == {"type": "heartbeat"}
        running.cancel()

    run(check())


def test_a_fault_of_the_pages_alone_is_no_outage_of_the_database() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.view.faults = [AccessRefused("permission denied for table pattern_review_history")]
        live.updates.mark_everything()
        await live.updates.run_once()
        assert [each["type"] for each in await sent_to(client)] == ["outage"]
        assert live.pages.is_lost()
        assert not live.database.is_lost()
        await live.updates.run_once()
        assert [each["type"] for each in await sent_to(client)] == ["state"]
        assert not live.pages.is_lost()

    run(check())


def test_an_outage_that_another_service_met_is_sent_and_nothing_is_read() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = live.updates.join()
        running = asyncio.create_task(live.updates.run())
        await settle(lambda: "count" in live.view.reads)
        assert len(await sent_to(client)) == 1
        live.view.reads.clear()
        live.database.lost("another service", DatabaseUnavailable("gone"))
        live.notify("refreshed", "a")
        assert json.loads(await client.next_message()) == {"type": "outage"}
        assert live.view.reads == []
        live.database.back("another service")
        assert json.loads(await client.next_message())["type"] == "state"
        running.cancel()

    run(check())


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "garbage",
        "**",
        "null",
        "[]",
        "7",
        "{",
        '{"exploded": ["a"]}',
        '{"queued": "a"}',
        '{"queued": [1]}',
        '{"queued": [null]}',
        '{"queued": [["a"]]}',
        '{"queued": ["\\ud800"]}',
        '{"queued": ["\\udc00\\ud800"]}',
        '{"queued": ["nul\\u0000"]}',
        '{"queued": [{"a": 1}]}',
        "[" * 7_999,
        '{"queued":' * 700,
    ],
)
def test_a_foreign_payload_is_counted_and_changes_nothing(payload: str) -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.view.reads.clear()
        live.updates.notified(payload)
        live.notify("refreshed", "a")
        await live.updates.run_once()
        assert changes_in(await sent_to(client)) == [("refreshed", "a", "pending")]
        assert live.ignored() == 1

    run(check())


def test_an_empty_notification_sends_nothing() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        await live.updates.run_once()
        await sent_to(client)
        for payload in ("{}", '{"queued": []}'):
            live.updates.notified(payload)
            await live.updates.run_once()
        assert await sent_to(client) == []
        assert live.ignored() == 0

    run(check())


def test_a_daemon_that_starts_to_poll_finds_changes_after_the_last_sent_one() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.view.write("b")
        live.notify("queued", "b")
        await live.updates.run_once()
        assert [each["type"] for each in await sent_to(client)] == ["changes"]
        live.polling = True
        live.view.write("unheard")
        await live.updates.run_once()
        assert [each["type"] for each in await sent_to(client)] == ["state"]
        await live.updates.run_once()
        assert await sent_to(client) == []

    run(check())


def test_an_outage_of_the_pages_ends_with_the_last_page() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.view.faults = [DatabaseUnavailable("gone")]
        live.updates.mark_everything()
        await live.updates.run_once()
        assert live.pages.is_lost()
        live.updates.leave(client)
        running = asyncio.create_task(live.updates.run())
        await settle(lambda: not live.pages.is_lost())
        newcomer = live.updates.join()
        assert json.loads(await newcomer.next_message())["type"] == "state"
        running.cancel()

    run(check())
