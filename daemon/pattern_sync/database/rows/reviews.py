"""What people see of the queue, what they decide, and why a pattern is in it or is not."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

from pattern_sync.database.rows import Row, to_json
from pattern_sync.database.rows.decisions import to_mark, to_snooze
from pattern_sync.database.rows.evidence import to_evidence
from pattern_sync.domain.criteria import Criterion, CriterionName, TypeCriterion
from pattern_sync.domain.entry import Found, HistoryItem, Place, QueueCounts, QueueEntry
from pattern_sync.domain.explanation import Explanation
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.groups import EntryGroup, Groups
from pattern_sync.domain.listing import Listing
from pattern_sync.domain.moments import in_zone
from pattern_sync.domain.statistics import SyncStatistics


def listing_arguments(listing: Listing) -> tuple[object, ...]:
    """Return the parameters $1 to $4 of `listed` and `count_listed`."""
    wanted = listing.wanted
    return (
        listing.status,
        None if wanted is None else to_json(wanted),
        listing.snoozed,
        listing.since and in_zone(listing.since, UTC),
    )


def order_arguments(listing: Listing, limit: int) -> tuple[object, ...]:
    """Return the parameters $5 to $10 of `listed`."""
    place = (None, None) if listing.after is None else (listing.after.rank, listing.after.signature)
    return (listing.order.sort, listing.order.backwards, *place, listing.skipped, limit)


def to_found(row: Mapping[str, Any]) -> Found:
    """Return what a list found: its place, and the entry unless it has another status by now."""
    entry = {name: value for name, value in dict(row).items() if name not in {"rank", "found_id"}}
    return Found(Place(row["rank"], row["found_id"]), None if row["pattern_id"] is None else to_entry(entry))


def to_groups(rows: Sequence[Row]) -> Groups:
    """Return the groups of a list."""
    groups = tuple(
        EntryGroup(
            key=row["key"],
            count=row["entries"],
            savings_usd=row["savings"],
            evidence_usd=row["evidence"],
            savings_min=row["min_savings"],
            savings_max=row["max_savings"],
            confidence_min=row["min_confidence"],
            confidence_max=row["max_confidence"],
            flags=json.loads(row["flags"] or "{}"),
            approved_before=row["approved_before"],
            decided_before=row["decided_before"],
        )
        for row in rows
    )
    return Groups(groups, rows[0]["total"] if rows else 0)


def to_entry(row: Mapping[str, Any]) -> QueueEntry:
    """Return an entry of the queue as people see it."""
    converted = {
        "example_sessions": _sessions(row["example_sessions"]),
        "evidence": to_evidence(row["evidence"]),
        "snooze": to_snooze(row["snooze"]),
        "mark": to_mark(row["mark"]),
    }
    return QueueEntry(**{**row, **converted})


def to_counts(row: Mapping[str, Any]) -> QueueCounts:
    """Return how many entries there are in each status."""
    return QueueCounts(**row)


def to_history(rows: Iterable[Mapping[str, Any]]) -> list[HistoryItem]:
    """Return decisions and comments."""
    return [HistoryItem(**row) for row in rows]


def to_statistics(row: Mapping[str, Any]) -> SyncStatistics:
    """Return the counts as people know them."""
    return SyncStatistics(**row)


def to_explanation(signature: str, sync_filter: SyncFilter, row: Row) -> Explanation:
    """Return the database's verdicts beside the values that people compare."""
    exists = bool(row["pattern_exists"])
    return Explanation(
        signature=signature,
        exists=exists,
        automation_status=row["automation_status"],
        eligible=bool(row["eligible"]),
        entry_status=row["entry_status"],
        criteria=_criteria(sync_filter, row) if exists else (),
        rejected=bool(row["rejected"]),
        written_by_us=bool(row["written_by_us"]),
        refusal=row["refusal"],
        daemons=row["daemons"],
        evidence=to_evidence(row["evidence"]),
    )


def _criteria(sync_filter: SyncFilter, row: Row) -> tuple[Criterion | TypeCriterion, ...]:
    figures = (
        Criterion(
            CriterionName.CONFIDENCE, row["confidence"] or 0.0, sync_filter.min_confidence, row["confidence_met"]
        ),
        Criterion(
            CriterionName.OCCURRENCES, row["occurrences"] or 0, sync_filter.min_occurrences, row["occurrences_met"]
        ),
        Criterion(CriterionName.SAVINGS, row["savings"] or 0.0, sync_filter.min_savings, row["savings_met"]),
    )
    return (*figures, *_optional_criteria(sync_filter, row))


def _optional_criteria(sync_filter: SyncFilter, row: Row) -> Iterator[Criterion | TypeCriterion]:
    """Yield the criteria that are off unless somebody sets them."""
    if sync_filter.max_age_days is not None:
        age = math.nan if row["age_days"] is None else row["age_days"]
        yield Criterion(CriterionName.AGE, age, sync_filter.max_age_days, row["age_met"], at_most=True)
    if sync_filter.min_workflows is not None:
        yield Criterion(CriterionName.WORKFLOWS, row["workflows"] or 0, sync_filter.min_workflows, row["workflows_met"])
    only, excluded = sync_filter.only_types, sync_filter.exclude_types
    if only or excluded:
        yield TypeCriterion(row["pattern_type"], only, excluded, row["type_met"])


def _sessions(text: str | None) -> tuple[str, ...]:
    # The column is free text: a value that is no JSON array holds no sessions.
    try:
        sessions = json.loads(text or "[]")
        named = [str(item) for item in sessions] if isinstance(sessions, list) else []
    except (ValueError, RecursionError):
        return ()
    # Half of a surrogate pair is valid JSON, but cannot be encoded for any client.
    return tuple(item.encode(errors="replace").decode() for item in named)
