"""The command that runs the daemon."""

import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pattern_sync.cli.endings import report_in_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from pattern_sync.cli.session import Session
    from pattern_sync.config import Settings
    from pattern_sync.database.address import DatabaseAddress


def add_commands(app: typer.Typer) -> None:
    """Add `run`."""
    app.command()(run)


def run(
    context: typer.Context,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only read the settings, as a start or a reload would, and exit.")
    ] = False,
) -> None:
    """Run the daemon until SIGTERM or Ctrl-C.

    Waits while the database cannot be reached, at the start and later. Exits at the start if waiting would not help: a
    wrong password, a missing schema. SIGHUP reloads the filter. Any number of daemons may run at once.
    """
    from pattern_sync.observability.logs import configure_logging, is_console, log_what_python_prints
    from pattern_sync.observability.unblocking import UnblockingHandler
    from pattern_sync.observability.writer import report_lost

    session: Session = context.obj
    if check:
        _checked(session.settings())
        return
    # Until the event loop handles the signals: SIGTERM must shut down an embedded server that is still starting.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    log_format = "auto"  # until the settings are read, which may fail
    handler = UnblockingHandler(sys.stderr.fileno(), report_lost)
    configure_logging("info", log_format, handler)
    log_what_python_prints()
    try:
        settings = session.settings()
        log_format = settings.log_format
        configure_logging(settings.log_level, log_format, handler)
        _run(settings, session.settings)
    except Exception as fault:
        if sys.stderr.isatty() and is_console(log_format):
            handler.flush()  # what follows is printed at once
            raise
        sys.exit(report_in_log(fault))


def _checked(settings: "Settings") -> "DatabaseAddress | None":
    """Return the database that the settings name, once nothing is wrong with them. Raises InvalidSettings."""
    from pattern_sync.runtime.host import named_database
    from pattern_sync.runtime.telling import usable_telling

    settings.tokens()
    usable_telling(settings)
    return named_database(settings)


def _run(settings: "Settings", read_settings: "Callable[[], Settings]") -> None:
    import asyncio

    from pattern_sync.observability.writer import LogWriter
    from pattern_sync.runtime.host import host_at
    from pattern_sync.runtime.introduction import introduce

    named = _checked(settings)  # before anything starts
    introduce(settings, named, LogWriter())
    # Not earlier: loading the web server takes longer than finding a wrong setting.
    from pattern_sync.runtime.life import run_daemon

    with host_at(named, settings.data_dir) as host:
        asyncio.run(run_daemon(settings, host, read_settings))
