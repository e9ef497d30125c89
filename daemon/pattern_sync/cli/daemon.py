"""The command that serves."""

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

    Waits for a database that cannot be reached, at start and later; exits where waiting would not help (a wrong
    password, a missing schema). SIGHUP reads the filter anew. Any number of daemons may run at once.
    """
    import asyncio

    from pattern_sync.observability.logs import configure_logging
    from pattern_sync.runtime.host import open_host

    session: Session = context.obj
    # Until the event loop takes the signals over: a stop while the embedded server starts leaves it in order, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    settings = session.settings()
    settings.tokens()  # whoever listens beyond loopback without one is told so before anything is started
    # Not earlier: a web server takes longer to load than a wrong setting to be found.
    from pattern_sync.runtime.life import run_daemon

    configure_logging(settings.log_level, settings.log_format)
    with open_host(settings) as host:
        asyncio.run(run_daemon(settings, host, session.settings))
