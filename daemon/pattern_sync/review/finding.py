"""Finding: lists of the queue, their groups, all that a list finds, and entries that are like one."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Protocol

from pattern_sync.domain.batches import MOST_TOGETHER
from pattern_sync.domain.entry import QueueEntry, Status
from pattern_sync.domain.groups import Groups, Selection, SimilarEntry, differences_of, tools_of
from pattern_sync.domain.listing import Grouping, Listing, Order, Sort
from pattern_sync.domain.text import is_storable
from pattern_sync.review.queue import Review, unknown

_LARGEST = 5
# Of one kind, at most so many are compared, best impact first.
_MOST_COMPARED = 2_000
_PAGE = 500


class FindingStore(Protocol):
    """What finding needs from the database besides the review's."""

    async def select(self, listing: Listing, limit: int) -> tuple[list[str], Mapping[str, Any]]: ...
    async def groups(self, listing: Listing, grouping: Grouping, limit: int) -> Groups: ...
    async def of_the_same_kind(self, signature: str, status: Status, limit: int) -> list[tuple[str, str]]: ...
    async def find_entries(self, signatures: Sequence[str]) -> list[QueueEntry]: ...


class Finding:
    """What is in the queue, by other means than its order. Every method raises NotReadyYet."""

    def __init__(self, store: FindingStore, review: Review) -> None:
        self._store = store
        self._review = review

    async def groups(self, listing: Listing, grouping: Grouping, limit: int) -> Groups:
        """Return the groups of a list, those worth most first."""
        return await self._store.groups(listing, grouping, limit)

    async def selection(self, listing: Listing, limit: int = MOST_TOGETHER) -> Selection:
        """Return the names of all that a list finds, in its order, as a decision takes them."""
        ids, sums = await self._store.select(listing, limit)
        largest = await self._review.page(replace(listing, order=Order(Sort.SAVINGS), after=None, skipped=0), _LARGEST)
        return Selection(tuple(ids), sums["entries"], sums["savings"], sums["evidence"], largest.entries)

    async def similar(self, signature: str, limit: int) -> list[SimilarEntry]:
        """Return the pending entries of the same kind whose tools are mostly the same, best impact first.

        Raises UnknownPattern if the queue has no such entry.
        """
        if not is_storable(signature):
            raise unknown(signature)
        of_kind = await self._store.of_the_same_kind(signature, Status.PENDING, _MOST_COMPARED)
        if not of_kind:
            await self._review.entry(signature)
            return []
        (_, shape), *others = of_kind
        alike = differences_of(tools_of(shape), ((name, tools_of(other)) for name, other in others))
        differences = dict(islice(alike, limit))
        found = {entry.pattern_id: entry for entry in await self._store.find_entries(list(differences))}
        return [SimilarEntry(found[name], difference) for name, difference in differences.items() if name in found]

    async def everything(self, listing: Listing) -> AsyncIterator[tuple[QueueEntry, ...]]:
        """Yield all entries of a list, page by page."""
        place = listing
        while True:
            page = await self._review.page(place, _PAGE)
            yield page.entries
            if page.next is None:
                return
            place = replace(place, after=page.next, skipped=0)
