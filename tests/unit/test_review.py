"""What a person may write, and what the review makes of the entries in its store."""

from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pattern_sync.domain.batches import DecidedItem, ItemOutcome, Seen
from pattern_sync.domain.decision import (
    LONGEST_REVIEWER,
    LONGEST_TEXT,
    Decision,
    ReviewAction,
    ReviewResult,
    Verdict,
    check_comment,
    check_reviewer,
)
from pattern_sync.domain.entry import Found, HistoryItem, Place, QueueCounts, QueueEntry, Status
from pattern_sync.domain.errors import (
    AlreadyDecided,
    DatabaseUnavailable,
    DecisionRefused,
    InvalidInput,
    OutcomeUnknown,
    StatementFailed,
    UnknownPattern,
)
from pattern_sync.domain.explanation import Explanation
from pattern_sync.domain.facts import Fact, ReviewActed
from pattern_sync.domain.listing import Listing
from pattern_sync.domain.snoozing import Wish
from pattern_sync.domain.text import is_storable
from pattern_sync.review import Decisions, Review, Snoozing
from tests.support.asynchronous import run
from tests.support.fakes import RecordedFacts
from tests.support.records import entry

DECIDED_AT = datetime(2026, 11, 23, 6, 43, 27, 123456, tzinfo=UTC)
UNSTORABLE = ["a\0b", "\0", "\ud800", "\udfff", "a\udc00b"]


class Lost:
    """A store that writes, and is lost when what was written is read back."""

    async def find_entries(self, _: Sequence[str]) -> list[QueueEntry]:
        raise DatabaseUnavailable("lost")

    async def decide_many(
        self, signatures: Sequence[str], *_: object, **__: bool
    ) -> tuple[int | None, list[tuple[DecidedItem, float]]]:
        return 1, [(DecidedItem(name, ItemOutcome.DECIDED, None, None, None, None), 1.0) for name in signatures]

    async def snooze(self, *_: object) -> str:
        return "snoozed"

    async def wake(self, _: str) -> None:
        return


LOST: Any = Lost()


class FakeStore:
    """Entries in memory, in the given order; `asked` records every queried signature."""

    def __init__(self, *entries: QueueEntry) -> None:
        self.entries = {item.pattern_id: item for item in entries}
        self.comments: list[tuple[str, str, str]] = []
        self.asked: list[str] = []
        self.refuses: str | None = None  # with this message; "" is a silent refusal

    def _refuse(self) -> None:
        if self.refuses:
            raise StatementFailed(self.refuses)

    async def list_entries(self, listing: Listing, limit: int) -> list[Found]:
        found = [item for item in self.entries.values() if item.status in {listing.status, "gone"}]
        return [
            Found(Place(item.impact_score, item.pattern_id), None if item.status == "gone" else item)
            for item in found[listing.skipped : listing.skipped + limit]
        ]

    async def count_listed(self, listing: Listing) -> int | None:
        return sum(item.status == listing.status for item in self.entries.values())

    async def find_entries(self, pattern_ids: Sequence[str]) -> list[QueueEntry]:
        self.asked.extend(pattern_ids)
        return [self.entries[name] for name in pattern_ids if name in self.entries]

    async def count_entries(self) -> QueueCounts:
        return QueueCounts(len(self.entries), 0, 0, 0, 0, len(self.entries), 0.0, None)

    async def history(self, pattern_id: str) -> list[HistoryItem]:
        self.asked.append(pattern_id)
        return []

    async def decide_many(
        self, signatures: Sequence[str], decision: Decision, _seen: Seen, *, waits: bool, dry_run: bool
    ) -> tuple[int | None, list[tuple[DecidedItem, float]]]:
        assert waits
        assert not dry_run
        (pattern_id,) = signatures
        self.asked.append(pattern_id)
        outcome = self._decide(pattern_id, decision)
        return 1, [(DecidedItem(pattern_id, outcome, None, None, None, self.refuses or None), 0.0)]

    def _decide(self, pattern_id: str, decision: Decision) -> ItemOutcome:
        if self.refuses is not None:
            return ItemOutcome.REFUSED
        standing = self.entries.get(pattern_id)
        if standing is None:
            return ItemOutcome.UNKNOWN
        if standing.status != decision.replaces:
            return ItemOutcome.TAKEN
        self.entries[pattern_id] = replace(standing, status=decision.verdict, reviewed_by=decision.reviewer)
        return ItemOutcome.DECIDED

    async def comment(self, pattern_id: str, reviewer: str, comment: str) -> bool | None:
        self.asked.append(pattern_id)
        if self.refuses is not None:
            self._refuse()
            return None
        self.comments.append((pattern_id, reviewer, comment))
        return pattern_id in self.entries

    async def explain(self, pattern_id: str) -> Explanation:
        self.asked.append(pattern_id)
        known = self.entries.get(pattern_id)
        status = known.status if known else None
        return Explanation(pattern_id, known is not None, None, eligible=True, entry_status=status, criteria=())


