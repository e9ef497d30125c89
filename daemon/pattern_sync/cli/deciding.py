"""The commands about decisions: what came of many at once, undo, batches, the log."""

import sys
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pattern_sync.cli.names import name_text, words
from pattern_sync.cli.output import local, print_json, snoozed
from pattern_sync.domain.batches import ItemOutcome, UndoOutcome
from pattern_sync.domain.characters import shown_name, shown_text
from pattern_sync.domain.decision import NOBODY, Verdict, check_reviewer
from pattern_sync.domain.entry import Status
from pattern_sync.domain.errors import InvalidInput
from pattern_sync.domain.moments import in_zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pattern_sync.cli.session import Session
    from pattern_sync.domain.batches import Batch, DecisionMany, LoggedDecision, Undone
    from pattern_sync.service import PatternSyncService


def _moment(said: str) -> datetime:
    """Return the time that somebody has typed. Raises BadParameter, for a bare number too: its unit is not known."""
    try:
        return datetime.fromisoformat(said)
    except ValueError:
        raise typer.BadParameter(f"{said!r} is no time; write 2026-12-01 or '2026-12-01 09:30'.") from None


Pattern = Annotated[
    str, typer.Argument(metavar="SIGNATURE", help="The pattern's signature, as `review list` shows it.")
]
Reviewer = Annotated[str | None, typer.Option(help=f"Name of the reviewer.  [default: {NOBODY}]")]
By = Annotated[str | None, typer.Option(help="Only those of this reviewer.")]
Since = Annotated[
    datetime | None,
    typer.Option(parser=_moment, metavar="TIME", help="Only those from this moment on, in this machine's time zone."),
]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number to list.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
_ACCEPTED = (ItemOutcome.DECIDED, ItemOutcome.ALREADY)
_SHOWN = 20
# For the last one that can be undone: all before it may be undone already.
_MOST_LOOKED_AT = 1_000
_WORDS = {
    ItemOutcome.TAKEN: "somebody else has decided it",
    ItemOutcome.BUSY: "somebody has locked it; try again",
    ItemOutcome.MOVED: "it has another status than --replaces",
    ItemOutcome.UNKNOWN: "there is no such entry",
    ItemOutcome.REFUSED: "the application refused it",
    UndoOutcome.TOUCHED: "it was decided again, or changed, since",
    UndoOutcome.GONE_ON: "somebody has taken the pattern further",
}


def add_commands(review: typer.Typer) -> None:
    """Add the commands to `review`."""
    review.command()(undo)
    review.command()(batches)
    review.command()(log)
    review.command()(progress)
    review.command()(snooze)
    review.command()(wake)


def undo(
    context: typer.Context,
    batch: Annotated[
        int | None, typer.Argument(min=1, help="Number of the batch.  [default: the reviewer's last one]")
    ] = None,
    *,
    reviewer: Reviewer = None,
    json: Json = False,
) -> None:
    """Take back decisions, for seven days: those that nobody has touched since. `review batches` lists them."""
    session: Session = context.obj
    with session.service() as service:
        if batch is None:
            name = check_reviewer(reviewer)
            found = next((each for each in service.batches(name, _MOST_LOOKED_AT) if each.undoable), None)
            if found is None:
                typer.echo(f"{shown_name(name)} has no decision that can be undone.", err=True)
                raise typer.Exit(1)
            batch = found.id
        undone = service.undo(batch, reviewer=reviewer)
    _print_undone(undone, json=json)


def batches(context: typer.Context, *, by: By = None, limit: Limit = 20, json: Json = False) -> None:
    """List the last decisions as they were made, alone or together, newest first."""
    session: Session = context.obj
    with session.service() as service:
        found = service.batches(by, limit)
    if json:
        print_json([asdict(each) for each in found])
    else:
        Console().print(_batches_table(found))


def log(
    context: typer.Context,
    *,
    by: By = None,
    since: Since = None,
    limit: Limit = 50,
    offset: Annotated[int, typer.Option(min=0, help="Number of decisions to skip.")] = 0,
    json: Json = False,
) -> None:
    """List the last decisions on single patterns, newest first."""
    session: Session = context.obj
    with session.service() as service:
        found = service.decision_log(by, since, limit, offset=offset)
    if json:
        print_json([asdict(each) for each in found])
    else:
        Console().print(_log_table(found))


def progress(context: typer.Context, *, by: By = None, since: Since = None, json: Json = False) -> None:
    """Count the decisions of today, as the page does beside its log, or since a moment."""
    session: Session = context.obj
    with session.service() as service:
        counted = service.progress(by, since)
    if json:
        print_json(asdict(counted))
        return
    when = "today" if since is None else f"since {local(since)}"
    whose = "" if by is None else f" by {shown_name(by)}"
    of_all = counted.decided_today + counted.pending
    typer.echo(f"{counted.decided_today:,} of {of_all:,} decided {when}{whose}; {counted.pending:,} wait.")
    for name, number in counted.by_reviewer.items():
        typer.echo(f"  {shown_name(name)}: {number:,}")


def snooze(
    context: typer.Context,
    signature: Pattern,
    *,
    until: Annotated[
        datetime | None, typer.Option(parser=_moment, metavar="TIME", help="A time, in this machine's time zone.")
    ] = None,
    days: Annotated[float | None, typer.Option(min=0.01, max=366, help="For so many days from now.")] = None,
    until_doubled: Annotated[bool, typer.Option("--until-doubled", help="Until its savings have doubled.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why, for others to read.")] = None,
    reviewer: Reviewer = None,
    json: Json = False,
) -> None:
    """Put a pending entry off; `review list` still lists it, the page does not."""
    if days is not None:
        if until is not None:
            raise InvalidInput("--until and --days exclude each other.")
        until = datetime.now().astimezone() + timedelta(days=days)
    session: Session = context.obj
    with session.service() as service:
        entry = service.snooze(
            signature,
            until and in_zone(until),
            until_doubled=until_doubled,
            reviewer=reviewer,
            reason=reason,
        )
    if json:
        print_json(asdict(entry))
    elif entry.snooze:
        typer.echo(f"{shown_name(signature)} is snoozed {shown_text(snoozed(entry.snooze))}.")


