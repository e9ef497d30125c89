"""The review's store, over either driver."""

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from pattern_sync.database.learning import LearningGateway
from pattern_sync.database.naming import READERS_CHANNEL
from pattern_sync.database.rows.decisions import decision_arguments, to_decided, to_undone
from pattern_sync.database.rows.filters import filter_arguments, to_filter_in_force
from pattern_sync.database.rows.reviews import (
    listing_arguments,
    order_arguments,
    to_counts,
    to_entry,
    to_explanation,
    to_found,
    to_groups,
    to_history,
    to_statistics,
)
from pattern_sync.domain.batches import Batch, DecidedItem, LoggedDecision, Seen, UndoneItem
from pattern_sync.domain.decision import Decision
from pattern_sync.domain.entry import Found, HistoryItem, QueueCounts, QueueEntry, Status
from pattern_sync.domain.errors import NothingLearned, NotReadyYet
from pattern_sync.domain.explanation import Explanation
from pattern_sync.domain.groups import Groups
from pattern_sync.domain.listing import Grouping, Listing, Sort
from pattern_sync.domain.snoozing import Wish
from pattern_sync.domain.statistics import SyncStatistics
from pattern_sync.learning import Learning


class Fetch(Protocol):
    """Runs a named statement; over a blocking connection it never suspends."""

    def __call__(self, name: str, /, *arguments: object) -> Awaitable[Sequence[Mapping[str, Any]]]:
        """Return the rows."""


