"""Entries as CSV, as spreadsheets read it."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

from pattern_sync.domain.entry import QueueEntry

_COLUMNS = (
    *("pattern_id", "status", "confidence_score", "occurrence_count", "estimated_savings_usd", "impact_score"),
    *("tool_sequence", "pattern_context", "created_at", "reviewed_by", "reviewed_at", "approval_notes"),
)
_OF_EVIDENCE = ("workflows", "first_seen", "last_seen", "savings_observed", "savings_by_evidence")
# A cell that begins like this is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_head() -> str:
    """Return the line with the names of the columns."""
    return csv_lines([[*_COLUMNS, *_OF_EVIDENCE, "flags"]])


def csv_rows(entries: Iterable[QueueEntry]) -> str:
    """Return a line for each entry; a text that a spreadsheet would take for a formula gets an apostrophe."""
    return csv_lines(_cells(entry) for entry in entries)


def _cells(entry: QueueEntry) -> list[object]:
    return [
        *(harmless(getattr(entry, name)) for name in _COLUMNS),
        *(harmless(getattr(entry.evidence, name)) for name in _OF_EVIDENCE),
        " ".join(flag.name for flag in entry.evidence.flags),
    ]


def harmless(cell: object) -> object:
    """Return a cell as a spreadsheet takes it: no formula, and a time in ISO 8601."""
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return cell.isoformat() if isinstance(cell, datetime) else cell


def csv_lines(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as lines of CSV."""
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()