def wake(context: typer.Context, signature: Pattern, *, json: Json = False) -> None:
    """End the snooze of an entry."""
    session: Session = context.obj
    with session.service() as service:
        entry = service.wake(signature)
    if json:
        print_json(asdict(entry))
    else:
        typer.echo(f"{shown_name(signature)} is not snoozed.")


def choose(
    service: "PatternSyncService",
    verdict: Verdict,
    signatures: "Sequence[str]",
    query: str | None,
    kind: str | None,
    status: Status,
    *,
    asks: bool,
) -> "Sequence[str]":
    """Return the patterns to decide: those that were named, or all that are found, once a person has agreed."""
    if bool(signatures) == bool(query or kind):
        raise typer.BadParameter("name signatures, or give --query or --kind, and not both.")
    if not (query or kind):
        return signatures
    found = service.select(query or "", status, kind=kind or None)
    if not found.ids:
        sought = " and ".join(
            f"--{name} {shown_text(value)!r}" for name, value in (("kind", kind), ("query", query)) if value
        )
        typer.echo(f"Nothing that is {status} is found by {sought}.", err=True)
        raise typer.Exit(1)
    if found.total > len(found.ids):
        typer.echo(
            f"{found.total:,} entries are found; at most {len(found.ids):,} can be decided together. Narrow the query.",
            err=True,
        )
        raise typer.Exit(1)
    if asks:
        typer.echo(
            f"{len(found.ids):,} entries that are {status}, {found.savings_usd:,.2f} USD a month together:", err=True
        )
        for entry in found.largest:
            typer.echo(f"  {entry.estimated_savings_usd:>16,.2f}  {shown_name(entry.pattern_id)}", err=True)
        if len(found.ids) > len(found.largest):
            typer.echo(f"  and {len(found.ids) - len(found.largest):,} more", err=True)
        if not sys.stdin.isatty():
            typer.echo("Nothing was decided: add --yes, or --dry-run for the outcome of each.", err=True)
            raise typer.Exit(1)
        typer.confirm(f"Are all of them to be {verdict}?", abort=True, err=True)
    return found.ids


def print_decisions(made: "DecisionMany", *, dry_run: bool, json: bool) -> None:
    """Print the outcomes of a decision on many. Exits with 1 if some were not accepted."""
    if json:
        print_json(asdict(made))
    else:
        done = "would be decided; nothing was written" if dry_run else "decided"
        typer.echo(f"{made.decided:,} of {len(made.outcomes):,} {done}: {made.savings_usd:,.2f} USD a month.")
        if made.batch_id is not None:
            typer.echo(f"To take it back: pattern-sync review undo {made.batch_id}")
        _print_others((item.pattern_id, item.outcome, item.detail) for item in made.outcomes)
    if any(item.outcome not in _ACCEPTED for item in made.outcomes):
        raise typer.Exit(1)


def _print_undone(undone: "Undone", *, json: bool) -> None:
    if json:
        print_json(asdict(undone))
    else:
        typer.echo(f"{undone.undone:,} of {len(undone.outcomes):,} decisions of batch {undone.batch_id} are undone.")
        _print_others((item.pattern_id, item.outcome, item.detail) for item in undone.outcomes)
    if undone.undone < len(undone.outcomes):
        raise typer.Exit(1)


def _print_others(items: "Iterable[tuple[str, ItemOutcome | UndoOutcome, str | None]]") -> None:
    others = [
        (signature, _WORDS[outcome] if detail is None else f"{_WORDS[outcome]}: {detail}")
        for signature, outcome, detail in items
        if outcome in _WORDS
    ]
    for signature, reason in others[:_SHOWN]:
        typer.echo(f"{shown_name(signature)}: {shown_text(reason)}")
    if len(others) > _SHOWN:
        typer.echo(f"and {len(others) - _SHOWN:,} more; --json lists all")


def _batches_table(found: "Iterable[Batch]") -> Table:
    table = Table(title="Decisions, newest first", title_justify="left")
    table.add_column("batch", justify="right")
    table.add_column("when")
    table.add_column("by", overflow="fold")
    table.add_column("decision")
    table.add_column("patterns", justify="right")
    table.add_column("reason", overflow="fold")
    table.add_column("undo", overflow="fold")
    for each in found:
        undone = f"undone by {shown_name(each.undone_by)}" if each.undone_by else ""
        possible = "possible" if each.undoable else "too late"
        table.add_row(
            str(each.id),
            local(each.decided_at),
            Text(shown_name(each.reviewer)),
            each.decision,
            f"{each.items:,}",
            words(each.reason or ""),
            Text(f"{undone}, the rest {possible}" if undone and each.undoable else undone or possible),
        )
    return table


def _log_table(found: "Iterable[LoggedDecision]") -> Table:
    table = Table(title="Decisions, newest first", title_justify="left")
    for heading in ("when", "by", "decision"):
        table.add_column(heading)
    table.add_column("pattern", overflow="fold")
    table.add_column("reason", overflow="fold")
    for each in found:
        undone = " (undone)" if each.undone_at else ""
        table.add_row(
            local(each.decided_at),
            Text(shown_name(each.reviewer)),
            f"{each.decision}{undone}",
            name_text(each.pattern_id),
            words(each.reason or ""),
        )
    return table
