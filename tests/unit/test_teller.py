"""The teller: what it sends when, what becomes of what was not taken, and what it does beside other daemons."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from pattern_sync.domain.destinations import Destination, parse_destinations
from pattern_sync.domain.entry import QueueEntry
from pattern_sync.domain.errors import DatabaseUnavailable
from pattern_sync.domain.facts import MessageEnded, MessagesCounted
from pattern_sync.domain.hours import DigestSchedule, QuietHours
from pattern_sync.domain.messages import (
    ClaimedMessage,
    Delivery,
    DeliveryOutcome,
    Gathered,
    Letter,
    Message,
    MessageCount,
    MessageKind,
    MessageState,
    ToldPause,
)
from pattern_sync.domain.rules import RuleVerdict
from pattern_sync.services.timings import Timings
from pattern_sync.telling import Teller, Terms
from pattern_sync.telling.teller import LARGEST_SHARE_OF_TIME, RETRY_SECONDS
from tests.support.asynchronous import run, settle
from tests.support.fakes import OUTAGE_WAITS, Clock, RecordedFacts, RecordingActivity
from tests.support.records import entry

TIMINGS = Timings()
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
(DESTINATION,) = parse_destinations("slack+https://chat.example/hook")
DELIVERED = Delivery(DeliveryOutcome.DELIVERED, 200)
FAILED = Delivery(DeliveryOutcome.FAILED, 503, "chat.example answered 503")
PAUSE = ToldPause(41, "cheap", 3, RuleVerdict.APPROVE, "a clock that jumped", NOW, 12, 2)


class Stage:
    """A teller with one destination; its store has `open_messages`, its courier answers with `answers`."""

    def __init__(self, quiet: str | None = None, digest: str | None = None, *, about_rules: bool = True) -> None:
        self.clock = Clock()
        self.time = NOW
        self.activity = RecordingActivity(self.clock)
        self.facts = RecordedFacts()
        self.open_messages: list[ClaimedMessage] = []
        self.answers: list[Delivery] = []
        self.sent: list[tuple[str, Letter]] = []
        self.settled: list[tuple[int, MessageState, Delivery | None, float | None]] = []
        self.slots: list[datetime | None] = []
        self.gathered = Gathered(("a", "gone"), 30, 1e6, 2)
        self.pauses = [PAUSE]
        self.pauses_planned = 0
        self.written: list[Message] = []
        self.pruned_at: list[datetime] = []
        self.still_ours = True
        self.look_seconds = 0.0
        self.fault: Exception | None = None
        hours = None if quiet is None else QuietHours.parse(quiet)
        schedule = None if digest is None else DigestSchedule.parse(digest, NOW.tzinfo)  # type: ignore[arg-type]
        terms = Terms(
            {DESTINATION.channel: DESTINATION}, 10_000, 3_600, hours, schedule, about_rules, "https://review.example/"
        )
        self.teller = Teller(
            self,
            self,
            self.write,
            terms,
            self.facts,
            self.activity,
            lambda: self.time,
            self.clock,
            lambda: 0.0,
            TIMINGS,
        )
        self._ids = count(1)

    def add(
        self, letter: Letter | None = None, attempts: int = 1, kind: MessageKind = MessageKind.HIGH_VALUE
    ) -> ClaimedMessage:
        number = next(self._ids)
        message = ClaimedMessage(number, f"key-{number}", DESTINATION.channel, kind, NOW, letter, attempts)
        self.open_messages.append(message)
        return message

    def write(self, destination: Destination, message: Message) -> Letter:
        assert destination == DESTINATION
        self.written.append(message)
        return Letter("subject", "text/plain", f"{message.count} {'rules' if message.pauses else 'patterns'}")

    async def plan(
        self,
        channels: Sequence[str],
        min_savings: float,
        wait_seconds: float,
        every_seconds: float,
        slot: datetime | None,
    ) -> float | None:
        if self.fault:
            raise self.fault
        assert (list(channels), min_savings, every_seconds) == ([DESTINATION.channel], 10_000, 3_600)
        assert wait_seconds == TIMINGS.telling_wait_seconds
        self.clock.seconds += self.look_seconds
        self.slots.append(slot)
        return 0.0 if self.open_messages else None

    async def plan_pauses(self, channels: Sequence[str], wait_seconds: float) -> None:
        assert (list(channels), wait_seconds) == ([DESTINATION.channel], TIMINGS.telling_wait_seconds)
        self.pauses_planned += 1

    async def claim(self, channels: Sequence[str], lease_seconds: float) -> ClaimedMessage | None:
        assert list(channels) == [DESTINATION.channel]
        assert lease_seconds > 0
        return self.open_messages.pop(0) if self.open_messages else None

    async def gather(self, claimed: ClaimedMessage, min_savings: float) -> Gathered:
        assert (claimed.kind, claimed.letter, min_savings) == (MessageKind.HIGH_VALUE, None, 10_000)
        return self.gathered

    async def gather_pauses(self, claimed: ClaimedMessage) -> list[ToldPause]:
        assert (claimed.kind, claimed.letter) == (MessageKind.RULE_PAUSED, None)
        return self.pauses

    async def find_entries(self, signatures: Sequence[str]) -> list[QueueEntry]:
        return [entry(name) for name in signatures if name != "gone"]

    async def freeze(self, _claimed: ClaimedMessage, _letter: Letter) -> bool:
        return self.still_ours

    async def settle(
        self, claimed: ClaimedMessage, state: MessageState, delivery: Delivery | None, retry_seconds: float | None
    ) -> bool:
        self.settled.append((claimed.id, state, delivery, retry_seconds))
        return self.still_ours

    async def prune(self) -> None:
        self.pruned_at.append(self.time)

    async def counts(self) -> list[MessageCount]:
        return [
            MessageCount(DESTINATION.channel, MessageState.DEAD, 2, "answered 404"),
            MessageCount("of another setting", MessageState.SENT, 9, None),
        ]

    async def deliver(
        self, destination: Destination, letter: Letter, key: str, kind: MessageKind, created_at: datetime
    ) -> Delivery:
        assert (destination, created_at) == (DESTINATION, NOW)
        assert (kind is MessageKind.RULE_PAUSED) == ("rule" in letter.text)
        self.sent.append((key, letter))
        return self.answers.pop(0) if self.answers else DELIVERED


def test_a_message_is_written_once_and_sent_with_links_and_counts() -> None:
    stage = Stage()
    stage.add()
    assert run(stage.teller.run_once()) is None
    (message,) = stage.written
    assert (message.count, message.savings_usd, message.old_count, message.key) == (30, 1e6, 2, "key-1")
    assert [each.pattern_id for each in message.patterns] == ["a"]
    assert message.patterns[0].url == "https://review.example/#pattern=a"
    assert stage.sent == [("key-1", Letter("subject", "text/plain", "30 patterns"))]
    assert stage.settled == [(1, MessageState.SENT, DELIVERED, None)]
    (ended,) = stage.facts.of(MessageEnded)
    assert (ended.host, ended.state, ended.attempts) == ("chat.example", MessageState.SENT, 1)


def test_paused_rules_are_told_by_a_message_of_their_own() -> None:
    stage = Stage()
    stage.add(kind=MessageKind.RULE_PAUSED)
    run(stage.teller.run_once())
    (message,) = stage.written
    assert (message.kind, message.items, message.count) == (MessageKind.RULE_PAUSED, [PAUSE], 1)
    assert stage.sent == [("key-1", Letter("subject", "text/plain", "1 rules"))]
    assert stage.settled == [(1, MessageState.SENT, DELIVERED, None)]


def test_of_a_rule_that_somebody_has_switched_meanwhile_nobody_is_told() -> None:
    stage = Stage()
    stage.pauses = []
    stage.add(kind=MessageKind.RULE_PAUSED)
    run(stage.teller.run_once())
    assert (stage.sent, stage.settled) == ([], [(1, MessageState.DROPPED, None, None)])


def test_nothing_is_asked_about_rules_where_they_are_forbidden_or_in_quiet_hours() -> None:
    stage = Stage(about_rules=False)
    run(stage.teller.run_once())
    assert stage.pauses_planned == 0
    stage = Stage(quiet="22:00-07:00 UTC")
    stage.time = NOW.replace(hour=23)
    run(stage.teller.run_once())
    assert stage.pauses_planned == 0
    stage.time = NOW.replace(hour=7)
    run(stage.teller.run_once())
    assert stage.pauses_planned == 1


def test_a_message_that_was_frozen_is_sent_as_it_is() -> None:
    stage = Stage()
    frozen = Letter("subject", "text/plain", "frozen")
    stage.add(frozen, attempts=3)
    run(stage.teller.run_once())
    assert (stage.written, stage.sent) == ([], [("key-1", frozen)])


def test_what_was_decided_meanwhile_is_dropped_and_what_another_daemon_took_is_left_to_it() -> None:
    stage = Stage()
    stage.gathered = Gathered((), 0, 0.0, 0)
    stage.add()
    run(stage.teller.run_once())
    assert (stage.sent, stage.settled) == ([], [(1, MessageState.DROPPED, None, None)])
    stage = Stage()
    stage.still_ours = False
    stage.add()
    run(stage.teller.run_once())
    assert (stage.sent, stage.settled, stage.facts.of(MessageEnded)) == ([], [], [])


@pytest.mark.parametrize(
    ("answer", "attempts", "state", "retry_seconds"),
    [
        (FAILED, 1, MessageState.OPEN, 5.0),
        (FAILED, 2, MessageState.OPEN, 300.0),
        (FAILED, len(RETRY_SECONDS), MessageState.OPEN, RETRY_SECONDS[-1]),
        (FAILED, len(RETRY_SECONDS) + 1, MessageState.DEAD, None),
        (Delivery(DeliveryOutcome.FAILED, 429, "busy", 900.0), 1, MessageState.OPEN, 900.0),
        (Delivery(DeliveryOutcome.FAILED, 429, "busy", 1.0), 2, MessageState.OPEN, 300.0),
        (Delivery(DeliveryOutcome.REFUSED, 404, "no"), 1, MessageState.OPEN, 5.0),
        (Delivery(DeliveryOutcome.GONE, 410, "gone"), 1, MessageState.DEAD, None),
    ],
)
def test_what_was_not_taken_is_tried_again_for_days_and_then_given_up(
    answer: Delivery, attempts: int, state: MessageState, retry_seconds: float | None
) -> None:
    stage = Stage()
    stage.add(Letter("s", "text/plain", "t"), attempts)
    stage.answers = [answer]
    run(stage.teller.run_once())
    assert stage.settled == [(1, state, answer, retry_seconds)]
    assert stage.facts.of(MessageEnded)[0].reason == answer.reason


def test_quiet_hours_put_off_and_lose_nothing() -> None:
    stage = Stage(quiet="22:00-07:00 UTC")
    stage.add()
    stage.time = NOW.replace(hour=23)
    assert run(stage.teller.run_once()) == timedelta(hours=8).total_seconds()
    assert (stage.sent, stage.slots) == ([], [])
    stage.time = NOW.replace(hour=7)
    run(stage.teller.run_once())
    assert len(stage.sent) == 1


def test_the_last_time_of_a_digest_is_asked_for() -> None:
    stage = Stage(digest="daily 09:00 UTC")
    run(stage.teller.run_once())
    assert stage.slots == [NOW.replace(hour=9)]


def test_how_messages_stand_is_reported_without_those_of_other_settings() -> None:
    stage = Stage()
    run(stage.teller.run_once())
    (counted,) = stage.facts.of(MessagesCounted)
    assert counted.counts == ((DESTINATION.channel, MessageState.DEAD, 2),)
    assert counted.off == (("chat.example", "answered 404"),)


def test_looks_take_a_tenth_of_the_time_at_most() -> None:
    async def check() -> None:
        stage = Stage()
        stage.look_seconds = 0.2
        task = asyncio.create_task(stage.teller.run())
        await settle(lambda: len(stage.activity.waits) >= 2)
        task.cancel()
        assert stage.activity.waits[0] == pytest.approx(0.2 / LARGEST_SHARE_OF_TIME)

    run(check())


def test_what_is_due_does_not_wait_for_the_rest_after_a_look_as_well() -> None:
    async def check() -> None:
        stage = Stage()
        rest = stage.activity.wait

        async def rest_for(seconds: float) -> None:
            stage.clock.seconds += seconds
            await rest(seconds)

        stage.activity.wait = rest_for  # type: ignore[method-assign]
        task = asyncio.create_task(stage.teller.run())
        await settle(lambda: stage.activity.event_waits)
        task.cancel()
        assert stage.activity.event_waits[0] == TIMINGS.telling_seconds - TIMINGS.telling_pace_seconds

    run(check())


def test_what_is_old_is_forgotten_once_an_hour() -> None:
    stage = Stage()
    for minutes in (0, 59, 60):
        stage.time = NOW + timedelta(minutes=minutes)
        run(stage.teller.run_once())
    assert stage.pruned_at == [NOW, NOW + timedelta(hours=1)]


def test_an_outage_is_waited_out() -> None:
    async def check() -> None:
        stage = Stage()
        stage.fault = DatabaseUnavailable("down")
        stage.add()
        task = asyncio.create_task(stage.teller.run())
        await settle(lambda: len(stage.activity.waits) >= len(OUTAGE_WAITS))
        assert stage.activity.waits[: len(OUTAGE_WAITS)] == OUTAGE_WAITS
        stage.fault = None
        await settle(lambda: stage.sent)
        task.cancel()

    run(check())


def test_looks_are_paced_and_end_when_something_is_due_or_woken() -> None:
    async def check() -> None:
        stage = Stage()
        task = asyncio.create_task(stage.teller.run())
        await settle(lambda: len(stage.activity.event_waits) >= 2)
        assert set(stage.activity.waits) == {TIMINGS.telling_pace_seconds}
        assert set(stage.activity.event_waits) == {TIMINGS.telling_seconds}
        stage.add()
        stage.teller.wake()
        await settle(lambda: stage.sent)
        task.cancel()

    run(check())
