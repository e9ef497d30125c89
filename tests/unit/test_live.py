"""What live updates tell, to whom and in which order: over a queue in memory, without a network."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.entry import Place, QueueCounts, QueueEntry, Status
from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable
from pattern_sync.observability.state import DaemonState
from pattern_sync.sync.outage import Outage
from pattern_sync.web.live import (
    HEARTBEAT_SECONDS,
    LONGEST_MESSAGE_CHARACTERS,
    MOST_CHANGES,
    POLL_SECONDS,
    SAFETY_NET_SECONDS,
    STATE_ENTRIES,
    LiveUpdates,
)
from pattern_sync.web.live_clients import MOST_UNREAD, LiveClient
from pattern_sync.web.proof import LONGEST_UNPROVEN_SECONDS
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, RecordingLife

Document = dict[str, Any]

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
)


class FakeView:
    """A queue in memory; `faults` are raised first, one a read; `meanwhile` happens once, after rows were taken."""

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

    async def list_entries(self, status: Status, after: Place | None, limit: int) -> list[QueueEntry]:
        assert after is None
        self._read("list")
        found = [entry for entry in self.entries.values() if entry.status == status][:limit]
        self._go_on()
        return found

    async def find_entries(self, pattern_ids: Sequence[str]) -> list[QueueEntry]:
        self._read("find")
        found = [self.entries[pattern_id] for pattern_id in pattern_ids if pattern_id in self.entries]
        self._go_on()
        return found

    async def count_entries(self) -> QueueCounts:
        self._read("count")
        return QueueCounts(len(self.entries), 0, 0, 0, 0, len(self.entries))

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


@dataclass
class Live:
    """Live updates and everything around them, on a clock that stands still."""

    view: FakeView = field(default_factory=FakeView)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.state = DaemonState(self.clock, lambda _: None)
        self.life = RecordingLife(self.clock)
        outage = Outage(
            partial(self.state.pages_lost, LiveUpdates.NAME),
            partial(self.state.pages_back, LiveUpdates.NAME),
            Backoff(lambda: 1.0, 1.0, 4.0),
            self.life,
        )
        self.updates = LiveUpdates(self.view, self.state, outage, self.life, self.clock)

    async def joined(self) -> LiveClient:
        """Return a client that knows the state."""
        client = self.updates.join()
        await self.updates.run_once()
        assert [each["type"] for each in await told(client)] == ["state"]
        return client

    def hint(self, change: str, *pattern_ids: str) -> None:
        self.updates.hint(json.dumps({change: pattern_ids}))


async def told(client: LiveClient) -> list[Document]:
    """Take what the client has not read yet."""
    documents = []
    with suppress(TimeoutError):
        while True:
            async with asyncio.timeout(0):
                documents.append(json.loads(await client.next_message()))
    return documents


def changes_in(documents: Sequence[Document]) -> list[tuple[str, str, str | None]]:
    """Return change, pattern and status as told; None for the status of what is gone."""
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
        (state,) = await told(client)
        assert (state["type"], state["counts"]["total"]) == ("state", STATE_ENTRIES + 6)
        assert [entry["pattern_id"] for entry in state["entries"]] == [f"p{number:02}" for number in range(20)]
        assert state["entries"][0]["created_at"] == "2026-11-23T06:43:27.123456Z"

    run(check())


def test_a_hint_is_told_as_the_entry_is_now_with_the_new_counts() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.view.write("b")
        live.view.write("a", "approved")
        live.hint("queued", "b")
        live.hint("decided", "a")
        await live.updates.run_once()
        (message,) = await told(client)
        assert message["type"] == "changes"
        assert message["counts"]["total"] == 2
        assert changes_in([message]) == [("queued", "b", "pending"), ("decided", "a", "approved")]

    run(check())


@pytest.mark.parametrize("change", ["queued", "refreshed", "decided", "commented", "removed"])
def test_what_is_gone_when_it_is_read_is_told_as_removed_whatever_the_hint(change: str) -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.view.remove("a")
        live.hint(change, "a")
        await live.updates.run_once()
        assert changes_in(await told(client)) == [("removed", "a", None)]

    run(check())


def test_several_hints_at_one_entry_are_read_and_told_once_with_the_latest_word() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        for change in ("queued", "refreshed", "commented", "decided"):
            live.hint(change, "a")
        live.view.reads.clear()
        await live.updates.run_once()
        assert changes_in(await told(client)) == [("decided", "a", "pending")]
        assert live.view.reads.count("find") == 1

    run(check())


def test_a_newcomer_gets_the_state_and_the_others_only_the_change() -> None:
    async def check() -> None:
        live = Live()
        old = await live.joined()
        live.view.write("a")
        live.hint("queued", "a")
        new = live.updates.join()
        await live.updates.run_once()
        assert changes_in(await told(old)) == [("queued", "a", "pending")]
        (state,) = await told(new)
        assert [entry["pattern_id"] for entry in state["entries"]] == ["a"]

    run(check())


def test_who_comes_while_rows_are_read_gets_nothing_before_a_state_of_its_own() -> None:
    async def check() -> None:
        live = Live()
        await live.joined()
        new: list[LiveClient] = []
        live.view.meanwhile = lambda: new.append(live.updates.join())
        live.hint("queued", "a")
        await live.updates.run_once()
        assert await told(new[0]) == []
        live.view.write("b")
        await live.updates.run_once()
        (state,) = await told(new[0])
        assert [entry["pattern_id"] for entry in state["entries"]] == ["b"]

    run(check())


def test_what_changes_while_rows_are_read_is_told_after_them() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()

        def decide() -> None:
            live.view.write("a", "approved")
            live.hint("decided", "a")

        live.view.meanwhile = decide
        live.hint("refreshed", "a")
        await live.updates.run_once()
        await live.updates.run_once()
        assert changes_in(await told(client)) == [("refreshed", "a", "pending"), ("decided", "a", "approved")]

    run(check())


def test_what_changes_while_the_state_of_a_newcomer_is_read_is_told_after_it() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = live.updates.join()

        def decide() -> None:
            live.view.write("a", "approved")
            live.hint("decided", "a")

        live.view.meanwhile = decide
        await live.updates.run_once()
        await live.updates.run_once()
        state, *changes = await told(client)
        assert state["entries"][0]["status"] == "pending"
        assert changes_in(changes) == [("decided", "a", "approved")]

    run(check())


@pytest.mark.parametrize("fault", [DatabaseUnavailable("gone"), AccessRefused("not now")])
def test_marks_survive_an_outage_which_is_said_once_and_ends_with_a_state(fault: Exception) -> None:
    async def check() -> None:
        live = Live()
        client = await live.joined()
        live.view.write("a")
        live.hint("queued", "a")
        live.view.faults = [fault, fault]
        await live.updates.run_once()
        await live.updates.run_once()
        assert await told(client) == [{"type": "outage"}]
        assert live.life.pauses == [1.0, 2.0]
        await live.updates.run_once()
        (state,) = await told(client)
        assert [entry["pattern_id"] for entry in state["entries"]] == ["a"]
        assert live.state.database_lost_at is None

    run(check())


def test_a_newcomer_of_an_outage_is_told_of_it_and_gets_the_state_that_follows() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        await live.joined()
        live.view.faults = [DatabaseUnavailable("gone")] * 2
        live.hint("refreshed", "a")
        await live.updates.run_once()
        new = live.updates.join()
        await live.updates.run_once()
        await live.updates.run_once()
        assert [each["type"] for each in await told(new)] == ["outage", "state"]

    run(check())


def test_a_fault_between_two_reads_tells_nothing_by_halves() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.hint("refreshed", "a")

        def break_down() -> None:
            live.view.faults = [DatabaseUnavailable("gone")]

        live.view.meanwhile = break_down  # after the entries, before the counts
        await live.updates.run_once()
        assert [each["type"] for each in await told(client)] == ["outage"]
        await live.updates.run_once()
        assert [each["type"] for each in await told(client)] == ["state"]

    run(check())


@pytest.mark.parametrize(("more", "kind"), [(0, "changes"), (1, "state")])
def test_more_changes_than_make_sense_become_a_state(more: int, kind: str) -> None:
    async def check() -> None:
        live = Live()
        client = await live.joined()
        for number in range(MOST_CHANGES + more):
            live.hint("queued", f"p{number}")
        await live.updates.run_once()
        assert [each["type"] for each in await told(client)] == [kind]
        live.view.reads.clear()
        await live.updates.run_once()
        assert "find" not in live.view.reads, "what was told is not told once more"

    run(check())


def test_everything_at_once_becomes_a_state() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.hint("refreshed", "a")
        live.updates.hint("*")
        await live.updates.run_once()
        assert [each["type"] for each in await told(client)] == ["state"]

    run(check())


def test_a_client_that_reads_nothing_is_given_up_and_costs_the_others_nothing() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        lazy, diligent = live.updates.join(), live.updates.join()
        for number in range(MOST_UNREAD):
            assert not lazy.too_slow.is_set(), number
            live.updates.everything_changed()
            await live.updates.run_once()
            assert len(await told(diligent)) == 1
        live.updates.everything_changed()
        await live.updates.run_once()
        assert lazy.too_slow.is_set()
        assert len(await told(diligent)) == 1
        assert not diligent.too_slow.is_set()

    run(check())


def test_who_has_left_is_told_nothing() -> None:
    async def check() -> None:
        live = Live()
        gone, newcomer = await live.joined(), live.updates.join()
        live.updates.leave(gone)
        live.updates.leave(newcomer)
        live.updates.everything_changed()
        await live.updates.run_once()
        assert (await told(gone), await told(newcomer), len(live.updates)) == ([], [], 0)

    run(check())


def test_nothing_is_read_while_nobody_is_there() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        running = asyncio.create_task(live.updates.run())
        live.hint("queued", "a")
        live.updates.everything_changed()
        live.clock.seconds += 10 * SAFETY_NET_SECONDS
        await settle(lambda: live.life.pauses)  # woken, and over it
        assert live.view.reads == []
        client = live.updates.join()
        await settle(lambda: live.view.reads)
        assert len(await told(client)) == 1
        live.updates.leave(client)
        live.view.reads.clear()
        woken = len(live.life.pauses)
        live.updates.everything_changed()
        await settle(lambda: len(live.life.pauses) > woken)
        assert live.view.reads == []
        running.cancel()

    run(check())


@pytest.mark.parametrize(("polling", "patience"), [(True, POLL_SECONDS), (False, SAFETY_NET_SECONDS)])
def test_a_change_that_nobody_hinted_at_is_found_in_time(*, polling: bool, patience: float) -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        if polling:
            live.state.polling("a pooler")
        else:
            live.state.listening()
        client = live.updates.join()
        running = asyncio.create_task(live.updates.run())
        await settle(lambda: "count" in live.view.reads)
        assert len(await told(client)) == 1
        live.clock.seconds += patience - 0.001
        live.view.write("unheard")
        ticked = asyncio.create_task(asyncio.sleep(0.6))  # longer than a tick, which is real time
        await ticked
        assert {each["type"] for each in await told(client)} <= {"heartbeat"}
        live.clock.seconds += 0.001
        await settle(lambda: live.view.reads.count("list") == 2)
        (state,) = await told(client)
        assert [entry["pattern_id"] for entry in state["entries"]] == ["a", "unheard"]
        running.cancel()

    run(check())


def test_looks_at_an_unchanged_queue_tell_nothing_and_read_no_rows() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        await live.updates.run_once()
        await told(client)
        live.view.reads.clear()
        for _ in range(3):
            await live.updates.run_once()
        assert await told(client) == []
        assert live.view.reads == ["fingerprint"] * 3

    run(check())


def test_a_change_that_nobody_hinted_at_right_after_a_state_is_told() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.view.write("b")
        await live.updates.run_once()
        assert [each["type"] for each in await told(client)] == ["state"]

    run(check())


def test_a_change_that_nobody_hinted_at_while_a_state_was_read_is_told() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.updates.everything_changed()
        live.view.meanwhile = lambda: live.view.write("b")
        await live.updates.run_once()
        await told(client)
        await live.updates.run_once()
        assert [each["type"] for each in await told(client)] == ["state"]

    run(check())


def test_a_newcomer_does_not_hide_an_unheard_change_from_the_others() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        old = await live.joined()
        await live.updates.run_once()
        await told(old)
        live.view.write("b")
        await live.joined()
        await live.updates.run_once()
        assert [each["type"] for each in await told(old)] == ["state"]

    run(check())


def test_a_change_that_was_heard_does_not_hide_another_that_was_not() -> None:
    async def check() -> None:
        live = Live(FakeView("a", "b"))
        client = await live.joined()
        await live.updates.run_once()
        await told(client)
        live.view.write("b", "approved")
        live.view.write("a", "approved")
        live.hint("decided", "a")
        await live.updates.run_once()
        await live.updates.run_once()
        assert [each["type"] for each in await told(client)] == ["changes"]
        live.clock.seconds += LONGEST_UNPROVEN_SECONDS
        await live.updates.run_once()
        assert [each["type"] for each in await told(client)] == ["state"]
        live.clock.seconds += LONGEST_UNPROVEN_SECONDS
        await live.updates.run_once()
        assert await told(client) == []

    run(check())


def test_changes_without_a_pause_do_not_put_off_for_ever_what_was_not_heard() -> None:
    async def check() -> None:
        live = Live(FakeView("a", "b"))
        client = await live.joined()
        live.view.write("b", "approved")
        types = []
        for _ in range(10):
            live.clock.seconds += LONGEST_UNPROVEN_SECONDS / 10
            live.view.write("a")
            live.hint("refreshed", "a")
            await live.updates.run_once()
            types += [each["type"] for each in await told(client)]
        assert types == ["changes"] * 9 + ["state"]

    run(check())


def test_changes_that_are_longer_than_a_message_may_be_become_a_state() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        newcomer = live.updates.join()
        name = "b" * (LONGEST_MESSAGE_CHARACTERS // 2)
        live.view.write(name)
        live.hint("queued", name)
        await live.updates.run_once()
        for each in (client, newcomer):
            assert [message["type"] for message in await told(each)] == ["state"]

    run(check())


def test_a_page_hears_a_heartbeat_when_there_is_nothing_else_to_tell() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = live.updates.join()
        running = asyncio.create_task(live.updates.run())
        await settle(lambda: "count" in live.view.reads)
        assert [each["type"] for each in await told(client)] == ["state"]
        live.clock.seconds += HEARTBEAT_SECONDS
        assert json.loads(await client.next_message()) == {"type": "heartbeat"}
        live.state.database_lost("gone")
        assert json.loads(await client.next_message()) == {"type": "outage"}
        live.clock.seconds += HEARTBEAT_SECONDS
        assert json.loads(await client.next_message()) == {"type": "heartbeat"}
        running.cancel()

    run(check())


def test_what_only_the_pages_lack_is_no_outage_of_the_daemon() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.view.faults = [AccessRefused("permission denied for table pattern_review_history")]
        live.updates.everything_changed()
        await live.updates.run_once()
        assert [each["type"] for each in await told(client)] == ["outage"]
        assert live.state.pages_cut_off
        assert live.state.database_lost_at is None
        await live.updates.run_once()
        assert [each["type"] for each in await told(client)] == ["state"]
        assert not live.state.pages_cut_off

    run(check())


def test_an_outage_that_another_service_met_is_said_and_nothing_is_read() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = live.updates.join()
        running = asyncio.create_task(live.updates.run())
        await settle(lambda: "count" in live.view.reads)
        assert len(await told(client)) == 1
        live.view.reads.clear()
        live.state.database_lost("gone")
        live.hint("refreshed", "a")
        assert json.loads(await client.next_message()) == {"type": "outage"}
        assert live.view.reads == []
        live.state.database_back()
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
def test_a_payload_that_is_not_ours_is_counted_and_changes_nothing(payload: str) -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.view.reads.clear()
        live.updates.hint(payload)
        live.hint("refreshed", "a")
        await live.updates.run_once()
        assert changes_in(await told(client)) == [("refreshed", "a", "pending")]
        assert live.state.unknown_payloads_total == 1

    run(check())


def test_a_hint_at_nothing_tells_nothing() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        await live.updates.run_once()
        await told(client)
        for payload in ("{}", '{"queued": []}'):
            live.updates.hint(payload)
            await live.updates.run_once()
        assert await told(client) == []
        assert live.state.unknown_payloads_total == 0

    run(check())


def test_a_change_that_was_told_does_not_blind_a_daemon_that_has_to_poll_from_then_on() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        live.state.listening()
        client = await live.joined()
        live.view.write("b")
        live.hint("queued", "b")
        await live.updates.run_once()
        assert [each["type"] for each in await told(client)] == ["changes"]
        live.state.polling("a pooler")
        live.view.write("unheard")
        await live.updates.run_once()
        assert [each["type"] for each in await told(client)] == ["state"]
        await live.updates.run_once()
        assert await told(client) == []

    run(check())


def test_nobody_is_cut_off_when_nobody_is_there() -> None:
    async def check() -> None:
        live = Live(FakeView("a"))
        client = await live.joined()
        live.view.faults = [DatabaseUnavailable("gone")]
        live.updates.everything_changed()
        await live.updates.run_once()
        assert live.state.pages_cut_off
        live.updates.leave(client)
        running = asyncio.create_task(live.updates.run())
        await settle(lambda: not live.state.pages_cut_off)
        newcomer = live.updates.join()
        assert json.loads(await newcomer.next_message())["type"] == "state"
        running.cancel()

    run(check())
