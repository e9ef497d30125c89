"""What systemd does about a daemon that hangs: the watchdog, and the deadline of a start."""

import signal
import time

import pytest

from tests.support.database import TestDatabase
from tests.support.waiting import eventually
from tests.systemd.conftest import Service

pytestmark = pytest.mark.slow

# The same program, with a signal that makes its event loop hang.
HANGS_ON_USR1 = """\
#!/opt/pattern-sync/bin/python
import signal
import time


def hang_here(*_):
    time.sleep(1000)


signal.signal(signal.SIGUSR1, hang_here)
from pattern_sync.cli.main import main

main()
"""


def test_a_loop_that_hangs_is_ended_by_the_watchdog_and_the_journal_holds_its_stack(
    service: Service, database: TestDatabase
) -> None:
    service.box.write("/opt/pattern-sync/bin/hangs", HANGS_ON_USR1, 0o755)
    start = service.box.run("cat", "/opt/pattern-sync/bin/pattern-sync").stdout
    service.box.write(
        "/opt/pattern-sync/bin/start-hangs",
        start.replace("-c 'from pattern_sync.cli.main import main; main()'", "/opt/pattern-sync/bin/hangs"),
        0o755,
    )
    service.drop_in("WatchdogSec=3", "ExecStart=", "ExecStart=/opt/pattern-sync/bin/start-hangs run")
    service.start()
    service.kill(signal.SIGUSR1)
    eventually(lambda: service.show("NRestarts") == "1")
    service.wait_for("daemon.ready", times=2)
    assert "hang_here" in service.messages()
    database.add_pattern("after")
    eventually(lambda: database.entry("after"))


def test_a_process_that_freezes_is_ended_by_the_watchdog(service: Service) -> None:
    service.drop_in("WatchdogSec=3")
    service.start()
    begun = time.monotonic()
    service.kill(signal.SIGSTOP)
    eventually(lambda: service.show("NRestarts") == "1")
    assert time.monotonic() - begun < 15
    service.wait_for("daemon.ready", times=2)


def test_a_process_that_freezes_while_it_starts_is_ended_by_the_deadline_of_the_start(
    service: Service, database: TestDatabase
) -> None:
    service.drop_in("TimeoutStartSec=15")
    with database.another_connection(autocommit=False) as blocker:
        blocker.execute("LOCK TABLE pattern_approvals IN ACCESS EXCLUSIVE MODE")
        service.box.run("systemctl", "start", "--no-block", service.name)
        service.wait_for("filter.published")
        service.kill(signal.SIGSTOP)
        # The daemon has asked for 30 s a moment before.
        eventually(lambda: service.show("NRestarts") == "1", 60)
        blocker.rollback()
    service.wait_for("daemon.ready")
    assert "Current thread" in service.messages(), "the journal holds the stack"


def test_a_first_catch_up_that_takes_longer_than_a_start_may_is_not_cut_off(
    service: Service, database: TestDatabase
) -> None:
    database.add_patterns(5)
    service.drop_in("TimeoutStartSec=15")
    with database.another_connection(autocommit=False) as blocker:
        blocker.execute("LOCK TABLE pattern_approvals IN ACCESS EXCLUSIVE MODE")
        service.box.run("systemctl", "start", "--no-block", service.name)
        service.wait_for("filter.published")
        time.sleep(20)  # longer than the start may take
        assert service.show("ActiveState") == "activating"
        pid = service.pid
        blocker.rollback()
    eventually(service.is_active)
    assert (service.pid, service.show("NRestarts")) == (pid, "0")
    assert database.count("pattern_approvals") == 5