@pytest.mark.parametrize("text", UNSTORABLE)
def test_text_that_a_database_cannot_store_is_recognised(text: str) -> None:
    assert not is_storable(text)
    for refused in (
        lambda: Decision(Verdict.APPROVED, notes=text),
        lambda: Decision(Verdict.REJECTED, notes=text),
        lambda: Decision(Verdict.APPROVED, reviewer=text),
        lambda: check_comment(text),
        lambda: check_reviewer(text),
    ):
        with pytest.raises(InvalidInput, match="cannot be stored"):
            refused()


@given(st.text(st.characters(exclude_categories=())))
def test_all_utf8_text_without_nul_can_be_stored(text: str) -> None:
    try:
        fits = "\0" not in text.encode().decode()
    except UnicodeEncodeError:
        fits = False
    assert is_storable(text) is fits


@pytest.mark.parametrize("blank", [None, "", "  ", "\n\t\u2003"])
def test_blank_notes_are_none_and_a_blank_reviewer_is_the_system(blank: str | None) -> None:
    decision = Decision(Verdict.APPROVED, blank, blank)
    assert (decision.notes, decision.reviewer, decision.replaces) == (None, "system", Status.PENDING)


@pytest.mark.parametrize("blank", [None, "", "  ", "\n\t\u2003"])
def test_a_rejection_needs_a_reason(blank: str | None) -> None:
    with pytest.raises(InvalidInput, match="reason is blank"):
        Decision(Verdict.REJECTED, blank, "ann")


@pytest.mark.parametrize("blank", ["", "  ", "\n\t\u2003"])
def test_a_blank_comment_is_refused(blank: str) -> None:
    with pytest.raises(InvalidInput, match="comment is blank"):
        check_comment(blank)


@pytest.mark.parametrize("typed", ["REJECTED: no", "rejected:no", "  Rejected:  no ", "no"])
def test_a_typed_rejected_prefix_is_not_doubled(typed: str) -> None:
    assert Decision(Verdict.REJECTED, typed).notes == "no"
    assert Decision(Verdict.REJECTED, "REJECTED: REJECTED: no").notes == "REJECTED: no"
    with pytest.raises(InvalidInput, match="reason is blank"):
        Decision(Verdict.REJECTED, "REJECTED: ")


def test_the_notes_of_an_approval_are_kept_unchanged() -> None:
    assert Decision(Verdict.APPROVED, "REJECTED: by mistake").notes == "REJECTED: by mistake"


def test_whitespace_around_a_text_is_dropped_and_within_it_kept() -> None:
    decision = Decision(Verdict.REJECTED, " two  words\n", "\tann lee ")
    assert (decision.notes, decision.reviewer) == ("two  words", "ann lee")
    assert check_comment("  a\n\nb ") == "a\n\nb"


def test_texts_up_to_the_limit_are_kept_and_longer_ones_refused_with_both_lengths() -> None:
    assert len(check_comment("x" * LONGEST_TEXT + " ")) == 10_000
    assert len(check_reviewer("x" * LONGEST_REVIEWER)) == 255
    with pytest.raises(InvalidInput, match=r"comment has 10,001 characters; at most 10,000"):
        check_comment("x" * 10_001)
    with pytest.raises(InvalidInput, match=r"reviewer has 256 characters; at most 255"):
        Decision(Verdict.APPROVED, reviewer="x" * 256)
    with pytest.raises(InvalidInput, match=r"^reason has"):
        Decision(Verdict.REJECTED, "x" * 10_001)
    with pytest.raises(InvalidInput, match=r"^notes has"):
        Decision(Verdict.APPROVED, "x" * 10_001)


