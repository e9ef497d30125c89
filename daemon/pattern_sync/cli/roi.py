"""The commands about what approved patterns have saved."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from pattern_sync.cli.names import name_text, words
from pattern_sync.cli.output import local, print_json
from pattern_sync.cli.review import Json, Pattern
from pattern_sync.domain.characters import shown_name
from pattern_sync.domain.errors import InvalidInput
from pattern_sync.domain.roi_table import Grouped, roi_csv
from pattern_sync.domain.roi_wording import counted, money, recording_hint, share_of, summary_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pattern_sync.cli.session import Session
    from pattern_sync.domain.roi import KindRoi, PatternRoi, Roi

_TIMES = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%d %H:%M:%S%z"]


roi = typer.Typer(help="What approved patterns have saved, beside what they promised: list, show, record.")


def add_commands(app: typer.Typer) -> None:
    """Add `roi` with its own commands."""
    app.add_typer(roi, name="roi")


@roi.callback(invoke_without_command=True)
def list_results(
    context: typer.Context,
    *,
    by: Annotated[Grouped, typer.Option(help="List patterns, or kinds of patterns.")] = Grouped.PATTERN,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number of lines of the table.")] = 20,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for a spreadsheet, instead of a table.")] = False,
    json: Json = False,
) -> None:
    """List what approved patterns have saved, beside what they promised.

    A figure for a month is there from 5 runs over 14 days on, with the interval in which it lies in nine cases of ten.
    """
    if context.invoked_subcommand is not None:
        return
    if csv and json:
        raise InvalidInput("--csv and --json exclude each other.")
    session: Session = context.obj
    with session.service() as service:
        found = service.roi()
    if json:
        print_json(asdict(found))
    elif csv:
        print(roi_csv(found, by), end="")  # noqa: T201 - a command's output
    else:
        _print_results(found, by, limit)


@roi.command()
def show(context: typer.Context, signature: Pattern, *, json: Json = False) -> None:
    """Show the results of one pattern, and what is to be expected of it."""
    session: Session = context.obj
    with session.service() as service:
        found = service.roi_of(signature)
    if json:
        print_json(asdict(found))
    else:
        Console().print(_details(found))


@roi.command()
def record(
    context: typer.Context,
    signature: Pattern,
    *,
    usd: Annotated[str, typer.Option(help="What the run has saved, in USD; less than 0 if it cost more than before.")],
    workflow: Annotated[str, typer.Option(help="The run's name: the same one counts once in a second.")],
    tool_call: Annotated[str | None, typer.Option(help="The tool call, where a run has several.")] = None,
    at: Annotated[
        datetime | None, typer.Option(formats=_TIMES, help="When it ran, with its zone.  [default: now]")
    ] = None,
    baseline_tokens: Annotated[int | None, typer.Option(help="The tokens that it took before.")] = None,
    actual_tokens: Annotated[int | None, typer.Option(help="The tokens that it takes now.")] = None,
    notes: Annotated[str | None, typer.Option(help="Notes.")] = None,
    json: Json = False,
) -> None:
    """Record what one run of an automated pattern has saved.

    For example: `pattern-sync roi record test:pytest:backend --usd 0.41 --workflow wf-1`
    """
    session: Session = context.obj
    with session.service() as service:
        receipt = service.record_savings(
            signature,
            usd,
            workflow,
            tool_call=tool_call,
            saved_at=at,
            baseline_tokens=baseline_tokens,
            actual_tokens=actual_tokens,
            notes=notes,
        )
    if json:
        print_json({**asdict(receipt), "usd": float(receipt.usd)})
    else:
        typer.echo(f"{shown_name(signature)} has saved {receipt.usd} USD; recorded in {receipt.table}.")


def _print_results(found: "Roi", by: Grouped, limit: int) -> None:
    console = Console()
    for sentence in summary_of(found):
        console.print(words(sentence), soft_wrap=True)
    if not found.totals.runs:
        console.print(words(recording_hint()), soft_wrap=True)
    if not found.patterns:
        return
    if by is Grouped.KIND:
        console.print(_kinds(found.kinds[:limit]))
    else:
        console.print(_patterns(found.patterns[:limit]))
        if (more := len(found.patterns) - limit) > 0:
            console.print(f"And {more:,} more: --limit, --csv or --json.", soft_wrap=True)
    for aside in found.asides:
        amount = f", {money(aside.saved_usd)} USD" if aside.saved_usd else ""
        console.print(words(f"{counted(aside.runs, 'row')} {aside.words}{amount}."), soft_wrap=True)


def _patterns(patterns: "Sequence[PatternRoi]") -> Table:
    table = Table(title="By pattern, what saved most first", title_justify="left", expand=True)
    table.add_column("pattern", ratio=3, overflow="fold")
    for heading in ("runs", "saved USD", "a month", "promised"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("results", ratio=3, overflow="fold")
    for each in patterns:
        table.add_row(
            name_text(each.pattern_id),
            f"{each.runs:,}",
            money(each.saved_usd),
            "-" if each.monthly_usd is None else money(each.monthly_usd),
            "-" if each.estimated_usd is None else money(each.estimated_usd),
            words(each.remark),
            style="red" if each.saved_usd < 0 else None,
        )
    return table


def _kinds(kinds: "Sequence[KindRoi]") -> Table:
    table = Table(title="By kind, what saved most first", title_justify="left")
    table.add_column("kind", overflow="fold")
    for heading in ("patterns", "with results", "runs", "saved USD", "a month", "promised", "got", "to expect"):
        table.add_column(heading, justify="right")
    for each in kinds:
        table.add_row(
            name_text(each.kind),
            f"{each.patterns:,}",
            f"{each.measured:,}",
            f"{each.runs:,}",
            money(each.saved_usd),
            *(money(usd) if each.measured else "-" for usd in (each.monthly_usd, each.estimated_usd)),
            "-" if each.share is None else f"{100 * each.share:.0f} %",
            "-" if each.expected_share is None else f"{100 * each.expected_share:.0f} %",
        )
    return table


def _details(found: "PatternRoi") -> Table:
    table = Table(title=name_text(found.pattern_id), title_justify="left", show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("results", words(found.remark))
    if found.approved_at:
        table.add_row("approved", local(found.approved_at))
    if found.estimated_usd is not None:
        table.add_row("promised", f"{money(found.estimated_usd)} USD a month")
    if found.expected is not None:
        table.add_row("to expect", words(f"{money(found.expected.expected_usd)} USD a month. {found.expected.words}"))
    table.add_row("saved", f"{money(found.saved_usd)} USD in {counted(found.runs, 'run')}")
    if found.monthly_usd is not None:
        table.add_row("a month", share_of(found.monthly_usd, found.monthly_range, "USD"))
    if found.success_rate is not None:
        table.add_row("success", f"{100 * found.success_rate:.1f} % of {found.tried:,} executions")
    if found.last_run_at:
        table.add_row("last run", local(found.last_run_at))
    if found.baseline_runs:
        table.add_row("before", f"{counted(found.baseline_runs, 'run')}, {money(found.baseline_usd)} USD: no savings")
    if found.repeated:
        table.add_row("repeated", f"{found.repeated:,} rows say a run once more: counted once")
    if found.sources:
        table.add_row("read from", ", ".join(found.sources))
    return table
