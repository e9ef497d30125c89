"""How the program ends: each kind of fault has its exit code, its words for people and its line in the log."""

import json

import pytest

from pattern_sync.cli.endings import exit_code, report, report_in_log
from pattern_sync.domain import errors
from pattern_sync.observability.logs import configure_logging

GRANT = "GRANT SELECT ON pattern_approvals TO app;"
CHECK_ACCESS = "Check the user, password and database in PATTERN_SYNC_DATABASE_URL, and the user's rights."
PLAIN = [
    (
        errors.InvalidSettings("PATTERN_SYNC_INTERVAL is '0'."),
        2,
        "Error: PATTERN_SYNC_INTERVAL is '0'.\n",
        "Correct the setting that the reason names. A restart does not help before that.",
    ),
    (
        errors.AccessRefused("db:5432: no"),
        3,
        f"Error: db:5432: no\n{CHECK_ACCESS}\n",
        CHECK_ACCESS,
    ),
    (
        errors.RightsMissing([GRANT]),
        3,
        f"Error: This role lacks rights. As the owner of the tables: {GRANT}\n",
        "Run the GRANTs that the reason lists.",
    ),
    (
        errors.DatabaseUnavailable("db:5432: down"),
        3,
        "Error: db:5432: down\nCheck that the server is up and that PATTERN_SYNC_DATABASE_URL names it.\n",
        "Check that the server is up and that PATTERN_SYNC_DATABASE_URL names it.",
    ),
    (errors.SchemaOutdated("old"), 4, "Error: old\n", "Run: pattern-sync migrate"),
    (errors.SchemaTooNew("new"), 4, "Error: new\n", "Install the newer Pattern Sync on this machine, too."),
    (
        errors.UnfitApplication("no key"),
        4,
        "Error: no key\n",
        "Change the table that the reason names. A restart does not help before that.",
    ),
    (
        errors.EmbeddedServerError("no server\n[log]"),
        3,
        "Error: no server\n[log]\n",
        "Remove the obstacle that the reason names, or set PATTERN_SYNC_DATABASE_URL.",
    ),
    (
        errors.EmbeddedServerMoved("moved."),
        3,
        "Error: moved.\nStart the daemon again. A service manager does so by itself.\n",
        "Start the daemon again. A service manager does so by itself.",
    ),
    (errors.StatementFailed("bad row"), 1, "Error: bad row\n", "Remove the cause that the reason names."),
]


@pytest.mark.parametrize(("fault", "code", "text", "remedy"), PLAIN, ids=lambda each: type(each).__name__)
def test_a_fault_has_its_words_and_its_line(
    capsys: pytest.CaptureFixture[str], fault: errors.PatternSyncError, code: int, text: str, remedy: str
) -> None:
    assert report(fault) == exit_code(fault) == code
    assert capsys.readouterr().err == text
    configure_logging("error", "json")
    assert report_in_log(ExceptionGroup("tasks", [fault])) == code
    line = json.loads(capsys.readouterr().err)
    assert list(line) == ["timestamp", "level", "event", "message", "exit_code", "reason", "remedy"]
    assert (line["level"], line["event"]) == ("critical", "daemon.failed")
    assert (line["exit_code"], line["reason"], line["remedy"]) == (code, str(fault), remedy)


def test_a_bug_is_one_line_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    for end in (report, report_in_log):
        assert end(ExceptionGroup("tasks", [ValueError("bug"), errors.DatabaseUnavailable("down")])) == 1
        line = json.loads(capsys.readouterr().err)
        assert (line["level"], line["event"], line["exit_code"]) == ("critical", "process.crashed", 1)
        assert line["exception"][0]["exc_type"] == "ExceptionGroup"