@pytest.mark.parametrize(("limit", "more"), [(1, True), (2, True), (3, False), (4, False)])
def test_a_page_knows_whether_another_follows(limit: int, *, more: bool) -> None:
    store = FakeStore(entry("a", impact=3), entry("b", impact=2), entry("c", impact=2), entry("d", "approved"))
    page = run(Review(store).page(Listing(), limit))
    assert [item.pattern_id for item in page.entries] == ["a", "b", "c"][:limit]
    last = page.entries[-1]
    assert page.next == (Place(last.impact_score, last.pattern_id) if more else None)


def test_an_empty_list_has_one_empty_page() -> None:
    page = run(Review(FakeStore()).page(Listing(), 20))
    assert (page.entries, page.next) == ((), None)


def test_an_entry_that_was_decided_meanwhile_leaves_a_gap_and_ends_no_page() -> None:
    store = FakeStore(entry("a", impact=3), entry("b", "gone", impact=2), entry("c", impact=1))
    page = run(Review(store).page(Listing(), 2))
    assert [item.pattern_id for item in page.entries] == ["a"]
    assert page.next == Place(2, "b")


def test_a_decision_returns_the_decided_entry() -> None:
    decided = run(Review(FakeStore(entry("a"))).decide("a", Decision(Verdict.APPROVED, reviewer="ann")))
    assert (decided.status, decided.reviewed_by) == ("approved", "ann")


def test_a_decision_whose_entry_cannot_be_read_afterwards_is_in_doubt() -> None:
    class LostAfterwards(FakeStore):
        async def find_entries(self, pattern_ids: Sequence[str]) -> list[QueueEntry]:
            raise DatabaseUnavailable(f"lost before {pattern_ids}")

    store = LostAfterwards(entry("a"))
    with pytest.raises(OutcomeUnknown):
        run(Review(store).decide("a", Decision(Verdict.APPROVED)))
    assert store.entries["a"].status == "approved"


@pytest.mark.parametrize(
    ("standing", "replaces", "words"),
    [
        (
            replace(entry("a:b", "approved"), reviewed_by="ann", reviewed_at=DECIDED_AT),
            Status.PENDING,
            "'a:b' was approved by ann on 2026-11-23 at 06:43:27 UTC.",
        ),
        (entry("a:b", "auto-rejected"), Status.PENDING, "'a:b' was auto-rejected by a rule."),
        (entry("a:b", "rejected"), Status.PENDING, "'a:b' was rejected by an unknown reviewer."),
        (entry("a:b"), Status.APPROVED, "'a:b' is pending, not approved; there is no decision to replace."),
    ],
)
def test_a_second_decision_is_refused_with_the_standing_one(standing: QueueEntry, replaces: Status, words: str) -> None:
    with pytest.raises(AlreadyDecided) as caught:
        run(Review(FakeStore(standing)).decide("a:b", Decision(Verdict.APPROVED, replaces=replaces)))
    assert str(caught.value) == words
    assert caught.value.entry == standing


def test_a_signature_without_an_entry_is_unknown() -> None:
    review = Review(FakeStore())
    for asked in (
        review.entry("x"),
        review.history("x"),
        review.explain("x"),
        review.decide("x", Decision(Verdict.APPROVED)),
        review.comment("x", "text", None),
    ):
        with pytest.raises(UnknownPattern, match="'x'"):
            run(asked)


@pytest.mark.parametrize("name", UNSTORABLE)
def test_a_signature_that_no_database_can_store_is_unknown_without_a_query(name: str) -> None:
    store = FakeStore()
    review = Review(store)
    for asked in (
        review.entry(name),
        review.history(name),
        review.explain(name),
        review.decide(name, Decision(Verdict.APPROVED)),
        review.comment(name, "text", None),
    ):
        with pytest.raises(UnknownPattern):
            run(asked)
    assert store.asked == []


