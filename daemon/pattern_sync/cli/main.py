"""Entry point: the commands, and one exit code for each kind of fault."""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from pattern_sync.cli import daemon, database, doctor, reading, review, trial
from pattern_sync.cli.output import error_console
from pattern_sync.cli.session import Session
from pattern_sync.domain.errors import (
    AccessRefused,
    DatabaseError,
    DatabaseUnavailable,
    EmbeddedServerError,
    InvalidInput,
    InvalidSettings,
    PatternSyncError,
    SchemaError,
    StatementFailed,
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "Settings are environment variables `PATTERN_SYNC_…`, or lines of a `.env` file."
        " Exit codes: 0 success, 1 a problem was found or some rows failed, 2 usage or settings,"
        " 3 the database cannot be reached, 4 the schema is missing, older or newer."
    ),
)
_WAY_OUT = {
    DatabaseUnavailable: "\nCheck that the server is up and that PATTERN_SYNC_DATABASE_URL names it.",
    AccessRefused: "\nCheck the user, password and database in PATTERN_SYNC_DATABASE_URL, and the user's rights.",
}

for group in (daemon, database, reading, doctor, review, trial):
    group.add_commands(app)


def print_version(*, wanted: bool) -> None:
    """Print name and version, and exit before a command is asked for."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"pattern-sync {version('pattern-sync')}")
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    *,
    database_url: Annotated[
        str | None,
        typer.Option(help="postgresql:// URL. Prefer PATTERN_SYNC_DATABASE_URL, which `ps` does not show."),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the embedded server.")] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Put every operation pattern worth automating into the review queue as soon as it is committed.

    Without a database URL, every command works on the embedded PostgreSQL server.
    """
    context.obj = Session(database_url, data_dir)


def main() -> NoReturn:
    """Run the command line and exit with one of the codes that the help lists."""
    try:
        app()
    except BrokenPipeError:
        # The reader of our output (head, less) has gone. Python would raise again when it flushes the output at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as fault:  # noqa: BLE001 - the outermost handler: expected faults get a message, bugs a traceback
        sys.exit(_report(fault))
    sys.exit(0)


def _report(fault: Exception) -> int:
    expected = _expected(fault)
    if expected is None:
        from pattern_sync.observability.lines import Line
        from pattern_sync.observability.logs import ensure_logging
        from pattern_sync.observability.writer import LogWriter

        ensure_logging()
        LogWriter()(Line.PROCESS_CRASHED, exc_info=fault)
        return 1
    way_out = next((advice for kind, advice in _WAY_OUT.items() if isinstance(expected, kind)), "")
    error_console().print(f"[bold red]Error:[/] {_escape(str(expected))}{way_out}", soft_wrap=True)
    return exit_code(expected)


def _expected(fault: BaseException) -> PatternSyncError | None:
    """Return the fault if it is expected; a group of task failures is expected if all its members are."""
    if isinstance(fault, BaseExceptionGroup):
        inner = [_expected(item) for item in fault.exceptions]
        return None if None in inner else inner[0]
    return fault if isinstance(fault, PatternSyncError) else None


def exit_code(fault: PatternSyncError) -> int:
    """Return the exit code of an expected fault."""
    match fault:
        case InvalidSettings() | InvalidInput():
            return 2
        case StatementFailed():
            return 1
        case DatabaseError() | EmbeddedServerError():
            return 3
        case SchemaError():
            return 4
        case _:
            return 1


def _escape(text: str) -> str:
    return text.replace("[", r"\[")
