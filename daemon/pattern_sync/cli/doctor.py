"""The command that examines an installation."""

from typing import TYPE_CHECKING, Annotated

import typer

from pattern_sync.cli.output import print_json

if TYPE_CHECKING:
    from pattern_sync.cli.session import Session


def add_commands(app: typer.Typer) -> None:
    """Add `doctor`."""
    app.command()(doctor)


def doctor(
    context: typer.Context,
    *,
    canary: Annotated[
        bool,
        typer.Option(
            "--canary", help="Also insert a qualifying pattern, look whether it is announced, and roll it back."
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Examine the installation: what is wrong, why it matters, and the SQL or the command that mends it.

    Changes nothing, and needs no daemon. Each check is independent of the others: what this role may not see is named.
    The exit code is 1 if there is a problem.
    """
    from rich.console import Console

    from pattern_sync.cli.diagnosis import diagnosis_document, print_diagnosis
    from pattern_sync.doctor.admission import admitted
    from pattern_sync.doctor.checks import CHECKS, WITH_CANARY
    from pattern_sync.doctor.examination import examine
    from pattern_sync.doctor.patient import Clocks
    from pattern_sync.observability.logs import configure_logging

    session: Session = context.obj
    configure_logging("info", "auto")
    with admitted(session.settings, Clocks()) as patient:
        diagnosis = examine(patient, WITH_CANARY if canary else CHECKS)
    if json:
        print_json(diagnosis_document(diagnosis))
    else:
        print_diagnosis(diagnosis, Console(highlight=False))
    raise typer.Exit(0 if diagnosis.content else 1)