def test_a_comment_is_noted_under_a_name() -> None:
    store = FakeStore(entry("a"))
    assert run(Review(store).comment("a", " text ", "  ")) == "system"
    assert run(Review(store).comment("a", "text", " ann ")) == "ann"
    assert store.comments == [("a", "system", "text"), ("a", "ann", "text")]


@pytest.mark.parametrize("said", ["decision", "comment"])
def test_a_silently_dropped_decision_is_reported(said: str) -> None:
    store = FakeStore(entry("a:b"))
    store.refuses = ""
    with pytest.raises(DecisionRefused) as caught:
        run(say(Review(store), said))
    assert str(caught.value) == (
        f"A trigger or policy of the application refused the {said} on 'a:b'; nothing was written."
    )


@pytest.mark.parametrize("said", ["decision", "comment"])
def test_a_refused_decision_is_reported_with_and_without_the_servers_message(said: str) -> None:
    store = FakeStore(entry("a:b"))
    store.refuses = "no ticket (SQLSTATE P0001)"
    with pytest.raises(DecisionRefused) as caught:
        run(say(Review(store), said))
    sentence = f"The database refused the {said} on 'a:b'; nothing was written."
    assert str(caught.value) == f"{sentence} The database reports: no ticket (SQLSTATE P0001)"
    assert (caught.value.sentence, caught.value.words) == (sentence, store.refuses)


def say(review: Review, said: str) -> Coroutine[Any, Any, object]:
    return (
        review.comment("a:b", "text", None) if said == "comment" else review.decide("a:b", Decision(Verdict.APPROVED))
    )


@pytest.mark.parametrize(
    ("store", "attempt", "emitted"),
    [
        (FakeStore(entry("a:b")), "decision", ReviewActed(ReviewAction.APPROVE, ReviewResult.DONE)),
        (FakeStore(entry("a:b", "rejected")), "decision", ReviewActed(ReviewAction.APPROVE, ReviewResult.CONFLICT)),
        (FakeStore(), "decision", ReviewActed(ReviewAction.APPROVE, ReviewResult.UNKNOWN)),
        (FakeStore(entry("a:b")), "comment", ReviewActed(ReviewAction.COMMENT, ReviewResult.DONE)),
        (FakeStore(), "comment", ReviewActed(ReviewAction.COMMENT, ReviewResult.UNKNOWN)),
    ],
)
def test_each_attempt_is_a_fact_with_its_result(store: FakeStore, attempt: str, emitted: Fact) -> None:
    facts = RecordedFacts()
    with suppress(AlreadyDecided, UnknownPattern):
        run(say(Review(store, facts), attempt))
    assert facts == [emitted]


def test_a_refusal_and_a_lost_database_are_told_apart() -> None:
    facts = RecordedFacts()
    store = FakeStore(entry("a:b"))
    store.refuses = "no ticket"
    with pytest.raises(DecisionRefused):
        run(Review(store, facts).decide("a:b", Decision(Verdict.REJECTED, "no")))

    async def lost(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("down")

    store.decide_many = lost  # type: ignore[method-assign, assignment]
    with pytest.raises(DatabaseUnavailable):
        run(Review(store, facts).decide("a:b", Decision(Verdict.REJECTED, "no")))
    results = [ReviewResult.REFUSED, ReviewResult.FAILED]
    assert facts == [ReviewActed(ReviewAction.REJECT, result) for result in results]


@pytest.mark.parametrize(
    "write",
    [
        lambda: Decisions(LOST).decide_many(["a"], Decision(Verdict.APPROVED)),
        lambda: Snoozing(LOST).snooze("a", Wish(until_doubled=True)),
        lambda: Snoozing(LOST).wake("a"),
    ],
    ids=["many", "snooze", "wake"],
)
def test_nobody_is_told_that_nothing_was_written_after_it_was(write: Callable[[], Coroutine[Any, Any, object]]) -> None:
    with pytest.raises(OutcomeUnknown):
        run(write())


def test_a_rehearsal_has_written_nothing_whatever_is_lost() -> None:
    with pytest.raises(DatabaseUnavailable) as fault:
        run(Decisions(LOST).decide_many(["a"], Decision(Verdict.APPROVED), dry_run=True))
    assert not isinstance(fault.value, OutcomeUnknown)
