"""How the program ends: an exit code for each kind of fault, and the words that go with it."""

from typing import TYPE_CHECKING

from pattern_sync.cli.output import error_console
from pattern_sync.domain.characters import shown_text
from pattern_sync.domain.errors import (
    AccessRefused,
    DatabaseError,
    DatabaseUnavailable,
    EmbeddedServerError,
    EmbeddedServerMoved,
    InvalidInput,
    InvalidSettings,
    PatternSyncError,
    RightsMissing,
    SchemaError,
    SchemaTooNew,
    StatementFailed,
    UnfitApplication,
)

if TYPE_CHECKING:
    from pattern_sync.observability.writer import LogWriter

# The first kind that fits.
_WAY_OUT: dict[type[PatternSyncError], str] = {
    DatabaseUnavailable: "Check that the server is up and that PATTERN_SYNC_DATABASE_URL names it.",
    RightsMissing: "Run the GRANTs that the reason lists.",
    AccessRefused: "Check the user, password and database in PATTERN_SYNC_DATABASE_URL, and the user's rights.",
    InvalidSettings: "Correct the setting that the reason names. A restart does not help before that.",
    SchemaTooNew: "Install the newer Pattern Sync on this machine, too.",
    UnfitApplication: "Change the table that the reason names. A restart does not help before that.",
    SchemaError: "Run: pattern-sync migrate",
    EmbeddedServerMoved: "Start the daemon again. A service manager does so by itself.",
    EmbeddedServerError: "Remove the obstacle that the reason names, or set PATTERN_SYNC_DATABASE_URL.",
    PatternSyncError: "Remove the cause that the reason names.",
}
# People get the way out only with these: the text of any other fault ends with it.
_INCOMPLETE = (DatabaseUnavailable, AccessRefused, EmbeddedServerMoved)


def report(fault: Exception) -> int:
    """Explain a fault to a person and return the exit code; a bug gets a traceback."""
    expected = _expected(fault)
    if expected is None:
        return _crash(fault)
    is_complete = isinstance(expected, RightsMissing) or not isinstance(expected, _INCOMPLETE)
    way_out = "" if is_complete else f"\n{_way_out(expected)}"
    error_console().print(f"[bold red]Error:[/] {_escape(shown_text(str(expected)))}{way_out}", soft_wrap=True)
    return exit_code(expected)


def report_lost_output(fault: OSError) -> int:
    """Explain why standard output did not take all, and return the exit code; a reader that has gone knows it."""
    if not isinstance(fault, BrokenPipeError):
        error_console().print(
            f"[bold red]Error:[/] The output could not be written: {fault.strerror}. What was changed before stays so."
            " Free what is full, or write elsewhere.",
            soft_wrap=True,
        )
    return 1


def report_in_log(fault: Exception) -> int:
    """Explain a fault in one line of the log and return the exit code: it is the line that a watcher looks for."""
    expected = _expected(fault)
    if expected is None:
        return _crash(fault)
    from pattern_sync.observability.lines import Line

    code = exit_code(expected)
    _log()(Line.DAEMON_FAILED, exit_code=code, reason=str(expected), remedy=_way_out(expected))
    return code


def report_usage(complaint: str) -> int:
    """Explain in one line of the log how a command was called wrongly, and return the exit code."""
    from pattern_sync.observability.lines import Line

    remedy = "Correct the command. The options are listed by: pattern-sync run --help"
    _log()(Line.DAEMON_FAILED, exit_code=2, reason=complaint, remedy=remedy)
    return 2


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


def _crash(fault: Exception) -> int:
    from pattern_sync.observability.lines import Line

    _log()(Line.PROCESS_CRASHED, exit_code=1, remedy="Report it, with this line.", exc_info=fault)
    return 1


def _log() -> "LogWriter":
    from pattern_sync.observability.logs import ensure_logging
    from pattern_sync.observability.writer import LogWriter

    ensure_logging()
    return LogWriter()


def _expected(fault: BaseException) -> PatternSyncError | None:
    """Return the fault if it is expected; a group of task failures is expected if all its members are."""
    if isinstance(fault, BaseExceptionGroup):
        inner = [_expected(item) for item in fault.exceptions]
        return None if None in inner else inner[0]
    return fault if isinstance(fault, PatternSyncError) else None


def _way_out(fault: PatternSyncError) -> str:
    return next(advice for kind, advice in _WAY_OUT.items() if isinstance(fault, kind))


def _escape(text: str) -> str:
    return text.replace("[", r"\[")
