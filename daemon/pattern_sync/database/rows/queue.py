"""The parameters of the reconcile, and its results."""

import json
from collections.abc import Iterable

from pattern_sync.database.rows import Row
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.domain.results import MissingPreview, QueuedPage, RefreshedPage, Retried, SyncResult


def ids_argument(ids: Iterable[int]) -> str:
    """Return row ids as text: for a bigint[] a driver would first query the catalogs, by names that can be hijacked."""
    return f"{{{','.join(map(str, ids))}}}"


def to_outcomes(rows: Iterable[Row]) -> list[PatternOutcome]:
    """Return the outcomes of a reconcile, with the server's message for each failure."""
    return [PatternOutcome(row["row_id"], row["signature"], Outcome(row["outcome"]), row["reason"]) for row in rows]


def to_queued_page(row: Row) -> QueuedPage:
    """Return the result of one step of queueing missing patterns."""
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
    """Return the result of one step of refreshing."""
    return RefreshedPage(row["listed"], row["refreshed"], tuple(row["refreshed_signatures"]), row["last_id"])


def to_missing_preview(row: Row) -> MissingPreview:
    """Return what queueing missing patterns would find."""
    return MissingPreview(row["candidates"], row["missing"], row["listed"], tuple(row["signatures"]))


def to_retried(row: Row) -> Retried:
    """Return the result of trying quarantined patterns again."""
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
