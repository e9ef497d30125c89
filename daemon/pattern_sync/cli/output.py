"""What the commands print: tables for people, JSON for machines."""

import json
import math
import sys
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pattern_sync.cli.evidence import add_evidence, flags_cells
from pattern_sync.cli.names import name_text, signs_text, words
from pattern_sync.domain.characters import look_alikes, shown_name, shown_text
from pattern_sync.domain.entry import Status
from pattern_sync.domain.evidence_wording import value_of_queue
from pattern_sync.domain.moments import in_zone
from pattern_sync.domain.outcomes import Outcome
from pattern_sync.domain.reception import SHOWN_FAULTS
from pattern_sync.domain.table import csv_head, csv_rows
from pattern_sync.domain.wording import bound_of, value_of, verdict_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pattern_sync.domain.entry import EntryMark, HistoryItem, QueueEntry, Snooze
    from pattern_sync.domain.explanation import Explanation
    from pattern_sync.domain.results import SyncResult
    from pattern_sync.domain.statistics import Overview

_SHOWN_SIGNATURES = 10
# Labels for the counts whose names alone are unclear.
_COUNTS = {
    "total_candidates": "candidates",
    "skipped_count": "skipped (already in the queue)",
    "error_count": "errors",
    "remaining_count": "remaining (over the cap)",
    "gone_count": "gone (pending, pattern deleted)",
}


def print_json(value: object) -> None:
    """Print one JSON document on standard output, with JSON's own escapes if the output's encoding lacks a letter."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=_plain)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2, default=_plain)
    print(text)  # noqa: T201 - it is a command's output


def print_csv(entries: "Iterable[QueueEntry]") -> None:
    """Print entries as CSV on standard output."""
    print(csv_head() + csv_rows(entries), end="")  # noqa: T201 - it is a command's output


def result_table(result: "SyncResult") -> Table:
    """Return the counts of a sync, and the first signatures."""
    table = _two_columns("Dry run, nothing was written" if result.dry_run else "Done")
    for name, count in result.counts.items():
        failed = name == "error_count" and count > 0
        table.add_row(
            _COUNTS.get(name, name.removesuffix("_count")), f"{count:,}", style="bold red" if failed else None
        )
    table.add_row("took", f"{result.sync_duration_ms:,.0f} ms")
    for position, signature in enumerate(result.synced_pattern_ids[:_SHOWN_SIGNATURES]):
        table.add_row("best impact first" if position == 0 else "", name_text(signature))
    if (more := result.synced_count - _SHOWN_SIGNATURES) > 0:
        table.add_row("", f"and {more:,} more")
    for error in result.errors:
        table.add_row("failed", words(error), style="red")
    return table


def explanation_table(explanation: "Explanation") -> Table | Text:
    """Return the pattern's values beside the criteria, and the verdict; only the verdict if there is no pattern."""
    if not explanation.exists:
        return Text(f"{shown_name(explanation.signature)}\n{shown_text(explanation.reason)}")
    # Not part of the reason: HTTP shows the reason, and the database's message may hold anything.
    message = explanation.refusal if explanation.outcome is Outcome.FAILED else None
    caption = explanation.reason if message is None else f"{explanation.reason} The database reports: {message}"
    table = Table(title=name_text(explanation.signature), title_justify="left", caption=words(caption))
    table.caption_justify = "left"
    for heading in ("criterion", "value", "required", ""):
        table.add_column(heading)
    for item in explanation.criteria:
        verdict = Text(verdict_of(item), style="green" if item.met else "red")
        table.add_row(item.name, words(value_of(item)), words(bound_of(item)), verdict)
    if explanation.exists:
        status = explanation.automation_status or "none"
        table.add_row(
            "automation_status",
            words(status),
            "detected",
            "[green]met" if explanation.eligible else "[red]missed",
        )
    return table


