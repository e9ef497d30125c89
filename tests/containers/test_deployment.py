"""docker-compose.yml as an operator runs it: up, queueing, a replica killed, an outage, an upgrade, stopped."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.engine import Deployment, documented
from tests.support.waiting import eventually, show

if TYPE_CHECKING:
    import subprocess

PATTERN = (
    "INSERT INTO operation_patterns"
    " (pattern_signature, pattern_type, confidence_score, occurrence_count, potential_monthly_savings)"
    " VALUES ('{}', 'container', 90, 10, 5000);"
)
MISSING = (
    "SELECT count(*) FROM operation_patterns AS p"
    " WHERE NOT EXISTS (SELECT FROM pattern_approvals AS a WHERE a.pattern_id = p.pattern_signature)"
)
SLOWEST = (
    "SELECT max(extract(epoch FROM a.created_at - p.created_at))"
    " FROM operation_patterns AS p JOIN pattern_approvals AS a ON a.pattern_id = p.pattern_signature"
    " WHERE p.pattern_signature LIKE 'upgrade:%'"
)
DAEMONS = ("daemon-1", "daemon-2")


def all_queued(deployment: Deployment) -> bool:
    return deployment.sql(MISSING) == "0"


@contextmanager
def detector(deployment: Deployment, name: str) -> Iterator[list[str]]:
    """Commit a pattern every twentieth of a second meanwhile; yield their signatures."""
    signatures: list[str] = []
    ended = threading.Event()

    def write(session: "subprocess.Popen[str]") -> None:
        assert session.stdin
        while not ended.wait(0.05):
            signatures.append(f"{name}:{len(signatures)}")
            session.stdin.write(PATTERN.format(signatures[-1]) + "\n")
            session.stdin.flush()
        session.stdin.close()

    with deployment.open_psql() as session:
        thread = threading.Thread(target=write, args=[session])
        thread.start()
        try:
            yield signatures
        finally:
            ended.set()
            thread.join()
    assert session.returncode == 0, "a writer met an error"


def test_a_pattern_is_queued_and_served_by_each_replica_to_whom_has_the_token(deployment: Deployment) -> None:
    deployment.sql(PATTERN.format("container:first"))
    eventually(lambda: all_queued(deployment))
    for port in deployment.ports:
        queue = f"http://127.0.0.1:{port}/api/v1/patterns"
        assert httpx.get(queue).status_code == 401
        assert "container:first" in httpx.get(queue, headers={"Authorization": f"Bearer {deployment.token}"}).text


def test_the_simulated_detector_writes_into_it(deployment: Deployment) -> None:
    before = int(deployment.sql("SELECT count(*) FROM operation_patterns"))
    deployment.compose("run", "--rm", "--no-TTY", "simulate", "simulate", "--yes", "--seconds", "2")
    assert int(deployment.sql("SELECT count(*) FROM operation_patterns")) > before
    deployment.sql("DELETE FROM pattern_occurrences; DELETE FROM operation_patterns WHERE pattern_type <> 'container'")


def test_the_other_replica_queues_on_when_one_is_killed(deployment: Deployment) -> None:
    with detector(deployment, "killed") as signatures:
        eventually(lambda: len(signatures) > 10)
        deployment.compose("kill", "daemon-1")
        written = len(signatures)
        eventually(lambda: len(signatures) > written + 20)
    eventually(lambda: all_queued(deployment), what="what was written beside one replica")
    deployment.compose("up", "--detach", "--no-deps", "--wait", "daemon-1")


def test_a_rolling_upgrade_misses_nothing_that_is_written_meanwhile(deployment: Deployment, next_image: str) -> None:
    steps = [line.partition("#")[0].split() for line in documented("upgrade").splitlines()]
    with detector(deployment, "upgrade") as signatures:
        for _docker, _compose, *step in steps[2:]:  # the image is there already
            deployment.compose(*step, TAG=next_image.partition(":")[2])
        written = len(signatures)
        eventually(lambda: len(signatures) > written + 5)
    eventually(lambda: all_queued(deployment), what="what was written during the upgrade")
    show(f"{len(signatures)} patterns written during the upgrade, the slowest queued after {deployment.sql(SLOWEST)} s")
    for daemon in DAEMONS:
        image_of = deployment.engine.inspect(deployment.container(daemon), "{{.Config.Image}}")
        assert image_of.endswith(next_image)
    assert float(deployment.sql(SLOWEST)) < 5


def test_a_daemon_that_starts_without_its_database_waits_for_it(deployment: Deployment) -> None:
    engine = deployment.engine
    deployment.compose("stop", "database")
    deployment.compose("restart", "daemon-1")
    daemon = deployment.container("daemon-1")
    eventually(lambda: "database.lost" in engine.logs(daemon).rpartition("daemon.stopped")[2])
    started = engine.inspect(daemon, "{{.State.StartedAt}}")
    eventually(lambda: engine.exec(daemon, "probe", "/livez")[0] == 0)
    assert engine.exec(daemon, "probe", "/readyz")[0] == 1
    deployment.compose("start", "database")
    eventually(lambda: engine.exec(daemon, "probe", "/readyz")[0] == 0, what="readiness")
    assert engine.inspect(daemon, "{{.State.StartedAt}}") == started


def test_stop_is_orderly(deployment: Deployment) -> None:
    daemons = [deployment.container(daemon) for daemon in DAEMONS]
    deployment.compose("stop", *DAEMONS)
    for daemon in daemons:
        assert deployment.engine.inspect(daemon, "{{.State.ExitCode}}") == "0"
        assert "daemon.stopped" in deployment.engine.logs(daemon)
    deployment.compose("up", "--detach", "--no-deps", "--wait", *DAEMONS)


@pytest.mark.parametrize("user", ["1000650000:0", "65534:65534"], ids=["OpenShift's", "nobody"])
def test_any_user_will_do(deployment: Deployment, user: str) -> None:
    engine = deployment.engine
    daemon = deployment.start_another("--user", user)
    try:
        eventually(lambda: engine.exec(daemon, "probe", "/readyz")[0] == 0, what="readiness")
        engine.run("stop", daemon)
        assert engine.inspect(daemon, "{{.State.ExitCode}}") == "0"
    finally:
        engine.run("rm", "--force", daemon)
