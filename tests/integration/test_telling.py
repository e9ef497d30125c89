"""Messages to people: what is told, once, in which order, whoever dies in between."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

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
)
from tests.support.asynchronous import run
from tests.support.database import TestDatabase

pytestmark = pytest.mark.lived_in_too

Answer = TypeVar("Answer")

CHANNELS = ("one", "two")
LETTER = Letter("subject", "application/json", '{"a": "→"}')
DELIVERED = Delivery(DeliveryOutcome.DELIVERED, 204)
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
    failed = Delivery(DeliveryOutcome.FAILED, 503, "answered 503")
    assert outbox.settle(claimed, failed, MessageState.OPEN, 300)
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