def overview_table(overview: "Overview", psql: str | None) -> Table:
    """Return everything about an installation on one screen."""
    table = _two_columns("Pattern Sync")
    table.add_row("database", Text(overview.database))
    if psql:
        table.add_row("open it with", Text(psql))
    table.add_row("server, schema", f"PostgreSQL {overview.server_version}, version {_schema(overview)}")
    table.add_row("filter in force", _filter(overview))
    table.add_row("trigger", _triggers(overview))
    table.add_row("daemons listening", _daemons(overview))
    counts = overview.statistics
    table.add_row("patterns", f"{counts.patterns_in_source:,}")
    table.add_row("in the queue", f"{counts.patterns_in_review:,} ({counts.sync_percentage:g} %)")
    for status in Status:
        if entries := getattr(overview.queue, status.replace("-", "_")):
            table.add_row(f"  {status}", f"{entries:,}")
    if overview.queue.pending:
        table.add_row("pending value", value_of_queue(overview.queue.claimed_usd, overview.queue.shown_usd))
    if overview.gone:
        table.add_row("  pending, pattern deleted", f"{overview.gone:,}")
    table.add_row("eligible without entry", f"{counts.pending_sync:,}")
    table.add_row("qualify, not queued yet", f"{counts.qualifying_missing:,} of {counts.qualifying:,}")
    if overview.refused:
        table.add_row("refused by the application", f"{overview.refused:,}", style="bold red")
    for refusal in overview.refusals:
        table.add_row("", Text.assemble(name_text(refusal.pattern_id), ": ", words(refusal.reason)), style="red")
    if overview.recovered.patterns:
        last = f"{overview.recovered.patterns:,}, last {local(overview.recovered.last_at)}"
        table.add_row("recovered by the sweep", f"{last}: no notification had arrived")
    _advise(table, overview)
    for run in overview.runs:
        table.add_row(
            f"last {run.kind}",
            f"{local(run.finished_at)}: {run.synced:,} synced, {run.skipped:,} skipped, {run.errors:,} errors,"
            f" {run.duration_ms:,.0f} ms",
        )
    return table


def _filter(overview: "Overview") -> Text:
    if overview.filter is None:
        return Text("none, its row is missing; run: pattern-sync migrate", style="bold red")
    publication = overview.publication
    if publication is None or publication.published_by is None:
        return Text(str(overview.filter))
    return Text(f"{overview.filter}\npublished by {publication.published_by}, {local(publication.published_at)}")


def _triggers(overview: "Overview") -> Text:
    faults, grants = overview.trigger_faults, overview.missing_grants
    if not faults:
        return Text("installed")
    run = [*(["pattern-sync migrate"] if len(faults) > len(grants) else []), *grants[:SHOWN_FAULTS]]
    more = [f"and {len(faults) - SHOWN_FAULTS:,} more"] if len(faults) > SHOWN_FAULTS else []
    lines = [*faults[:SHOWN_FAULTS], *more, *(f"run: {each}" for each in run)]
    return Text("\n".join(lines), style="bold red")


def _advise(table: Table, overview: "Overview") -> None:
    if overview.prepared_transactions:
        quiet = "ALTER ROLE … SET pattern_sync.quiet = on"
        table.add_row("two-phase commit", Text(f"is enabled; for each role that uses it, run: {quiet}", style="yellow"))
    for index in overview.missing_indexes:
        table.add_row("an index would help", Text(f"{index.relation}: {index.cost}\n{index.command};", style="yellow"))


