"""The commands for trying Pattern Sync: a simulated detector and the demonstration."""

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pattern_sync.cli.output import error_console, print_json
from pattern_sync.domain.errors import InvalidSettings

if TYPE_CHECKING:
    from pattern_sync.cli.session import Session

Patterns = Annotated[int, typer.Option(min=1, max=1_000_000, help="Number of different patterns.")]
Rate = Annotated[float, typer.Option(min=0.1, max=10_000, help="Observations per second.")]
Seconds = Annotated[float, typer.Option(min=0.1, max=604_800, help="Duration in seconds.")]
Seed = Annotated[int, typer.Option(help="The same seed invents the same patterns.")]


def add_commands(app: typer.Typer) -> None:
    """Add `simulate` and `demo`."""
    app.command()(simulate)
    app.command()(demo)


def simulate(
    context: typer.Context,
    *,
    patterns: Patterns = 50,
    rate: Rate = 10.0,
    seconds: Seconds = 30.0,
    seed: Seed = 1,
    yes: Annotated[bool, typer.Option("--yes", help="Write to a database other than the embedded one.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Simulate a detector: write invented patterns and observe them again and again.

    Writes to operation_patterns and pattern_occurrences as the application's own detector does.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from pattern_sync.simulation import SimulatedDetector, invent_patterns

    session: Session = context.obj
    with session.host() as host:
        if host.embedded is None and not yes:
            raise InvalidSettings(
                f"{host.address} is not the embedded server, and simulate would write invented patterns to it."
                " Add --yes to allow that."
            )
        detector = SimulatedDetector(host.address, invent_patterns(patterns, seed), seed)
        console = error_console()
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("observing", total=rate * seconds)
            observed = 0
            for observed in detector.run(per_second=rate, seconds=seconds, stopped=lambda: False):
                progress.update(task, completed=observed)
    if json:
        print_json({"observations": observed, "patterns": patterns})
    else:
        typer.echo(f"{observed:,} observations of {patterns:,} patterns written.")


def demo(
    *,
    patterns: Patterns = 60,
    rate: Rate = 20.0,
    seconds: Seconds = 30.0,
    seed: Seed = 1,
    own: Annotated[
        bool | None,
        typer.Option(
            "--own/--invented",
            help="Find routines in what coding agents have left on this machine, or invent patterns; asks by default"
            " where there is anything and somebody to ask.",
        ),
    ] = None,
) -> None:
    """Demonstrate Pattern Sync: an embedded server, a daemon with its review page, a detector.

    The detector is a simulated one, or the reference detector on transcripts of your own coding agents. On a terminal,
    the page stays until Ctrl-C after the detector has finished. All files are in a temporary folder that is removed at
    the end.
    """
    from pattern_sync.cli.demonstration import Demonstration

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # clean up as after Ctrl-C
    ended = threading.Event()
    demonstration = Demonstration(patterns, seed, ended)
    if folders := _own_transcripts(own):
        demonstration.run_on_transcripts(folders)
    else:
        demonstration.run(per_second=rate, seconds=seconds)


def _own_transcripts(own: bool | None) -> "list[Path]":  # noqa: FBT001 - an option of the command line
    """Return the folders with transcripts on this machine, if they are to be read. Raises InvalidSettings."""
    from pattern_sync.runtime.detecting import TRANSCRIPT_FOLDERS, transcript_folders

    folders = [] if own is False else transcript_folders(Path.home())
    if own and not folders:
        expected = " or ".join(f"~/{each}" for each in TRANSCRIPT_FOLDERS)
        raise InvalidSettings(f"No coding agent has left transcripts in {expected}. Leave out --own.")
    if not folders or own or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return folders if own else []
    typer.echo(f"Coding agents have left transcripts in {' and '.join(map(str, folders))}.")
    question = (
        "Find your own routines in them, instead of invented ones? Only words such as 'Bash/git commit' are kept, in a"
        " database that is removed at the end"
    )
    return folders if typer.confirm(question) else []
