"""The commands that say what the queue consists of."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pattern_sync.cli.names import name_text, words
from pattern_sync.cli.output import print_json
from pattern_sync.cli.review import Json, Pattern, review
from pattern_sync.domain.characters import shown_name
from pattern_sync.domain.entry import Status
from pattern_sync.domain.groups import StepChange
from pattern_sync.domain.listing import Grouping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pattern_sync.cli.session import Session
    from pattern_sync.domain.groups import EntryGroup, SimilarEntry

_SIGNS = {StepChange.MISSING: "-", StepChange.ADDED: "+"}


def add_commands(_app: typer.Typer) -> None:
    """Add to `review` what lists groups and similar entries."""
    review.command("groups")(groups)
    review.command("similar")(similar)


def groups(
    context: typer.Context,
    *,
    by: Annotated[Grouping, typer.Option(help="What the entries of a group share.")] = Grouping.KIND,
    status: Annotated[Status, typer.Option(help="Status of the entries.")] = Status.PENDING,
    query: Annotated[str, typer.Option(help="What to look for, as for `review list`.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of groups to list.")] = 20,
    json: Json = False,
) -> None:
    """List groups of entries, those worth most first."""
    session: Session = context.obj
    with session.service() as service:
        found = service.groups(by, status, limit, query=query)
    if json:
        print_json([asdict(group) for group in found])
    else:
        Console().print(groups_table(found, by))


def similar(
    context: typer.Context,
    signature: Pattern,
    *,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Maximum number of entries to list.")] = 20,
    json: Json = False,
) -> None:
    """List the pending entries that are like one: of its kind, with mostly the same tools."""
    session: Session = context.obj
    with session.service() as service:
        found = service.similar(signature, limit)
    if json:
        print_json([asdict(each) for each in found])
    else:
        Console().print(similar_table(found))


def groups_table(groups: "Sequence[EntryGroup]", by: Grouping) -> Table:
    """Return groups with their sums and ranges, and what was decided of them before."""
    # Without lines, so that the names have room in a terminal of 80 columns.
    table = Table(
        title=f"Groups by {by}, those worth most first",
        title_justify="left",
        expand=True,
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column(by.value, overflow="fold", min_width=12)
    for heading in ("entries", "USD a month", "by evidence", "confidence"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("approved before", justify="right", min_width=8)
    for group in groups:
        table.add_row(
            Text(shown_name(group.key or "none")),
            f"{group.count:,}",
            f"{group.savings_usd:,.2f}",
            "none" if group.evidence_usd is None else f"{group.evidence_usd:,.2f}",
            f"{_range(group.confidence_min * 100, group.confidence_max * 100)} %",
            f"{group.approved_before:,} of {group.decided_before:,}",
        )
    return table


def similar_table(found: "Sequence[SimilarEntry]") -> Table:
    """Return similar entries with what is different about them."""
    table = Table(title="Like this one", title_justify="left", expand=True)
    table.add_column("pattern", ratio=3, overflow="fold")
    table.add_column("difference", ratio=2, overflow="fold")
    table.add_column("USD a month", justify="right")
    for each in found:
        steps = ", ".join(f"{_SIGNS[step.change]} {step.tool}" for step in each.difference)
        table.add_row(
            name_text(each.entry.pattern_id), words(steps or "none"), f"{each.entry.estimated_savings_usd:,.2f}"
        )
    return table


def _range(least: float, most: float) -> str:
    return f"{most:.4g}" if least == most else f"{least:.4g} to {most:.4g}"