def queue_table(
    entries: "Sequence[QueueEntry]", status: str = "pending", sort: str = "impact", *, flags: bool = False
) -> Table:
    """Return entries with their figures formatted for people; if `flags`, what is recorded of each beside its claim."""
    order = "best impact first" if sort == "impact" else f"sorted by {sort}"
    table = Table(title=f"The queue, {status}, {order}", title_justify="left", expand=True)
    table.add_column("pattern", ratio=3, overflow="fold" if flags else "ellipsis", no_wrap=not flags)
    # A terminal of 80 columns has no room for all of it.
    for heading in ("USD a month", "by evidence") if flags else ("confidence", "occurrences", "USD a month"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column(
        "flags" if flags else "how it works", ratio=2, overflow="fold" if flags else "ellipsis", no_wrap=not flags
    )
    alike = look_alikes(entry.pattern_id for entry in entries)
    for entry in entries:
        figures = _figures(entry)
        cells = (
            (figures[-1], *flags_cells(entry.evidence)) if flags else (*figures, Text(shown_name(entry.tool_sequence)))
        )
        table.add_row(name_text(entry.pattern_id, alike.get(entry.pattern_id, ())), *cells)
    return table


def entry_table(entry: "QueueEntry", history: "Sequence[HistoryItem]", others: "Iterable[str]" = ()) -> Table:
    """Return everything about one entry, its history, and which `others` its name looks like."""
    table = Table(title=Text(shown_name(entry.pattern_id)), title_justify="left", show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    alike = look_alikes([entry.pattern_id, *others]).get(entry.pattern_id, ())
    if signs := signs_text(entry.pattern_id, alike):
        table.add_row("its name", signs)
    confidence, occurrences, savings = _figures(entry)
    table.add_row("status", words(entry.status))
    table.add_row("confidence", confidence)
    table.add_row("occurrences", occurrences)
    table.add_row("savings", f"{savings} USD a month")
    add_evidence(table, entry.evidence)
    table.add_row("how it works", words(entry.tool_sequence))
    table.add_row("context", words(entry.pattern_context or "none"))
    if entry.likelihood is not None:
        table.add_row("approval", f"{entry.likelihood:.0%} likely" + (", folded away" if entry.folded else ""))
    if entry.snooze:
        table.add_row("snoozed", words(snoozed(entry.snooze)))
    if entry.mark:
        table.add_row("a rule", words(marked(entry.mark)))
    table.add_row("example sessions", words(", ".join(entry.example_sessions) or "none"))
    for item in history:
        note = words(f"{item.action} by {item.reviewer}" + (f": {item.notes}" if item.notes else ""))
        table.add_row(local(item.created_at), note)
    return table


def _figures(entry: "QueueEntry") -> tuple[str, str, str]:
    return _percent(entry.confidence_score), f"{entry.occurrence_count:,}", f"{entry.estimated_savings_usd:,.2f}"


def _percent(fraction: float) -> str:
    percent = round(fraction * 100, 1)
    # What is not certain is never rounded to certainty.
    return f"{math.floor(fraction * 10_000) / 100 if fraction < 1 <= percent / 100 else percent:g} %"


def snoozed(snooze: "Snooze") -> str:
    """Return until when an entry is snoozed, and by whom, in words."""
    ends = [
        *([f"until {local(snooze.until)}"] if snooze.until else []),
        *(["until its savings have doubled"] if snooze.until_doubled else []),
    ]
    why = f": {snooze.reason}" if snooze.reason else ""
    return f"{' or '.join(ends)}, by {snooze.by}{why}"


def marked(mark: "EntryMark") -> str:
    """Return what a rule would decide, in words."""
    when = "it only watches" if mark.due_at is None else f"at {local(mark.due_at)}, unless somebody objects"
    return f"{mark.rule}@{mark.version} would give it the status {mark.status}: {when}"


def local(moment: datetime | None) -> str:
    """Return a time in this machine's zone, for people."""
    return "" if moment is None else in_zone(moment).strftime("%Y-%m-%d %H:%M:%S")


def error_console() -> Console:
    """Return the console for messages and progress: standard error, so that output can be piped."""
    return Console(stderr=True, highlight=False)


def _two_columns(title: str) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _schema(overview: "Overview") -> str:
    from pattern_sync.database.version import SCHEMA_VERSION

    newer = overview.schema_version > SCHEMA_VERSION
    return f"{overview.schema_version}" + (f", newer than this command's {SCHEMA_VERSION}; it works" if newer else "")


def _daemons(overview: "Overview") -> str:
    if not overview.daemons:
        return "none; start one with: pattern-sync run"
    since = overview.daemons[0].connected_at
    return f"{len(overview.daemons)}" + (f", the first since {local(since)}" if since else "")


def overview_document(overview: "Overview") -> dict[str, Any]:
    """Return the overview as a JSON document."""
    return {**asdict(overview), "statistics": overview.statistics.to_dict()}


def entry_document(entry: "QueueEntry", history: "Sequence[HistoryItem]") -> dict[str, Any]:
    """Return an entry and its history as a JSON document."""
    return {**asdict(entry), "history": [asdict(item) for item in history]}


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
