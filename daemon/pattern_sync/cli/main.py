"""Entry point: the commands, and one exit code for each kind of fault."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn, cast

import typer

from pattern_sync.cli import (
    advice,
    daemon,
    database,
    detecting,
    doctor,
    finding,
    model,
    reading,
    review,
    roi,
    rules,
    telling,
    trial,
)
from pattern_sync.cli.endings import report, report_lost_output, report_usage
from pattern_sync.cli.session import Session
from pattern_sync.cli.streams import drop_output, is_of_output, open_missing_streams, take_any_text

# Where it is defined depends on the version of typer.
UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__bases__[0])

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "Settings are environment variables `PATTERN_SYNC_…`, or lines of a `.env` file."
        " Exit codes: 0 success, 1 a problem was found or some rows failed, 2 usage or settings,"
        " 3 the database cannot be reached, 4 the schema is missing, older, or newer and no longer compatible."
    ),
)

for group in (
    *(daemon, database, reading, doctor, review, advice, model, finding),
    *(roi, rules, telling, detecting, trial),
):
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
    open_missing_streams()
    take_any_text()
    try:
        code = _run_command(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as fault:  # noqa: BLE001 - the outermost handler: expected faults get a message, bugs a traceback
        if is_of_output(fault):
            drop_output()
            sys.exit(report_lost_output(fault))
        sys.exit(report(fault))
    sys.exit(code)


def _run_command(words: list[str]) -> int:
    """Run the command that the words name, and return its exit code. A service logs what is wrong with its words."""
    command = typer.main.get_command(app)
    explains = sys.stderr.isatty() or not _is_daemon(command, words)
    try:
        return command(words, standalone_mode=explains) or 0
    except UsageError as fault:
        return report_usage(fault.format_message())


def _is_daemon(command: object, words: list[str]) -> bool:
    """Return whether the words start the daemon, however wrong its options or those before it are."""
    names = getattr(command, "commands", {})
    return next((word for word in words if word in names), None) == "run"
