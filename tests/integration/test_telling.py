"""Messages to people: what is told, once, in which order, whoever dies in between."""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import psycopg
import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.connector import Connector
from pattern_sync.database.pool import Pool
from pattern_sync.database.statements import load_statements
from pattern_sync.database.telling import TellingGateway
from pattern_sync.domain.messages import (
    ClaimedMessage,
    Delivery,
    DeliveryOutcome,
    Gathered,
    Letter,
    MessageKind,
    MessageState,
    ToldPause,
)
from pattern_sync.domain.rules import RuleVerdict
from tests.support.asynchronous import run
from tests.support.database import TestDatabase

pytestmark = pytest.mark.lived_in_too

Answer = TypeVar("Answer")

CHANNELS = ("one", "two")
LETTER = Letter("subject", "application/json", '{"a": "→"}')
DELIVERED = Delivery(DeliveryOutcome.DELIVERED, 204)
FAILED = Delivery(DeliveryOutcome.FAILED, 503, "answered 503")
TERMS = {
    "wait_hours": 24,
    "per_day": 20,
    "check_share": 0.1,
    "agreement": 0.95,
    "verdict": "approve",
    "max_savings": 500,
}
TERMS |= dict.fromkeys(("only_kinds", "exclude_kinds", "needs_tools", "without_tools", "allow_flags"), ())
LEASE_SECONDS = 60.0


class Outbox:
    """The outbox of a database, each call on a pool of its own."""

    def __init__(self, database: TestDatabase) -> None:
        self.database = database

    def keep(self) -> None:
        self.database.execute("SELECT pattern_sync.keep_traits(NULL, NULL)")

    def plan(
        self,
        channels: Sequence[str] = CHANNELS[:1],
        min_savings: float = 10_000,
        wait_seconds: float = 0,
        every_seconds: float = 0,
        slot: datetime | None = None,
    ) -> float | None:
        self.keep()

        async def go(store: TellingGateway) -> float | None:
            return await store.plan(channels, min_savings, wait_seconds, every_seconds, slot)

        return self.call(go)

    def claim(self, channels: Sequence[str] = CHANNELS[:1], lease_seconds: float = LEASE_SECONDS) -> ClaimedMessage:
        claimed = self.try_claim(channels, lease_seconds)
        assert claimed is not None
        return claimed

    def try_claim(
        self, channels: Sequence[str] = CHANNELS[:1], lease_seconds: float = LEASE_SECONDS
    ) -> ClaimedMessage | None:
        return self.call(lambda store: store.claim(channels, lease_seconds))

    def gather(self, claimed: ClaimedMessage, min_savings: float = 10_000) -> Gathered:
        return self.call(lambda store: store.gather(claimed, min_savings))

    def pause(self, *rules: str, because: str = "nobody looked") -> None:
        """Have these rules be on, and pause all of them at the same moment."""
        for rule in rules:
            self.database.execute("SELECT pattern_sync.set_rule(%s, 0, %s, 'ann')", rule, json.dumps(TERMS))
            self.database.execute("SELECT pattern_sync.switch_rule(%s, 1, 'on', 'ann')", rule)
        self.database.execute(
            "SELECT pattern_sync.pause_rule(name, 1, %s, 'system') FROM unnest(%s::text[]) AS name",
            because,
            list(rules),
        )

    def plan_pauses(self, channels: Sequence[str] = CHANNELS[:1], wait_seconds: float = 0) -> float | None:
        """Plan as a daemon does, and return in how many seconds something may be sent."""
        self.call(lambda store: store.plan_pauses(channels, wait_seconds))
        return self.plan(channels)

    def gather_pauses(self, claimed: ClaimedMessage) -> list[ToldPause]:
        assert claimed.kind is MessageKind.RULE_PAUSED
        return self.call(lambda store: store.gather_pauses(claimed))

    def tell_pauses(self, channels: Sequence[str] = CHANNELS[:1]) -> list[ToldPause]:
        """Tell of the pauses that there are, over one of some channels."""
        self.plan_pauses(channels)
        claimed = self.claim(channels)
        told = self.gather_pauses(claimed)
        assert self.freeze(claimed)
        assert self.settle(claimed)
        return told

    def freeze(self, claimed: ClaimedMessage, letter: Letter = LETTER) -> bool:
        return self.call(lambda store: store.freeze(claimed, letter))

    def settle(
        self,
        claimed: ClaimedMessage,
        delivery: Delivery | None = DELIVERED,
        state: MessageState = MessageState.SENT,
        retry_seconds: float | None = None,
    ) -> bool:
        return self.call(lambda store: store.settle(claimed, state, delivery, retry_seconds))

    def tell(self) -> Gathered:
        """Send what there is to tell, over one channel."""
        self.plan()
        claimed = self.claim()
        gathered = self.gather(claimed)
        assert self.freeze(claimed)
        assert self.settle(claimed)
        return gathered

    def call(self, call: Callable[[TellingGateway], Awaitable[Answer]]) -> Answer:
        async def go() -> Answer:
            async with Pool(Connector(DatabaseAddress.parse(self.database.url), load_statements())) as pool:
                return await call(TellingGateway(pool.lane("telling", 1).fetch))

        return run(go())


