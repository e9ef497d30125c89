"""The commands that say what past decisions teach, and what is only just kept out."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pattern_sync.cli.names import name_text, words
from pattern_sync.cli.output import print_json
from pattern_sync.cli.review import Json, Pattern, Reviewer, review
from pattern_sync.domain.characters import shown_name
from pattern_sync.domain.wording import document_of, shortfall_of

if TYPE_CHECKING:
    from pattern_sync.cli.session import Session
    from pattern_sync.domain.advice import Advice, Price


def add_commands(app: typer.Typer) -> None:
    """Add `advise`, and to `review` what puts a pattern into the queue by hand."""
    app.command("advise")(advise)
    review.command("nearest")(nearest)
    review.command("queue")(queue)


def advise(context: typer.Context, *, json: Json = False) -> None:
    """List what higher bounds of the filter would have shown and lost of the decisions so far.

    It is a price list: nothing is changed. The first row is the filter in force.
    """
    session: Session = context.obj
    with session.service() as service:
        advice = service.advice()
    if json:
        print_json(asdict(advice))
        return
    console = Console()
    console.print(_price_list(advice))
    console.print(Text(_how_to_read(advice)), soft_wrap=True)


def nearest(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, max=20, help="Maximum number of patterns to list.")] = 5,
    json: Json = False,
) -> None:
    """List the patterns without an entry that miss the filter in force by least."""
    session: Session = context.obj
    with session.service() as service:
        found = service.nearest(limit)
    if json:
        print_json([document_of(explanation) for explanation in found])
        return
    table = Table(title="Nearest to qualifying", title_justify="left")
    for heading in ("pattern", "misses"):
        table.add_column(heading, overflow="fold")
    for explanation in found:
        table.add_row(name_text(explanation.signature), words("; ".join(map(shortfall_of, explanation.shortfalls))))
    Console().print(table)


def queue(context: typer.Context, signature: Pattern, *, reviewer: Reviewer = None, json: Json = False) -> None:
    """Put a pattern into the queue although it does not qualify."""
    session: Session = context.obj
    with session.service() as service:
        name = service.queue(signature, reviewer=reviewer)
    if json:
        print_json({"pattern_id": signature, "reviewer": name})
    else:
        typer.echo(f"Queued by {shown_name(name)}.")


def _price_list(advice: "Advice") -> Table:
    table = Table(title=f"{advice.decided:,} decisions, {advice.approvals:,} approvals", title_justify="left")
    for heading in ("confidence", "savings", "shown", "hidden", "approvals kept", "value kept", "pending shown"):
        table.add_column(heading, justify="right")
    table.add_column("of later approvals, lost at most", justify="right")
    for place, price in enumerate(advice.prices):
        table.add_row(*_row(price), style="bold" if place == 0 else None)
    return table


def _row(price: "Price") -> tuple[str, ...]:
    return (
        f"{price.min_confidence:g} %",
        f"{price.min_savings:,.0f} USD",
        f"{price.shown:,}",
        f"{price.hidden:,}",
        f"{price.approvals_kept:,} of {price.approvals:,}",
        f"{price.kept_usd:,.0f} of {price.approved_usd:,.0f} USD",
        f"{price.pending_shown:,}",
        f"{price.lost_share_at_most:.0%}",
    )


def _how_to_read(advice: "Advice") -> str:
    sentences = [advice.remark] if advice.remark else []
    if len(advice.prices) == 1:
        sentences.append("No higher bound would have hidden a decision.")
    else:
        sentences.append("To use a row: PATTERN_SYNC_MIN_CONFIDENCE and PATTERN_SYNC_MIN_SAVINGS. Nothing is applied.")
    return " ".join(sentences)
