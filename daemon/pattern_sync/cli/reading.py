"""The commands that read, and the manual sync."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from pattern_sync.cli.evidence import evidence_table
from pattern_sync.cli.output import (
    error_console,
    explanation_table,
    overview_document,
    overview_table,
    print_json,
    result_table,
)
from pattern_sync.domain.errors import InvalidFilter, InvalidSettings
from pattern_sync.domain.filter import (
    AGE,
    CONFIDENCE,
    OCCURRENCES,
    PATTERNS,
    SAVINGS,
    WORKFLOWS,
    SyncFilter,
    doubt_about_confidence,
)
from pattern_sync.domain.wording import document_of

if TYPE_CHECKING:
    from rich.progress import Progress

    from pattern_sync.cli.session import Session


def _described(preset: SyncFilter) -> str:
    return f"{preset}; at most {preset.max_patterns}."


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def add_commands(app: typer.Typer) -> None:
    """Add `status`, `sync` and `explain`."""
    app.command()(status)
    app.command()(sync)
    app.command()(explain)


def status(context: typer.Context, *, json: Json = False) -> None:
    """Show the installation: filter, daemons, counts and the last scans."""
    from pattern_sync.service import PatternSyncService

    session: Session = context.obj
    with session.host() as host:
        service = PatternSyncService(host.address.url)
        overview = service.overview()
        psql = f"psql '{host.address.url}'" if host.embedded else None
    if json:
        print_json({**overview_document(overview), "psql": psql})
    else:
        Console().print(overview_table(overview, psql))


def sync(
    context: typer.Context,
    *,
    high_priority: Annotated[
        bool, typer.Option("--high-priority", help=_described(SyncFilter.high_priority()))
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help=_described(SyncFilter.everything()))] = False,
    min_confidence: Annotated[float | None, typer.Option(help=f"Lowest confidence in percent, {CONFIDENCE}.")] = None,
    min_occurrences: Annotated[int | None, typer.Option(help=f"Lowest number of occurrences, {OCCURRENCES}.")] = None,
    min_savings: Annotated[float | None, typer.Option(help=f"Lowest savings in USD a month, {SAVINGS}.")] = None,
    only_types: Annotated[str | None, typer.Option(help="Pattern types to queue, comma-separated.")] = None,
    exclude_types: Annotated[str | None, typer.Option(help="Pattern types not to queue, comma-separated.")] = None,
    max_age_days: Annotated[
        float | None, typer.Option(help=f"Days since the pattern was last seen, at most, {AGE}.")
    ] = None,
    min_workflows: Annotated[
        int | None, typer.Option(help=f"Lowest number of distinct workflows that are recorded, {WORKFLOWS}.")
    ] = None,
    max_patterns: Annotated[
        int | None, typer.Option(help=f"Maximum number of patterns to queue.  [default: {PATTERNS.unnamed}]")
    ] = None,
    no_cap: Annotated[bool, typer.Option("--no-cap", help="Queue any number of patterns.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; write nothing.")] = False,
    json: Json = False,
) -> None:
    """Queue patterns now, by your own criteria; entries that are already decided stay as they are.

    A criterion that is not given has no bound. With no criterion at all: confidence 60, occurrences 2, any savings.

    For example: `pattern-sync sync --min-confidence 80 --min-savings 5000 --max-patterns 10 --dry-run`
    """
    session: Session = context.obj
    criteria = {
        "min_confidence": min_confidence,
        "min_occurrences": min_occurrences,
        "min_savings": min_savings,
        "only_types": _types(only_types),
        "exclude_types": _types(exclude_types),
        "max_age_days": max_age_days,
        "min_workflows": min_workflows,
    }
    given = {name: value for name, value in criteria.items() if value is not None}
    if no_cap and max_patterns is not None:
        raise InvalidSettings("--no-cap and --max-patterns contradict each other; use one of them.")
    try:
        wanted = _preset(high_priority=high_priority, everything=everything, criteria=given)
        if no_cap or max_patterns is not None:
            wanted = replace(wanted, max_patterns=max_patterns)
    except InvalidFilter as fault:
        raise InvalidSettings(fault.spelled(_option)) from None
    if doubt := doubt_about_confidence(_option("min_confidence"), min_confidence):
        error_console().print(Text(f"Note: {doubt}", style="yellow"), soft_wrap=True)
    with session.service() as service, _progress() as progress:
        task = progress.add_task("reconciling", total=None)
        result = service.sync_patterns(
            wanted,
            dry_run=dry_run,
            on_progress=lambda done, of: progress.update(task, completed=done, total=of),
        )
    if json:
        print_json(result.to_dict())
    else:
        Console().print(result_table(result))
    raise typer.Exit(1 if result.error_count else 0)


def explain(context: typer.Context, signature: str, *, json: Json = False) -> None:
    """Show why a pattern is in the queue, or which criterion it misses and by how much."""
    session: Session = context.obj
    with session.service() as service:
        explanation = service.explain(signature)
    if json:
        print_json(document_of(explanation))
    else:
        console = Console()
        console.print(explanation_table(explanation))
        if explanation.evidence is not None and explanation.outcome is not None:
            console.print(evidence_table(explanation.evidence))
    raise typer.Exit(1 if explanation.outcome is None else 0)


def _preset(*, high_priority: bool, everything: bool, criteria: Mapping[str, Any]) -> SyncFilter:
    if high_priority and everything:
        raise InvalidSettings("--high-priority and --all contradict each other; use one of them.")
    if (high_priority or everything) and criteria:
        preset = "--high-priority" if high_priority else "--all"
        options = ", ".join(map(_option, criteria))
        raise InvalidSettings(f"{preset} sets its own criteria and contradicts {options}; use one or the other.")
    if high_priority:
        return SyncFilter.high_priority()
    if everything:
        return SyncFilter.everything()
    return SyncFilter(**criteria) if criteria else SyncFilter.manual()


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _types(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(item.strip() for item in text.split(","))


def _progress() -> "Progress":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = error_console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
