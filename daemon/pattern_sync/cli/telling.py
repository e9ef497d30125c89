"""The commands about messages to people."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from pattern_sync.cli.names import words
from pattern_sync.cli.output import local, print_json
from pattern_sync.cli.review import Json
from pattern_sync.domain.messages import DeliveryOutcome, MessageState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pattern_sync.cli.session import Session
    from pattern_sync.domain.messages import NotedMessage

notify = typer.Typer(
    no_args_is_help=True, help="Messages to people about patterns worth much, and paused rules: test, list, retry."
)


def add_commands(app: typer.Typer) -> None:
    """Add `notify` with its own commands."""
    app.add_typer(notify, name="notify")


@notify.command("test")
def send_test(context: typer.Context, *, json: Json = False) -> None:
    """Send a test to every destination, and say how each took it; one that was off is on again if it does."""
    session: Session = context.obj
    tested = session.test_destinations()
    if json:
        print_json([asdict(each) for each in tested])
    else:
        for each in tested:
            typer.echo(
                f"{each.host} ({each.channel}): {each.outcome}{'' if each.reason is None else f', {each.reason}'}"
            )
    if any(each.outcome is not DeliveryOutcome.DELIVERED for each in tested):
        raise typer.Exit(1)


@notify.command("list")
def list_messages(
    context: typer.Context,
    *,
    state: Annotated[MessageState | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number to list.")] = 20,
    json: Json = False,
) -> None:
    """List the messages of the last 30 days, newest first."""
    session: Session = context.obj
    with session.service() as service:
        found = service.messages(state, limit)
    if json:
        print_json([asdict(each) for each in found])
    else:
        Console().print(_table(found))


@notify.command()
def retry(context: typer.Context, message: Annotated[int, typer.Argument(min=1, metavar="ID")]) -> None:
    """Have a message sent once more that was given up, or that waits for its next attempt."""
    session: Session = context.obj
    with session.service() as service:
        service.retry_message(message)
    typer.echo(f"Message {message} is sent at once, by the daemon.")


def _table(found: "Sequence[NotedMessage]") -> Table:
    table = Table(title="Messages to people", title_justify="left")
    table.add_column("no.", justify="right")
    for heading in ("to", "kind", "state"):
        table.add_column(heading)
    table.add_column("told", justify="right")
    table.add_column("attempts", justify="right")
    table.add_column("since")
    table.add_column("reason", overflow="fold")
    for each in found:
        table.add_row(
            str(each.id),
            each.channel,
            each.kind,
            each.state,
            f"{each.told:,}",
            str(each.attempts),
            local(each.ended_at or each.created_at),
            words(each.last_error or ""),
        )
    return table
