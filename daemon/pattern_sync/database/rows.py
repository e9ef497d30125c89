"""Between rows and the domain's classes, for both drivers."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from pattern_sync.domain.criteria import Criterion, TypeCriterion
from pattern_sync.domain.decision import Decision
from pattern_sync.domain.entry import HistoryItem, Place, QueueCounts, QueueEntry, Status
from pattern_sync.domain.errors import SchemaMissing, SchemaOutdated, SchemaTooNew
from pattern_sync.domain.explanation import Explanation
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.domain.reception import Audience, Sighting, TriggerFault
from pattern_sync.domain.results import MissingPreview, QueuedPage, RefreshedPage, Retried, SyncResult
from pattern_sync.domain.statistics import (
    ConnectedDaemon,
    MissingIndex,
    Overview,
    Recoveries,
    Refusal,
    Run,
    SyncStatistics,
)

# The newest file in sql/migrations; a test compares them.
SCHEMA_VERSION = 3


# What both drivers' rows can do: asyncpg's Record is no Mapping.
class Row(Protocol):
    """A row, by the names of its columns."""

    def __getitem__(self, name: str, /) -> Any: ...  # noqa: ANN401 - a column of any type


def filter_arguments(sync_filter: SyncFilter) -> tuple[object, ...]:
    """Return the parameters $1 to $5 of every statement that takes a filter."""
    return (
        sync_filter.min_confidence,
        sync_filter.min_occurrences,
        sync_filter.min_savings,
        list(sync_filter.only_types),
        list(sync_filter.exclude_types),
    )


def to_filter(row: Row) -> SyncFilter:
    """Return the filter in force; the daemon's runs have no cap."""
    return SyncFilter(
        min_confidence=row["min_confidence"],
        min_occurrences=row["min_occurrences"],
        min_savings=row["min_savings"],
        max_patterns=None,
        only_types=tuple(row["only_types"]),
        exclude_types=tuple(row["exclude_types"]),
    )


def to_filter_in_force(rows: Sequence[Row]) -> SyncFilter:
    """Return the filter in force. Raises SchemaMissing where its row is gone."""
    if not rows:
        raise SchemaMissing("The filter in force is lost: pattern_sync.settings has no row. Run: pattern-sync migrate")
    return to_filter(rows[0])


def to_sighting(row: Row) -> Sighting:
    """Return what the watch saw."""
    return Sighting(
        faults=to_trigger_faults(json.loads(row["faults"] or "[]")),
        patterns=tuple(row["patterns"]),
        entries=tuple(row["entries"]),
        storage=row["storage"],
        queue_usage=row["queue_usage"],
        blocker_pid=row["hinderer"],
        body=row["body"],
        writers=frozenset(row["writers"]),
    )


def to_trigger_faults(rows: Iterable[Row]) -> tuple[TriggerFault, ...]:
    """Return what is wrong with the triggers."""
    return tuple(
        TriggerFault(
            row["relation"], row["fault"], row["silenced"] and Audience(row["silenced"]), bool(row["mendable"])
        )
        for row in rows
    )


def ids_argument(row_ids: Iterable[RowId]) -> str:
    """Return row ids as a text: for a bigint[] a driver would ask the catalogs first, by names that others can take."""
    return f"{{{','.join(map(str, row_ids))}}}"


def to_outcomes(rows: Iterable[Row]) -> list[PatternOutcome]:
    """Return what the reconcile did, with the server's own words where it failed."""
    return [PatternOutcome(row["row_id"], row["signature"], Outcome(row["outcome"]), row["reason"]) for row in rows]


def to_queued_page(row: Row) -> QueuedPage:
    """Return what one step of queueing what is missing came to."""
    return QueuedPage(
        candidates=row["candidates"],
        missing=row["missing"],
        refused=row["refused"],
        handled=row["handled"],
        queued=row["queued"],
        failed=row["failed"],
        held=tuple(RowId(int(item)) for item in row["held"]),
        queued_signatures=tuple(row["queued_signatures"]),
        failed_signatures=tuple(row["failed_signatures"]),
        failed_reasons=tuple(row["failed_reasons"]),
        finished=row["finished"],
        begun=row["begun"],
    )


def to_refreshed_page(row: Row) -> RefreshedPage:
    """Return what one step of refreshing came to."""
    return RefreshedPage(row["listed"], row["refreshed"], tuple(row["refreshed_signatures"]), row["last_id"])


def to_missing_preview(row: Row) -> MissingPreview:
    """Return what queueing what is missing would find."""
    return MissingPreview(row["candidates"], row["missing"], row["listed"], tuple(row["signatures"]))


def to_retried(row: Row) -> Retried:
    """Return what a try of the quarantine came to."""
    return Retried(
        tried=row["tried"],
        failed=row["failed"],
        refused=row["refused"],
        reasons=tuple(row["reasons"]),
        queued_signatures=tuple(row["queued_signatures"]),
        refreshed_signatures=tuple(row["refreshed_signatures"]),
    )


