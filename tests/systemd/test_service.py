"""The shipped unit under a real systemd: start, reload, kill, stop, and the exit codes that end or mend it."""

import signal

from tests.support.box import Box
from tests.support.database import TestDatabase
from tests.support.waiting import eventually
from tests.systemd.conftest import Service, spelt_out


def test_a_start_is_over_when_what_qualifies_is_queued_and_a_stop_leaves_nothing(
    service: Service, database: TestDatabase
) -> None:
    database.add_patterns(3)
    service.start()
    assert database.count("pattern_approvals") == 3
    eventually(lambda: service.show("StatusText") == "listening; 3 queued, 0 failed since start")
    status = (service.box.root / f"proc/{service.pid}/status").read_text()
    assert "Uid:\t0\t" not in status, "it does not run as root"
    environment = (service.box.root / f"proc/{service.pid}/environ").read_text()
    assert "postgresql://" not in environment, "the address comes as a credential, which no environment shows"
    service.systemctl("stop")
    assert (service.show("ActiveState"), service.show("Result")) == ("inactive", "success")
    assert service.show("ExecMainStatus") == "0"
    assert not database.execute("SELECT 1 FROM pg_stat_activity WHERE application_name ~ '^pattern-sync'")


def test_a_reload_is_over_when_the_filter_is_in_force_and_fails_where_the_settings_are_refused(
    service: Service, database: TestDatabase
) -> None:
    service.settings("MIN_CONFIDENCE=90")
    service.start()
    database.add_pattern("less sure", confidence_score=65)
    pid = service.pid
    service.settings("MIN_CONFIDENCE=60")
    service.systemctl("reload")
    assert database.execute("SELECT min_confidence FROM pattern_sync.settings") == [{"min_confidence": 60}]
    eventually(lambda: database.entry("less sure"))

    service.settings("MIN_CONFIDENCE=abc")
    assert service.systemctl("reload", check=False).returncode != 0
    assert "the last reload was refused: PATTERN_SYNC_MIN_CONFIDENCE is 'abc'" in service.show("StatusText")
    assert "PATTERN_SYNC_MIN_CONFIDENCE is 'abc'" in service.wait_for("settings.refused")["reason"]
    assert service.is_active()

    service.settings("MIN_CONFIDENCE=60", "INTERVAL=60")
    service.systemctl("reload")
    assert "PATTERN_SYNC_INTERVAL" in service.wait_for("settings.unread")["reason"]
    assert "refused" not in service.show("StatusText")
    assert service.pid == pid
    priorities = {"info": 6, "warning": 4, "error": 3}
    assert {line["level"] for line in service.lines()} == set(priorities)
    assert all(line["priority"] == priorities[line["level"]] for line in service.lines())


def test_a_killed_daemon_is_started_again_and_catches_up(service: Service, database: TestDatabase) -> None:
    service.start()
    service.kill(signal.SIGKILL)
    eventually(lambda: service.show("ActiveState") != "active")
    database.add_pattern("meanwhile")
    service.wait_for("daemon.ready", times=2)
    assert database.queue() == {"meanwhile"}
    assert service.show("NRestarts") == "1"


def test_a_schema_that_is_missing_is_waited_for_and_a_wrong_setting_is_not(
    box: Box, service: Service, empty_database: TestDatabase
) -> None:
    service.database(empty_database.url)
    assert service.systemctl("start", check=False).returncode != 0
    eventually(lambda: int(service.show("NRestarts")) >= 1)
    assert "pattern-sync migrate" in service.messages()
    box.run("/opt/pattern-sync/bin/pattern-sync", "migrate", PATTERN_SYNC_DATABASE_URL=spelt_out(empty_database.url))
    service.wait_for("daemon.ready")
    service.systemctl("stop")

    service.settings("INTERVAL=0")
    assert service.systemctl("start", check=False).returncode != 0
    assert (service.show("ActiveState"), service.show("ExecMainStatus")) == ("failed", "2")