class ReviewGateway:
    """Runs the review's statements; every method raises DatabaseError or SchemaError.

    `keeps_traits` is for a program beside which no daemon may run: what is found in a queue of any length is then
    brought up to date first.
    """

    def __init__(self, fetch: Fetch, *, keeps_traits: bool = False) -> None:
        self._fetch = fetch
        self._keeps_traits = keeps_traits

    async def first_entries(self, limit: int) -> list[QueueEntry]:
        """Return the first pending entries, best impact first."""
        return [found.entry for found in await self.list_entries(Listing(), limit) if found.entry is not None]

    async def list_entries(self, listing: Listing, limit: int) -> list[Found]:
        """Return what a list finds. Raises NotReadyYet before every entry can be found, and NothingLearned."""
        if listing.needs_traits:
            await self._prepare_to_find()
        await self._check_sort(listing)
        arguments = (*listing_arguments(listing), *order_arguments(listing, limit))
        return [to_found(row) for row in await self._fetch("listed", *arguments)]

    async def count_listed(self, listing: Listing) -> int | None:
        """Return how many entries a list has in all; None before every entry can be found."""
        total: int | None = (await self._fetch("count_listed", *listing_arguments(listing)))[0]["total"]
        return total

    async def select(self, listing: Listing, limit: int) -> tuple[list[str], Mapping[str, Any]]:
        """Return the names of what a list finds, and the number and the sums of all; raises as `list_entries` does."""
        await self._prepare_to_find()
        await self._check_sort(listing)
        asked = listing_arguments(listing)
        rows = await self._fetch("listed_ids", *asked, *order_arguments(listing, limit))
        return [row["pattern_id"] for row in rows], (await self._fetch("sum_listed", *asked))[0]

    async def groups(self, listing: Listing, grouping: Grouping, limit: int) -> Groups:
        """Return the groups of a list, those worth most first. Raises NotReadyYet."""
        await self._prepare_to_find()
        return to_groups(await self._fetch("groups", *listing_arguments(listing), grouping, limit))

    async def of_the_same_kind(self, signature: str, status: Status, limit: int) -> list[tuple[str, str]]:
        """Return one entry and those of its kind, with their shapes: the one that is asked for first."""
        await self._prepare_to_find()
        rows = await self._fetch("of_the_same_kind", signature, status, limit)
        return [(row["pattern_id"], row["shape"]) for row in rows]

    async def keep_traits(self, signatures: Sequence[str] | None, most: int | None) -> int | None:
        """Bring the traits of some entries, or of all, up to date; None if another daemon is at work on all."""
        named = None if signatures is None else list(signatures)
        kept: int | None = (await self._fetch("keep_traits", named, most))[0]["kept"]
        return kept

    async def _prepare_to_find(self) -> None:
        if not (await self._fetch("prepare_to_find", self._keeps_traits))[0]["can_find"]:
            raise NotReadyYet(
                "The queue is being prepared for searches and sorts; that takes a minute at first. Try again soon."
            )

    async def _check_sort(self, listing: Listing) -> None:
        if listing.order.sort is Sort.EXPECTED and not (await self._fetch("shows_likelihoods"))[0]["shown"]:
            standing = await Learning(LearningGateway(self._fetch)).standing()
            raise NothingLearned(f"There is no order `expected` now: {standing.words}. Another one is `evidence`.")

    async def find_entries(self, signatures: Sequence[str]) -> list[QueueEntry]:
        """Return the entries of these patterns, best impact first."""
        return [to_entry(row) for row in await self._fetch("entries", list(signatures))]

    async def count_entries(self) -> QueueCounts:
        """Return how many entries there are in each status."""
        return to_counts((await self._fetch("queue_counts"))[0])

    async def fingerprint(self) -> str:
        """Return a value that changes with every change of an entry or of the history."""
        return str((await self._fetch("queue_fingerprint"))[0]["fingerprint"])

    async def tell_readers(self, payload: str) -> None:
        """Tell every replica who reads what at this daemon's pages."""
        await self._fetch("ping", READERS_CHANNEL, payload)

    async def notify_pages(self, written: Mapping[str, str] | None) -> None:
        """Notify the review pages, here and at every replica, of what a reconcile has written; None for everything."""
        queued, refreshed = (
            [signature for signature, change in (written or {}).items() if change == kind]
            for kind in ("queued", "refreshed")
        )
        await self._fetch("notify_pages", queued, refreshed, written is None)

    async def history(self, signature: str) -> list[HistoryItem]:
        """Return decisions and comments, oldest first."""
        return to_history(await self._fetch("history", signature))

    async def decide_many(
        self, signatures: Sequence[str], decision: Decision, seen: Seen, *, waits: bool, dry_run: bool
    ) -> tuple[int | None, list[tuple[DecidedItem, float]]]:
        """Decide these entries; return the batch, None without one, and for each its outcome and its claimed savings.

        It `waits` for locks; otherwise what somebody has locked is busy.
        """
        arguments = decision_arguments(signatures, decision, seen, waits=waits, dry_run=dry_run)
        return to_decided(await self._fetch("decide_many", *arguments))

    async def undo(self, batch_id: int, reviewer: str) -> list[UndoneItem]:
        """Undo a batch; return the outcomes, none if it is unknown, too old or undone."""
        return to_undone(await self._fetch("undo_batch", batch_id, reviewer))

    async def batches(self, reviewer: str | None, batch_id: int | None, limit: int) -> list[Batch]:
        """Return the last batches, or the one with an id, newest first."""
        return [Batch(**row) for row in await self._fetch("batches", reviewer, batch_id, limit)]

    async def log(self, reviewer: str | None, since: datetime | None, limit: int, skipped: int) -> list[LoggedDecision]:
        """Return the last decisions after the skipped ones, newest first."""
        return [LoggedDecision(**row) for row in await self._fetch("decision_log", reviewer, since, limit, skipped)]

    async def decided_since(self, since: datetime | None) -> dict[str, int]:
        """Return how many decisions each reviewer has made since a moment, or today, that were not undone."""
        return {row["reviewer"]: row["decided"] for row in await self._fetch("decided_since", since)}

    async def snooze(self, signature: str, wish: Wish) -> str:
        """Snooze a pending entry; return `snoozed`, `zero` if no savings can double, `none` without such an entry."""
        arguments = (signature, wish.until, wish.until_doubled, wish.reviewer, wish.reason)
        return str((await self._fetch("snooze", *arguments))[0]["outcome"])

    async def wake(self, signature: str) -> None:
        """End the snooze of an entry, if there is one."""
        await self._fetch("wake", signature)

    async def comment(self, signature: str, reviewer: str, comment: str) -> bool | None:
        """Write a comment; False if there is no such entry, None if it was kept out."""
        row = (await self._fetch("comment", signature, reviewer, comment))[0]
        return None if row["noted"] is None else bool(row["noted"])

    async def explain(self, signature: str) -> Explanation:
        """Return what is known about a pattern, by the filter in force."""
        in_force = to_filter_in_force(await self._fetch("read_filter"))
        rows = await self._fetch("explain", *filter_arguments(in_force), signature)
        return to_explanation(signature, in_force, rows[0])

    async def statistics(self) -> SyncStatistics:
        """Return how many patterns the source and the queue have."""
        return to_statistics((await self._fetch("statistics"))[0])