@pytest.fixture
def outbox(database: TestDatabase) -> Outbox:
    database.empty("pattern_approvals")
    return Outbox(database)


def test_what_is_worth_much_is_told_once_best_first(outbox: Outbox) -> None:
    for name, savings in {"small": 9_999, "large": 50_000, "larger": 60_000}.items():
        outbox.database.add_entry(name, estimated_savings_usd=savings)
    outbox.database.add_entry("decided", "approved", estimated_savings_usd=90_000)
    assert outbox.plan() == 0
    claimed = outbox.claim()
    assert (claimed.kind, claimed.channel, claimed.letter, claimed.attempts) == (
        MessageKind.HIGH_VALUE,
        "one",
        None,
        1,
    )
    assert outbox.gather(claimed) == Gathered(("larger", "large"), 2, 110_000, 0)
    assert outbox.freeze(claimed)
    assert outbox.settle(claimed)
    assert outbox.plan() is None
    outbox.database.add_entry("later", estimated_savings_usd=20_000)
    assert outbox.tell() == Gathered(("later",), 1, 20_000, 0)
    outbox.database.execute(
        "UPDATE pattern_approvals SET estimated_savings_usd = 200000 WHERE pattern_id IN ('later', 'large')"
    )
    assert outbox.tell().signatures == ("later",)


def test_evidence_counts_where_there_is_any_and_what_is_snoozed_waits(outbox: Outbox) -> None:
    outbox.database.add_entry("claimed", estimated_savings_usd=90_000)
    outbox.database.add_entry("asleep", estimated_savings_usd=90_000)
    outbox.keep()
    outbox.database.execute("UPDATE pattern_sync.traits SET evidence = 20 WHERE pattern_id = 'claimed'")
    outbox.database.execute(
        "INSERT INTO pattern_sync.snoozes (pattern_id, reviewer, until)"
        " VALUES ('asleep', 'ann', now() + interval '1 d')"
    )
    assert outbox.plan() is None
    outbox.database.execute("DELETE FROM pattern_sync.snoozes")
    assert outbox.tell().signatures == ("asleep",)


def test_each_channel_is_told_by_itself(outbox: Outbox) -> None:
    outbox.database.add_entry("a", estimated_savings_usd=90_000)
    outbox.plan(CHANNELS)
    assert {outbox.claim(CHANNELS).channel for _ in CHANNELS} == set(CHANNELS)
    assert outbox.try_claim(CHANNELS) is None


def test_one_message_gathers_and_the_next_waits_its_time(outbox: Outbox) -> None:
    outbox.database.add_entry("a", estimated_savings_usd=90_000)
    first = outbox.plan(wait_seconds=30, every_seconds=3600)
    assert first is not None
    assert 25 < first <= 30
    outbox.database.add_entry("b", estimated_savings_usd=90_000)
    outbox.plan(wait_seconds=30, every_seconds=3600)
    assert outbox.database.count("pattern_sync.messages") == 1
    assert outbox.try_claim() is None
    outbox.database.execute("UPDATE pattern_sync.messages SET due_at = now()")
    claimed = outbox.claim()
    assert outbox.gather(claimed).count == 2
    outbox.freeze(claimed)
    outbox.settle(claimed)
    outbox.database.add_entry("c", estimated_savings_usd=90_000)
    second = outbox.plan(wait_seconds=30, every_seconds=3600)
    assert second is not None
    assert 3_500 < second <= 3_600


def test_a_sender_that_dies_loses_nothing_and_one_that_wakes_late_changes_nothing(outbox: Outbox) -> None:
    outbox.database.add_entry("a", estimated_savings_usd=90_000)
    outbox.plan()
    dead = outbox.claim(lease_seconds=0)
    assert outbox.gather(dead).count == 1
    outbox.database.add_entry("b", estimated_savings_usd=90_000)
    outbox.keep()
    second = outbox.claim(lease_seconds=0)
    assert second.key == dead.key
    assert outbox.gather(second).signatures == ("a",)
    assert not outbox.freeze(dead)
    assert outbox.freeze(second)
    third = outbox.claim()
    assert third.letter == LETTER
    assert not outbox.settle(second, state=MessageState.DEAD)
    assert outbox.settle(third)
    assert outbox.tell().signatures == ("b",)


