"""The command that says what was learned from decisions, and how well that foretells them."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pattern_sync.cli.names import words
from pattern_sync.cli.output import print_json
from pattern_sync.cli.review import Json
from pattern_sync.domain.characters import shown_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pattern_sync.cli.session import Session
    from pattern_sync.domain.model import Model
    from pattern_sync.domain.standing import Standing
    from pattern_sync.learning import Likelihood

_MOST_TERMS = 10
# Less is shown as 0.00.
_LEAST_WEIGHT = 0.005


def add_commands(app: typer.Typer) -> None:
    """Add `model`."""
    app.command("model")(model)


def model(
    context: typer.Context,
    signature: Annotated[
        str | None,
        typer.Argument(metavar="SIGNATURE", help="Say of this entry how likely it is approved, and why."),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Say what was learned from decisions, how well it foretold later ones, and whether it is shown.

    It orders the queue, and decides nothing.
    """
    session: Session = context.obj
    if signature is None:
        with session.service() as service:
            standing = service.model()
        if json:
            print_json(_document(standing))
        else:
            _print(standing)
    else:
        with session.service() as service:
            found = service.likelihood(signature)
        if json:
            print_json(asdict(found))
        else:
            _print_likelihood(signature, found)


def _document(standing: "Standing") -> dict[str, object]:
    document = asdict(standing)
    document["fold"]["lost_share_at_most"] = standing.fold.lost_share_at_most
    return {**document, "words": standing.words}


def _print(standing: "Standing") -> None:
    console = Console()
    console.print(words(f"{standing.words[0].upper()}{standing.words[1:]}."), soft_wrap=True)
    for sentence in _about_fold(standing):
        console.print(Text(sentence), soft_wrap=True)
    if standing.reviewers:
        console.print(_reviewers(standing))
    if standing.model is not None:
        console.print(_terms(standing.model))


def _about_fold(standing: "Standing") -> "Iterator[str]":
    fold = standing.fold
    if fold.now.entries:
        yield (
            f"{fold.now.entries:,} pending entries are likely rejects, {fold.now.savings_usd:,.0f} USD a month as"
            f" claimed. Drawn to stay in place: {fold.now.drawn:,} more."
        )
    if fold.tried:
        yield (
            f"Of {fold.tried:,} likely rejects that were decided in place, {fold.lost:,} were approved: with 95 %"
            f" certainty at most {fold.lost_share_at_most:.0%} of them are."
        )


def _reviewers(standing: "Standing") -> Table:
    table = Table(title="Decisions that were foretold", title_justify="left")
    table.add_column("reviewer", overflow="fold")
    for heading in ("decisions", "as foretold", "as most of all"):
        table.add_column(heading, justify="right")
    for each in standing.reviewers:
        table.add_row(words(each.reviewer), f"{each.decided:,}", f"{each.as_foretold:,}", f"{each.as_most:,}")
    return table


def _terms(learned: "Model") -> Table:
    table = Table(title="What was learned, the largest first", title_justify="left")
    table.add_column("trait", overflow="fold")
    for heading in ("weight", "approved"):
        table.add_column(heading, justify="right")
    terms = [(name, term.weight, "") for name, term in learned.figures.items()]
    terms += [
        (name, term.weight, f"{term.approved:,} of {term.decided:,}") for name, term in learned.categories.items()
    ]
    telling = [term for term in terms if abs(term[1]) >= _LEAST_WEIGHT]
    for name, weight, approved in sorted(telling, key=lambda term: (-abs(term[1]), term[0]))[:_MOST_TERMS]:
        table.add_row(words(name), f"{weight:+.2f}", approved)
    return table


def _print_likelihood(signature: str, found: "Likelihood") -> None:
    if found.likelihood is None:
        typer.echo(f"{shown_name(signature)}: no likelihood is shown. {found.words[0].upper()}{found.words[1:]}.")
        return
    typer.echo(f"{shown_name(signature)}: an approval is {found.likelihood:.0%} likely.")
    for reason in found.reasons:
        typer.echo(f"- {shown_name(reason)}")
