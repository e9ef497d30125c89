"""The commands for reviewers."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from pattern_sync.cli.deciding import add_commands as add_decisions
from pattern_sync.cli.deciding import choose, print_decisions
from pattern_sync.cli.output import entry_document, entry_table, print_csv, print_json, queue_table
from pattern_sync.domain.characters import shown_name
from pattern_sync.domain.decision import NOBODY, Verdict
from pattern_sync.domain.entry import Status
from pattern_sync.domain.errors import InvalidInput
from pattern_sync.domain.listing import Sort

if TYPE_CHECKING:
    from pattern_sync.cli.session import Session
    from pattern_sync.domain.entry import QueueEntry

Pattern = Annotated[
    str, typer.Argument(metavar="SIGNATURE", help="The pattern's signature, as `review list` shows it.")
]
Patterns = Annotated[
    list[str] | None,
    typer.Argument(metavar="SIGNATURE...", help="Signatures, as `review list` shows them; at most 10,000."),
]
Query = Annotated[
    str | None, typer.Option(help="All entries that this finds, in place of signatures: type:test savings:<500 -lint")
]
Kind = Annotated[
    str | None, typer.Option(help="All entries of this kind, as `review groups` names it, or those that --query finds.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Decide what --kind and --query find without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be decided.")]
Reviewer = Annotated[str | None, typer.Option(help=f"Name of the reviewer.  [default: {NOBODY}]")]
Replaces = Annotated[
    Status, typer.Option(help="The status that you saw. An entry with another status stays as it is, with exit code 1.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

# Whoever imitates a name imitates one that is worth something.
_MOST_COMPARED = 1_000

review = typer.Typer(no_args_is_help=True, help="Review the queue: list, show, approve, reject, comment, undo.")


def add_commands(app: typer.Typer) -> None:
    """Add `review` with its own commands."""
    add_decisions(review)
    app.add_typer(review, name="review")


@review.command("list")
def list_entries(
    context: typer.Context,
    *,
    status: Annotated[Status, typer.Option(help="Status of the entries to list.")] = Status.PENDING,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number of entries to list.")] = 20,
    flags: Annotated[
        bool, typer.Option("--flags", help="Show what is recorded of each: savings by evidence, and flags.")
    ] = False,
    query: Annotated[
        str, typer.Option(help="What to look for, as in the page's search field: type:test savings:>5000 -lint")
    ] = "",
    sort: Annotated[str, typer.Option(help=f"{', '.join(Sort)}; - before it turns it around.")] = Sort.IMPACT.value,
    offset: Annotated[int, typer.Option(min=0, help="Number of entries to skip.")] = 0,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for a spreadsheet, instead of a table.")] = False,
    json: Json = False,
) -> None:
    """List entries of the queue, best impact first."""
    if csv and json:
        raise InvalidInput("--csv and --json exclude each other.")
    session: Session = context.obj
    with session.service() as service:
        entries = service.list_entries(status, limit, query=query, sort=sort, offset=offset)
    if json:
        print_json([asdict(entry) for entry in entries])
    elif csv:
        print_csv(entries)
    else:
        Console().print(queue_table(entries, status, sort, flags=flags))


@review.command()
def show(context: typer.Context, signature: Pattern, *, json: Json = False) -> None:
    """Show one entry and its history."""
    session: Session = context.obj
    with session.service() as service:
        entry, history = service.get_entry(signature)
        others = () if json else [each.pattern_id for each in service.list_entries(limit=_MOST_COMPARED)]
    if json:
        print_json(entry_document(entry, history))
    else:
        Console().print(entry_table(entry, history, others))


@review.command()
def approve(
    context: typer.Context,
    signatures: Patterns = None,
    *,
    query: Query = None,
    kind: Kind = None,
    yes: Yes = False,
    notes: Annotated[str | None, typer.Option(help="What others should know.")] = None,
    reviewer: Reviewer = None,
    replaces: Replaces = Status.PENDING,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Approve patterns; replaces an earlier decision only if --replaces names it."""
    session: Session = context.obj
    with session.service() as service:
        if signatures and len(signatures) == 1 and not (query or kind or dry_run):
            entry = service.approve(signatures[0], notes, reviewer=reviewer, replaces=replaces)
            _print_decision(entry, json=json)
            return
        chosen = choose(service, Verdict.APPROVED, signatures or [], query, kind, replaces, asks=not (yes or dry_run))
        made = service.decide_many(
            chosen, Verdict.APPROVED, notes, reviewer=reviewer, replaces=replaces, dry_run=dry_run
        )
    print_decisions(made, dry_run=dry_run, json=json)


@review.command()
def reject(
    context: typer.Context,
    signatures: Patterns = None,
    *,
    query: Query = None,
    kind: Kind = None,
    yes: Yes = False,
    reason: Annotated[str, typer.Option(help="The reason, for others to read.")],
    reviewer: Reviewer = None,
    replaces: Replaces = Status.PENDING,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Reject patterns; replaces an earlier decision only if --replaces names it."""
    session: Session = context.obj
    with session.service() as service:
        if signatures and len(signatures) == 1 and not (query or kind or dry_run):
            entry = service.reject(signatures[0], reason, reviewer=reviewer, replaces=replaces)
            _print_decision(entry, json=json)
            return
        chosen = choose(service, Verdict.REJECTED, signatures or [], query, kind, replaces, asks=not (yes or dry_run))
        made = service.decide_many(
            chosen, Verdict.REJECTED, reason, reviewer=reviewer, replaces=replaces, dry_run=dry_run
        )
    print_decisions(made, dry_run=dry_run, json=json)


@review.command()
def comment(
    context: typer.Context,
    signature: Pattern,
    text: Annotated[str, typer.Argument(metavar="COMMENT", help="The text of the comment.")],
    *,
    reviewer: Reviewer = None,
    json: Json = False,
) -> None:
    """Add a comment to a pattern, whatever its status."""
    session: Session = context.obj
    with session.service() as service:
        name = service.comment(signature, text, reviewer=reviewer)
    if json:
        print_json({"pattern_id": signature, "reviewer": name})
    else:
        typer.echo(f"Comment added by {shown_name(name)}.")


def _print_decision(entry: "QueueEntry", *, json: bool) -> None:
    if json:
        print_json(asdict(entry))
    else:
        typer.echo(f"{shown_name(entry.pattern_id)} is {entry.status} by {shown_name(entry.reviewed_by or NOBODY)}.")