def test_what_was_decided_before_it_was_sent_is_not_told(outbox: Outbox) -> None:
    outbox.database.add_entry("a", estimated_savings_usd=90_000)
    outbox.plan()
    outbox.database.execute("UPDATE pattern_approvals SET status = 'approved'")
    outbox.keep()
    claimed = outbox.claim()
    assert outbox.gather(claimed).count == 0
    assert outbox.settle(claimed, None, MessageState.DROPPED)
    assert outbox.plan() is None


def test_a_failed_message_comes_before_those_that_gather(outbox: Outbox) -> None:
    outbox.database.add_entry("a", estimated_savings_usd=90_000)
    outbox.plan()
    claimed = outbox.claim()
    outbox.gather(claimed)
    outbox.freeze(claimed)
    assert outbox.settle(claimed, FAILED, MessageState.OPEN, 300)
    outbox.database.add_entry("b", estimated_savings_usd=90_000)
    due = outbox.plan()
    assert due is not None
    assert 290 < due <= 300
    assert outbox.try_claim() is None
    outbox.database.execute("UPDATE pattern_sync.messages SET due_at = now() WHERE attempts > 0")
    again = outbox.claim()
    assert (again.key, again.letter, again.attempts) == (claimed.key, LETTER, 2)
    assert outbox.settle(again)
    assert outbox.claim().key != claimed.key


@pytest.mark.parametrize(("outcome", "times"), [(DeliveryOutcome.REFUSED, 3), (DeliveryOutcome.GONE, 1)])
def test_a_channel_whose_receiver_refuses_is_off_until_it_is_tried_again(
    outbox: Outbox, outcome: DeliveryOutcome, times: int
) -> None:
    outbox.database.add_entry("a", estimated_savings_usd=90_000)
    outbox.plan()
    refused = Delivery(outcome, 404, "answered 404")
    for _ in range(times):
        assert outbox.plan() == 0
        claimed = outbox.claim()
        outbox.settle(claimed, refused, MessageState.OPEN, 0)
    assert outbox.plan() is None
    assert outbox.try_claim() is None
    assert outbox.call(lambda store: store.retry(claimed.id))
    assert outbox.claim().id == claimed.id


def test_a_digest_is_sent_once_a_slot_after_the_first_message(outbox: Outbox) -> None:
    outbox.database.add_entry("a", estimated_savings_usd=90_000)
    slot = datetime.now(UTC) + timedelta(seconds=1)
    outbox.plan(slot=slot - timedelta(days=1))
    claimed = outbox.claim()
    assert claimed.kind is MessageKind.HIGH_VALUE
    outbox.gather(claimed)
    outbox.settle(claimed)
    outbox.database.execute("UPDATE pattern_approvals SET created_at = now() - interval '8 days'")
    assert outbox.plan(slot=slot) == 0
    digest = outbox.claim()
    assert digest.kind is MessageKind.DIGEST
    assert outbox.gather(digest) == Gathered(("a",), 1, 90_000, 1)
    outbox.settle(digest)
    assert outbox.plan(slot=slot) is None


def test_what_ended_long_ago_and_what_is_gone_is_forgotten(outbox: Outbox) -> None:
    outbox.database.add_entry("a", estimated_savings_usd=90_000)
    outbox.tell()
    outbox.call(lambda store: store.prune())
    assert (outbox.database.count("pattern_sync.messages"), outbox.database.count("pattern_sync.told")) == (1, 1)
    outbox.database.execute("UPDATE pattern_sync.messages SET ended_at = now() - interval '31 days'")
    outbox.database.execute("DELETE FROM pattern_approvals")
    outbox.call(lambda store: store.prune())
    assert (outbox.database.count("pattern_sync.messages"), outbox.database.count("pattern_sync.told")) == (0, 0)


def test_rules_that_are_paused_at_once_are_one_message_for_each_channel_once(outbox: Outbox) -> None:
    outbox.pause("cheap", "junk")
    first, second = outbox.tell_pauses(CHANNELS), outbox.tell_pauses(CHANNELS)
    assert [(each.rule, each.version, each.verdict, each.because) for each in first] == [
        ("cheap", 1, RuleVerdict.APPROVE, "nobody looked"),
        ("junk", 1, RuleVerdict.APPROVE, "nobody looked"),
    ]
    assert second == first, "a pause has one id at every destination"
    assert outbox.plan_pauses(CHANNELS) is None
    assert [each.told for each in outbox.call(lambda store: store.messages(None, 9))] == [2, 2]
    outbox.pause("cheap", because="nobody looked again")
    (again,) = outbox.tell_pauses()
    assert again.because == "nobody looked again"
    assert again.pause_id > first[1].pause_id


