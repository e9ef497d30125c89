"""The filter as statement parameters, and the filter in force from its row."""

from collections.abc import Sequence

from pattern_sync.database.rows import Row
from pattern_sync.domain.errors import SchemaMissing
from pattern_sync.domain.filter import SyncFilter


def filter_arguments(sync_filter: SyncFilter) -> tuple[object, ...]:
    """Return the parameters $1 to $7 of every statement that takes a filter."""
    return (
        sync_filter.min_confidence,
        sync_filter.min_occurrences,
        sync_filter.min_savings,
        list(sync_filter.only_types),
        list(sync_filter.exclude_types),
        sync_filter.max_age_days,
        sync_filter.min_workflows,
    )


def to_filter(row: Row) -> SyncFilter:
    """Return the filter in force; the daemon's scans have no cap."""
    return SyncFilter(
        min_confidence=row["min_confidence"],
        min_occurrences=row["min_occurrences"],
        min_savings=row["min_savings"],
        max_patterns=None,
        only_types=tuple(row["only_types"]),
        exclude_types=tuple(row["exclude_types"]),
        max_age_days=row["max_age_days"],
        min_workflows=row["min_workflows"],
    )


def to_filter_in_force(rows: Sequence[Row]) -> SyncFilter:
    """Return the filter in force. Raises SchemaMissing if its row is gone."""
    if not rows:
        raise SchemaMissing("The filter in force is lost: pattern_sync.settings has no row. Run: pattern-sync migrate")
    return to_filter(rows[0])
