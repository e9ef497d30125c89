"""The command that runs the daemon."""

import signal
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pattern_sync.cli.session import Session


def add_commands(app: typer.Typer) -> None:
    """Add `run`."""
    app.command()(run)


def run(context: typer.Context) -> None:
    """Run the daemon until SIGTERM or Ctrl-C.

    Waits while the database cannot be reached, at the start and later. Exits at the start if waiting would not help: a
    wrong password, a missing schema. SIGHUP reloads the filter. Any number of daemons may run at once.
    """
    import asyncio

    from pattern_sync.observability.logs import configure_logging
    from pattern_sync.runtime.host import open_host

    session: Session = context.obj
    # Until the event loop handles the signals: SIGTERM must shut down an embedded server that is still starting.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    settings = session.settings()
    settings.tokens()  # refuse a missing token before anything starts
    # Not earlier: loading the web server takes longer than finding a wrong setting.
    from pattern_sync.runtime.life import run_daemon

    configure_logging(settings.log_level, settings.log_format)
    with open_host(settings) as host:
        asyncio.run(run_daemon(settings, host, session.settings))