def test_a_pause_is_told_soon_whenever_the_last_message_was(outbox: Outbox) -> None:
    outbox.database.add_entry("a", estimated_savings_usd=90_000)
    outbox.tell()
    outbox.database.add_entry("b", estimated_savings_usd=90_000)
    outbox.plan(every_seconds=3_600)
    outbox.pause("cheap")
    due = outbox.plan_pauses(wait_seconds=30)
    assert due is not None
    assert 20 < due <= 30
    outbox.database.execute("UPDATE pattern_sync.messages SET due_at = now() WHERE kind = 'rule_paused'")
    claimed = outbox.claim()
    assert len(outbox.gather_pauses(claimed)) == 1
    outbox.pause("junk")
    assert len(outbox.gather_pauses(claimed)) == 1, "what a message tells of was settled at its first attempt"
    outbox.settle(claimed)
    assert [each.rule for each in outbox.tell_pauses()] == ["junk"]


def test_a_pause_does_not_wait_behind_messages_that_are_not_taken(outbox: Outbox) -> None:
    outbox.database.add_entry("a", estimated_savings_usd=90_000)
    outbox.plan()
    outbox.settle(outbox.claim(), FAILED, MessageState.OPEN, 7_200)
    outbox.pause("cheap")
    assert outbox.plan_pauses() == 0
    claimed = outbox.claim()
    outbox.gather_pauses(claimed)
    outbox.settle(claimed, FAILED, MessageState.OPEN, 300)
    outbox.pause("junk")
    due = outbox.plan_pauses()
    assert due is not None
    assert 290 < due <= 300, "but those of pauses go in their order"


def test_a_rule_that_somebody_has_looked_after_meanwhile_is_not_told(outbox: Outbox) -> None:
    outbox.pause("cheap", "junk")
    outbox.plan_pauses()
    outbox.database.execute("SELECT pattern_sync.switch_rule('cheap', 1, 'on', 'ann')")
    claimed = outbox.claim(lease_seconds=0)
    assert [each.rule for each in outbox.gather_pauses(claimed)] == ["junk"]
    outbox.database.execute("SELECT pattern_sync.switch_rule('junk', 1, 'off', 'ann')")
    claimed = outbox.claim()
    assert outbox.gather_pauses(claimed) == []
    assert outbox.settle(claimed, None, MessageState.DROPPED)
    assert outbox.plan_pauses() is None


def test_a_sender_that_dies_with_a_pause_loses_nothing(outbox: Outbox) -> None:
    outbox.pause("cheap")
    outbox.plan_pauses()
    dead = outbox.claim(lease_seconds=0)
    assert outbox.plan_pauses() == 0, "the one that nobody has gathered is the only one"
    told = outbox.gather_pauses(dead)
    outbox.pause("junk")
    again = outbox.claim()
    assert (again.key, outbox.gather_pauses(again)) == (dead.key, told)
    assert not outbox.freeze(dead)
    assert outbox.freeze(again)
    assert outbox.settle(again)
    assert [each.rule for each in outbox.tell_pauses()] == ["junk"]


def test_a_pause_that_was_rolled_back_is_not_told_and_what_the_rule_had_decided_is(outbox: Outbox) -> None:
    outbox.pause("cheap")
    outbox.database.execute("SELECT pattern_sync.switch_rule('cheap', 1, 'on', 'ann')")
    with psycopg.connect(outbox.database.url) as connection:
        connection.execute("SELECT pattern_sync.pause_rule('cheap', 1, 'no', 'system')")
        connection.rollback()
    assert outbox.plan_pauses() is None
    outbox.database.execute(
        "INSERT INTO pattern_sync.rule_log (rule, version, act, pattern_id, batch_id, at)"
        " SELECT 'cheap', 1, act, n::text, n, now() - n * interval '1 day'"
        " FROM unnest('{decided,decided,reverted,would}'::text[]) AS act, generate_series(1, 8) AS n"
        " WHERE act <> 'reverted' OR n = 1"
    )
    outbox.pause("cheap")
    (told,) = outbox.tell_pauses()
    assert (told.decided, told.taken_back) == (12, 1)


def test_a_pause_of_long_ago_is_no_news(outbox: Outbox) -> None:
    outbox.pause("cheap")
    outbox.tell_pauses()
    long_ago = "UPDATE pattern_sync.{} = now() - interval '31 days'"
    outbox.database.execute(long_ago.format("rule_log SET at"))
    outbox.database.execute(long_ago.format("messages SET ended_at"))
    outbox.call(lambda store: store.prune())
    assert outbox.database.count("pattern_sync.messages") == 0
    assert outbox.plan_pauses(CHANNELS) is None
