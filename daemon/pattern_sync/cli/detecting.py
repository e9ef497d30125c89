"""The reference detector in a shell."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pattern_sync.cli.names import words
from pattern_sync.cli.output import error_console, print_json
from pattern_sync.cli.review import Json
from pattern_sync.domain.routines import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pattern_sync.cli.session import Session
    from pattern_sync.domain.routines import Findings, LeftOut
    from pattern_sync.runtime.detecting import Detected

_SHOWN_ROUTINES = 20
# Reading what is written all the time takes a tenth of the time at most.
_LARGEST_SHARE_OF_TIME = 0.1


def add_commands(app: typer.Typer) -> None:
    """Add `detect`."""
    app.command()(detect)


def detect(
    context: typer.Context,
    *,
    transcripts: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            help="A folder or file of a coding agent's transcripts, such as ~/.claude/projects or ~/.codex/sessions;"
            " may be given more than once. Without it, events of hooks in the database are read.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be found; write nothing.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on, and look again and again.")] = False,
    every: Annotated[float, typer.Option(min=1, max=86_400, help="Seconds between two looks, with --follow.")] = 60.0,
    all_sequences: Annotated[
        bool, typer.Option("--all", help="Keep also what assistants do in any case, such as reading before editing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Read what was read before, too, as with another vocabulary.")
    ] = False,
    keep_days: Annotated[int, typer.Option(min=7, max=3_650, help="Forget sessions that are older.")] = 180,
    left_out: Annotated[
        bool, typer.Option("--left-out", help="List what is frequent and no routine, and why.")
    ] = False,
    json: Json = False,
) -> None:
    """Detect routines in what coding agents do, and write them as patterns.

    Reads sessions of agents, from their transcripts or from their hooks' events, and keeps which tools they called on
    what, in words of a fixed vocabulary: never an argument, an output or a name that somebody typed. What comes back
    together becomes a pattern. Says first what could not be seen. The same sessions read again change nothing.
    """
    from pattern_sync.runtime.detecting import Detection, DetectionTerms

    terms = DetectionTerms(tuple(transcripts or ()), all_sequences, again, keep_days)

    def show(detected: "Detected") -> None:
        if json:
            print_json(_document(detected))
        else:
            print_detected(detected, dry_run=dry_run, lists_left_out=left_out)

    session: Session = context.obj
    detection = Detection(session.settings(), terms)
    with session.host() as host:
        detected = detection.run(host.address, dry_run=dry_run)
        show(detected)
        if follow:
            _follow(lambda: detection.look(host.address, dry_run=dry_run), every, show)
    if any(each.outcome is None for each in detected.written):
        raise typer.Exit(1)


def _follow(look: "Callable[[], Detected | None]", every: float, show: "Callable[[Detected], None]") -> NoReturn:
    """Look until interrupted; a lost database is waited for."""
    from pattern_sync.domain.errors import DatabaseUnavailable

    took_seconds = 0.0
    while True:
        time.sleep(max(every, took_seconds / _LARGEST_SHARE_OF_TIME))
        begun = time.monotonic()
        try:
            detected = look()
        except DatabaseUnavailable as fault:
            error_console().print(f"{fault}; trying again.", style="yellow", markup=False, soft_wrap=True)
        else:
            if detected is not None:
                show(detected)
        took_seconds = time.monotonic() - begun


def print_detected(detected: "Detected", *, dry_run: bool = False, lists_left_out: bool = False) -> None:
    """Print what could not be seen, then what was found and written."""
    console = Console()
    for remark in detected.remarks:
        console.print(Text(remark.sentence, style="yellow" if remark.is_doubt else ""), soft_wrap=True)
    console.print(_routines(detected.findings))
    if lists_left_out:
        console.print(_left_out(detected.findings.left_out))
    elif detected.findings.left_out:
        console.print(Text(f"{len(detected.findings.left_out):,} frequent sequences were left out: --left-out"))
    console.print(Text(_outcome(detected, dry_run=dry_run)), soft_wrap=True)
    for each in detected.written:
        if each.reason is not None:
            error_console().print(words(f"{each.routine.signature} was refused: {each.reason}"), soft_wrap=True)


def _routines(findings: "Findings") -> Table:
    total = len(findings.routines)
    shown = f", the first {_SHOWN_ROUTINES}" if total > _SHOWN_ROUTINES else ""
    table = Table(title=f"{total:,} routine{'' if total == 1 else 's'}{shown}", title_justify="left")
    table.add_column("pattern, and its steps")
    for heading in ("times", "sessions", "confidence", "USD a month"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in findings.routines[:_SHOWN_ROUTINES]:
        table.add_row(
            words(f"{each.signature}\n{_steps(each.shape)}"),
            f"{each.occurrences:,}",
            f"{each.sessions:,}",
            f"{each.confidence:.0f} %",
            "not known" if each.savings_usd is None else f"{each.savings_usd:,.2f}",
        )
    return table


def _left_out(left_out: "Sequence[LeftOut]") -> Table:
    table = Table(title=f"{len(left_out):,} frequent sequences left out", title_justify="left")
    table.add_column("steps", overflow="fold")
    table.add_column("times", justify="right")
    table.add_column("sessions", justify="right")
    table.add_column("because", overflow="fold")
    for each in left_out:
        table.add_row(words(_steps(each.shape)), f"{each.runs:,}", f"{each.sessions:,}", each.because)
    return table


def _steps(shape: "Sequence[str]") -> str:
    return " → ".join(shape)


def _outcome(detected: "Detected", *, dry_run: bool) -> str:
    read = f"{detected.sessions:,} session{'' if detected.sessions == 1 else 's'} new or changed"
    if dry_run:
        return f"{read}. Nothing was written."
    outcomes = [each.outcome for each in detected.written]
    counts = ", ".join(f"{outcomes.count(each):,} {each}" for each in Written if outcomes.count(each))
    refused = f", {outcomes.count(None):,} refused" if None in outcomes else ""
    done = f"patterns: {counts or 'none'}{refused}"
    return f"{read}; {done}. Why one is or is not in the queue: pattern-sync explain PATTERN"


def _document(detected: "Detected") -> dict[str, object]:
    written = {each.routine.signature: each for each in detected.written}
    return {
        "sessions": detected.sessions,
        "remarks": [asdict(remark) for remark in detected.remarks],
        "routines": [
            {
                "pattern_id": each.signature,
                "steps": each.shape,
                "occurrences": each.occurrences,
                "sessions": each.sessions,
                "first_seen": each.first_seen,
                "last_seen": each.last_seen,
                "confidence": each.confidence,
                "follows": each.follows,
                "ended_ok": each.ended_ok,
                "lift": each.lift,
                "cost_usd": each.cost_usd,
                "savings_usd": each.savings_usd,
                "outcome": written[each.signature].outcome if each.signature in written else None,
                "reason": written[each.signature].reason if each.signature in written else None,
            }
            for each in detected.findings.routines
        ],
        "left_out": [asdict(each) for each in detected.findings.left_out],
    }