def run_argument(kind: str, result: SyncResult) -> str:
    """Return the parameter of record_run."""
    return json.dumps({"kind": kind, **result.remembered})


def check_version(installed: int) -> None:
    """Raise SchemaMissing, SchemaOutdated or SchemaTooNew unless the schema is ours."""
    if installed == 0:
        raise SchemaMissing("Pattern Sync is not installed in this database. Run: pattern-sync migrate")
    if installed < SCHEMA_VERSION:
        raise SchemaOutdated(
            f"The database holds schema version {installed}, this version of Pattern Sync needs {SCHEMA_VERSION}."
            " Run: pattern-sync migrate"
        )
    if installed > SCHEMA_VERSION:
        raise SchemaTooNew(
            f"The database holds schema version {installed}, newer than this version's {SCHEMA_VERSION}."
            " Install the newer Pattern Sync here, too."
        )


def to_explanation(signature: str, sync_filter: SyncFilter, row: Row) -> Explanation:
    """Return the verdicts of the database beside the values that people compare."""
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
    )


def to_statistics(row: Mapping[str, Any]) -> SyncStatistics:
    """Return the counts as people know them."""
    return SyncStatistics(**row)


def entries_arguments(
    *,
    status: Status | None = None,
    after: Place | None = None,
    signatures: Sequence[str] | None = None,
    limit: int | None = None,
) -> tuple[object, ...]:
    """Return the parameters of `entries`."""
    place = (None, None) if after is None else (after.impact, after.signature)
    return (status, *place, None if signatures is None else list(signatures), limit)


def to_entry(row: Mapping[str, Any]) -> QueueEntry:
    """Return an entry of the queue as people see it."""
    return QueueEntry(**{**row, "example_sessions": _sessions(row["example_sessions"])})


def to_counts(row: Mapping[str, Any]) -> QueueCounts:
    """Return how many entries there are in each status."""
    return QueueCounts(**row)


def to_history(rows: Iterable[Mapping[str, Any]]) -> list[HistoryItem]:
    """Return decisions and comments."""
    return [HistoryItem(**row) for row in rows]


def decision_arguments(signature: str, decision: Decision) -> tuple[object, ...]:
    """Return the parameters of `decide`."""
    return (signature, decision.verdict, decision.reviewer, decision.notes, decision.replaces)


def to_missing_indexes(rows: Iterable[Row]) -> tuple[MissingIndex, ...]:
    """Return the indexes that would help."""
    return tuple(MissingIndex(row["relation"], row["cost"], row["command"]) for row in rows)


def to_overview(address: str, fetch: Callable[[str], Sequence[Mapping[str, Any]]]) -> Overview:
    """Return what `status` shows; `fetch` runs a named statement."""
    server = fetch("server")[0]
    in_force = fetch("read_filter")
    faults = to_trigger_faults(fetch("trigger_faults"))
    refusals = fetch("refusals")
    return Overview(
        database=address,
        server_version=server["server_version"],
        prepared_transactions=server["prepared_transactions"],
        schema_version=fetch("schema_version")[0]["version"],
        filter=to_filter(in_force[0]) if in_force else None,
        trigger_missing_on=tuple(dict.fromkeys(fault.relation for fault in faults if fault.relation)),
        trigger_faults=tuple(fault.fault for fault in faults),
        statistics=to_statistics(fetch("statistics")[0]),
        queue=to_counts(fetch("queue_counts")[0]),
        gone=fetch("count_gone")[0]["gone"],
        refused=refusals[0]["total"] if refusals else 0,
        refusals=tuple(Refusal(row["pattern_id"], row["reason"]) for row in refusals),
        recovered=Recoveries(**fetch("recoveries")[0]),
        missing_indexes=to_missing_indexes(fetch("missing_indexes")),
        daemons=tuple(ConnectedDaemon(**row) for row in fetch("connected_daemons")),
        runs=tuple(Run(**row) for row in fetch("last_runs")),
    )


def _criteria(sync_filter: SyncFilter, row: Row) -> tuple[Criterion | TypeCriterion, ...]:
    figures = (
        Criterion("confidence", row["confidence"] or 0.0, sync_filter.min_confidence, row["confidence_met"]),
        Criterion("occurrences", row["occurrences"] or 0, sync_filter.min_occurrences, row["occurrences_met"]),
        Criterion("savings", row["savings"] or 0.0, sync_filter.min_savings, row["savings_met"]),
    )
    only, excluded = sync_filter.only_types, sync_filter.exclude_types
    return (
        (*figures, TypeCriterion(row["pattern_type"], only, excluded, row["type_met"])) if only or excluded else figures
    )


def _sessions(text: str | None) -> tuple[str, ...]:
    # The column is free text to an application: what is no JSON array is no list of sessions.
    try:
        sessions = json.loads(text or "[]")
        named = [str(item) for item in sessions] if isinstance(sessions, list) else []
    except (ValueError, RecursionError):
        return ()
    # Half of a surrogate pair is JSON, and nothing that could be sent to anybody.
    return tuple(item.encode(errors="replace").decode() for item in named)
