"""The commands that install and remove the schema."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pattern_sync.cli.session import Session
    from pattern_sync.database.planning import Step

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the SQL that would run; change nothing.")]


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
            help="Every subscriber has Pattern Sync's tables: let a publication of all tables include them.",
        ),
    ] = False,
) -> None:
    """Install Pattern Sync in the database, upgrade it, or repair it.

    Adopts the application's tables as they are, or creates them in an empty database. If a table cannot be adopted, the
    command names the reason and changes nothing. Safe to repeat, and safe beside live traffic: it never waits for a
    lock long enough to hold up a writer.
    """
    from pattern_sync.database.installer import Installer

    session: Session = context.obj
    with session.host() as host:
        installer = Installer(host.address)
        steps = installer.plan(replicated=replicated) if dry_run else installer.migrate(replicated=replicated)
        remarks = installer.remarks()
    _print_steps(steps, dry_run=dry_run, nothing="Nothing to do: the schema is up to date.")
    for remark in remarks:
        typer.echo(f"{'-- ' if dry_run else ''}Note: {remark}")


def uninstall(
    context: typer.Context,
    *,
    dry_run: DryRun = False,
    cascade: Annotated[
        bool,
        typer.Option(
            "--cascade", help="Also remove objects that others put into the schema, and objects that depend on it."
        ),
    ] = False,
) -> None:
    """Remove the schema pattern_sync and its triggers; the application's tables and the queue stay.

    If this would also remove objects of others, the command names them and removes nothing.
    """
    from pattern_sync.database.installer import Installer

    session: Session = context.obj
    with session.host() as host:
        steps = Installer(host.address).uninstall(dry_run=dry_run, cascade=cascade)
    _print_steps(steps, dry_run=dry_run, nothing="Nothing to do: Pattern Sync is not installed here.")


def sql(
    *,
    application_tables: Annotated[
        bool,
        typer.Option("--application-tables", help="Include the application's tables, for an empty database."),
    ] = False,
    roles: Annotated[
        bool,
        typer.Option(
            "--roles",
            help="Print, instead, roles with the least rights: who installs, the daemon, who writes patterns.",
        ),
    ] = False,
) -> None:
    """Print the SQL that `migrate` runs, for use with psql; needs no database."""
    from pattern_sync.database.definitions import load_definitions
    from pattern_sync.database.planning import full_script

    if roles:
        typer.echo(load_definitions().roles.rstrip())
        return

    typer.echo(
        "-- Run this as the owner of operation_patterns, with the schema of the application's tables as current schema:"
    )
    typer.echo("--   psql --single-transaction --set ON_ERROR_STOP=1 --file FILE URL")
    typer.echo("SET LOCAL lock_timeout = '2s';")
    typer.echo("SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);")
    for step in full_script(load_definitions(), with_application_tables=application_tables):
        typer.echo(f"\n-- {step.about}\n\n{step.sql.rstrip()}")


def _print_steps(steps: "list[Step]", *, dry_run: bool, nothing: str) -> None:
    if not steps:
        typer.echo(nothing)
    for step in steps:
        typer.echo(f"-- {step.about}\n\n{step.sql}" if dry_run else f"{step.about}: done")
