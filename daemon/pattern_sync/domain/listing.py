"""Which entries a list shows, and in which order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pattern_sync.domain.entry import Place, Status
from pattern_sync.domain.errors import InvalidInput
from pattern_sync.domain.query import parse_query

MOST_SKIPPED = 1_000_000


class Sort(StrEnum):
    """What a list is sorted by: figures and times largest first, names from A on. What has no value comes last."""

    IMPACT = "impact"
    EVIDENCE = "evidence"
    EXPECTED = "expected"
    SAVINGS = "savings"
    CONFIDENCE = "confidence"
    OCCURRENCES = "occurrences"
    WORKFLOWS = "workflows"
    NAME = "name"
    QUEUED = "queued"
    REVIEWED = "reviewed"
    LAST_SEEN = "last-seen"


class Snoozed(StrEnum):
    """Whether a list shows the entries that somebody wants to see later."""

    SHOW = "show"
    HIDE = "hide"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class Order:
    """A sort, and whether it is turned around."""

    sort: Sort = Sort.IMPACT
    backwards: bool = False

    @classmethod
    def parse(cls, text: str) -> "Order":
        """Return the order that a name means; `-` before it turns it around. Raises InvalidInput."""
        name = text.removeprefix("-")
        if name not in set(Sort):
            raise InvalidInput(
                f"sort is {text[:60]!r}; it has to be one of {', '.join(Sort)}, with - before it or not."
            )
        return cls(Sort(name), backwards=text.startswith("-"))


class Grouping(StrEnum):
    """What entries are grouped by. An entry with several flags is in several groups."""

    KIND = "kind"
    SHAPE = "shape"
    TARGET = "target"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Group:
    """What the entries of one group have in common."""

    by: Grouping
    key: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of entries: a status (None: any), a query in the search field's language, a group, and an order.

    `since` leaves out what has not changed since. It begins after a place or, without one, after the first `skipped`
    entries. Raises InvalidInput.
    """

    status: Status | None = Status.PENDING
    query: str = ""
    order: Order = Order()
    snoozed: Snoozed = Snoozed.SHOW
    since: datetime | None = None
    after: Place | None = None
    skipped: int = 0
    group: Group | None = None

    def __post_init__(self) -> None:
        parse_query(self.query)
        if not 0 <= self.skipped <= MOST_SKIPPED:
            raise InvalidInput(f"offset is {self.skipped}; it has to be from 0 to {MOST_SKIPPED:,}.")

    @property
    def wanted(self) -> Mapping[str, Any] | None:
        """Return what the query asks for; None if it asks for nothing."""
        asked = parse_query(self.query)
        return asked if self.group is None else {**(asked or {}), f"in_{self.group.by}": self.group.key}

    @property
    def needs_traits(self) -> bool:
        """Return whether it is more than the entries of one status, best impact first."""
        return self.status is None or bool(
            self.wanted or self.order != Order() or self.snoozed != Snoozed.SHOW or self.since or self.skipped
        )
