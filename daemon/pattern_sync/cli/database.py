"""The commands that install and remove."""

from typing import TYPE_CHECKING, Annotated

import typer

from pattern_sync.database.definitions import load_definitions
from pattern_sync.database.installer import Installer
from pattern_sync.database.planning import Step, full_script

if TYPE_CHECKING:
    from pattern_sync.cli.session import Session

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be run; change nothing.")]


def add_commands(app: typer.Typer) -> None:
    """Add `migrate`, `uninstall` and `sql`."""
    app.command()(migrate)
    app.command()(uninstall)
    app.command()(sql)


def migrate(
    context: typer.Context,
    *,
    dry_run: DryRun = False,
    replicated: Annotated[
        bool,
        typer.Option(
            "--replicated",
            help="Every subscriber has our tables: let them enter a publication of all tables.",
        ),
    ] = False,
) -> None:
    """Install Pattern Sync into the database, bring it up to date, or mend what is broken of it.

    Adopts the application's tables as they are, or creates them in an empty database. What cannot be adopted is
    refused by name before anything is changed. Safe beside live traffic and any number of times: it never waits for a
    lock long enough to hold up a writer.
    """
    session: Session = context.obj
    with session.host() as host:
        installer = Installer(host.address)
        steps = installer.plan(replicated=replicated) if dry_run else installer.migrate(replicated=replicated)
        remarks = installer.remarks()
    _tell(steps, dry_run=dry_run, nothing="Nothing to do: the schema is up to date.")
    for remark in remarks:
        typer.echo(f"{'-- ' if dry_run else ''}Note: {remark}")


def uninstall(
    context: typer.Context,
    *,
    dry_run: DryRun = False,
    cascade: Annotated[
        bool,
        typer.Option("--cascade", help="Also take away what others put into the schema, and what depends on it."),
    ] = False,
) -> None:
    """Take away the schema pattern_sync and its triggers; the application's tables and the queue stay.

    What is not Pattern Sync's and would go with it is named, and nothing is removed.
    """
    session: Session = context.obj
    with session.host() as host:
        steps = Installer(host.address).uninstall(dry_run=dry_run, cascade=cascade)
    _tell(steps, dry_run=dry_run, nothing="Nothing to do: Pattern Sync is not installed here.")


def sql(
    *,
    application_tables: Annotated[
        bool,
        typer.Option("--application-tables", help="Include the application's tables, for an empty database."),
    ] = False,
) -> None:
    """Print what `migrate` runs, for a person who runs it with psql; needs no database."""
    typer.echo("-- Run as the owner of operation_patterns, in the schema of the application's tables:")
    typer.echo("--   psql --single-transaction --set ON_ERROR_STOP=1 --file FILE URL")
    typer.echo("SET LOCAL lock_timeout = '2s';")
    typer.echo("SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);")
    for step in full_script(load_definitions(), with_application_tables=application_tables):
        typer.echo(f"\n-- {step.about}\n\n{step.sql.rstrip()}")


def _tell(steps: list[Step], *, dry_run: bool, nothing: str) -> None:
    if not steps:
        typer.echo(nothing)
    for step in steps:
        typer.echo(f"-- {step.about}\n\n{step.sql}" if dry_run else f"{step.about}: done")
