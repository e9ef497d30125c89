"""Probes and health, from the first catch-up to a lost database; and how fast a response is."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from statistics import median
from typing import Any

import httpx
import pytest

from pattern_sync.database.version import SCHEMA_VERSION
from tests.support.daemon import running_daemon, starting_daemon
from tests.support.database import TestDatabase
from tests.support.proxy import WithoutNotifications, proxy_to
from tests.support.waiting import eventually, show
from tests.web.conftest import ADMIN_TOKEN, Served, path_of

HEALTH = "/api/v1/system/health"
HEALTH_FIELDS = {
    "status",
    "reasons",
    "version",
    "schema_version",
    "started_at",
    "database",
    "database_lost_at",
    "listener",
    "listener_since",
    "last_notification_at",
    "last_catch_up_at",
    "last_sweep_at",
    "next_sweep_at",
    "queue_depth",
    "queued_total",
    "failed_total",
    "refused",
    "recovered_total",
    "last_recovered_at",
}
DATABASE_REQUESTS: list[tuple[str, str, dict[str, str] | None]] = [
    ("GET", "/api/v1/patterns", None),
    ("GET", "/api/v1/patterns/pending", None),
    ("GET", "/api/v1/patterns/statistics", None),
    ("GET", path_of("outage"), None),
    ("GET", f"{path_of('outage')}/history", None),
    ("GET", f"{path_of('outage')}/explain", None),
    ("POST", f"{path_of('outage')}/comment", {"comment": "x"}),
    ("POST", f"{path_of('outage')}/approve", None),
    ("POST", f"{path_of('outage')}/reject", {"reason": "x", "replaces": "approved"}),
    ("GET", "/api/v1/patterns/sync/statistics", None),
    ("POST", "/api/v1/patterns/sync/run", None),
    ("POST", "/api/v1/patterns/sync/run?dry_run=true", None),
    ("POST", "/api/v1/patterns/sync/high-priority", None),
    ("POST", "/api/v1/patterns/sync/all", None),
]


def health_of(client: httpx.Client) -> dict[str, Any]:
    answer = client.get(HEALTH)
    report: dict[str, Any] = answer.json()
    assert set(report) == HEALTH_FIELDS
    assert answer.status_code == (200 if report["status"] == "ok" else 503)
    assert bool(report["reasons"]) is (report["status"] != "ok")
    return report


def moment_of(report: dict[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(report[name])


def age_seconds(moment: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()


@pytest.fixture(scope="module")
def sweeping(module_database: TestDatabase) -> Iterator[Served]:
    """Return a daemon that sweeps every second."""
    with (
        running_daemon(module_database.url, PATTERN_SYNC_INTERVAL="1") as daemon,
        httpx.Client(base_url=daemon.http_url, timeout=30) as client,
    ):
        yield Served(module_database, daemon, client)


def test_a_daemon_that_listens_is_healthy(sweeping: Served) -> None:
    report = health_of(sweeping.client)
    assert (report["status"], report["reasons"], report["database"], report["listener"]) == (
        "ok",
        [],
        "ok",
        "listening",
    )
    assert report["schema_version"] == SCHEMA_VERSION
    assert report["version"] == version("pattern-sync")
    assert report["database_lost_at"] is None
    assert report["queue_depth"] == 0
    for name in ("started_at", "listener_since", "last_catch_up_at"):
        assert 0 <= age_seconds(report[name]) < 60
        assert report[name].endswith("Z")
    assert report["started_at"] <= report["listener_since"]
    assert report["started_at"] <= report["last_catch_up_at"]
    for probe in ("/readyz", "/livez"):
        answer = sweeping.client.get(probe)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "reasons": []})


def test_the_health_report_has_the_times_of_sweeps(sweeping: Served) -> None:
    eventually(lambda: health_of(sweeping.client)["last_sweep_at"])
    first = moment_of(health_of(sweeping.client), "last_sweep_at")
    eventually(lambda: moment_of(health_of(sweeping.client), "last_sweep_at") > first + timedelta(seconds=0.5))
    ahead = moment_of(health_of(sweeping.client), "next_sweep_at") - datetime.now(UTC)
    assert ahead < timedelta(seconds=1)


def test_the_health_report_has_the_last_notification_and_its_outcome(sweeping: Served) -> None:
    before = health_of(sweeping.client)
    begun = datetime.now(UTC)
    sweeping.queue("health:queued")
    eventually(lambda: health_of(sweeping.client)["queued_total"] == before["queued_total"] + 1)
    after = health_of(sweeping.client)
    assert begun <= moment_of(after, "last_notification_at") <= datetime.now(UTC)
    assert moment_of(after, "last_catch_up_at") < begun
    assert moment_of(after, "listener_since") < begun


def test_before_the_first_catch_up_a_daemon_is_live_and_not_ready() -> None:
    with starting_daemon("postgresql://nobody@127.0.0.1:1/x") as daemon:
        daemon.wait_for("database.lost")
        with httpx.Client(base_url=daemon.http_url, timeout=30) as client:
            assert client.get("/livez").status_code == 200
            ready = client.get("/readyz")
            assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
            assert ready.json()["reasons"]
            report = health_of(client)
            assert (report["status"], report["database"], report["listener"]) == (
                "unavailable",
                "unavailable",
                "starting",
            )
            assert report["last_catch_up_at"] is report["last_notification_at"] is report["next_sweep_at"] is None
            assert client.get("/").status_code == 200


def test_a_deaf_daemon_is_degraded_and_still_ready(database: TestDatabase) -> None:
    with proxy_to(database.url, new_filter=WithoutNotifications) as (_, url), starting_daemon(url) as daemon:
        daemon.wait_for("listener.lost")
        daemon.wait_for("daemon.ready")
        with httpx.Client(base_url=daemon.http_url, timeout=30) as client:
            report = health_of(client)
            assert (report["status"], report["listener"], report["database"]) == ("degraded", "polling", "ok")
            ready = client.get("/readyz")
            assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
            assert ready.json()["reasons"] == report["reasons"]
            assert client.get("/api/v1/patterns/pending").status_code == 200


def test_an_outage_is_reported_and_passes_by_itself(database: TestDatabase) -> None:
    database.add_pattern("outage")
    with (
        proxy_to(database.url) as (proxy, url),
        running_daemon(url, PATTERN_SYNC_ADMIN_TOKEN=ADMIN_TOKEN) as daemon,
        httpx.Client(base_url=daemon.http_url, timeout=30) as client,
    ):
        eventually(lambda: client.get(path_of("outage")).status_code == 200)
        proxy.refuse(refusing=True)
        proxy.cut()
        for method, path, body in DATABASE_REQUESTS:
            answer = client.request(method, path, json=body, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})
            assert answer.status_code == 503, (path, answer.text)
            assert set(answer.json()) == {"detail", "request_id"}
            assert int(answer.headers["retry-after"]) > 0
            _assert_discreet(answer, database)
        eventually(lambda: client.get("/readyz").status_code == 503)
        assert client.get("/livez").status_code == 200
        assert client.get("/").status_code == 200
        report = health_of(client)
        assert (report["status"], report["database"]) == ("unavailable", "unavailable")
        assert 0 <= age_seconds(report["database_lost_at"]) < 30
        _assert_discreet(client.get(HEALTH), database)
        _assert_discreet(client.get("/readyz"), database)

        proxy.refuse(refusing=False)
        eventually(lambda: client.get(HEALTH).status_code == 200)
        assert client.get("/readyz").status_code == 200
        assert health_of(client)["database_lost_at"] is None
        for method, path, body in DATABASE_REQUESTS:
            answer = client.request(method, path, json=body, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})
            assert answer.status_code == 200, (path, answer.text)


def _assert_discreet(answer: httpx.Response, database: TestDatabase) -> None:
    for word in (database.name, "127.0.0.1", "asyncpg", "psycopg", "connect", "errno", "postgres", "traceback"):
        assert word.lower() not in answer.text.lower()


def test_a_request_to_a_dropped_schema_is_an_outage_and_not_a_bug(database: TestDatabase) -> None:
    with starting_daemon(database.url) as daemon, httpx.Client(base_url=daemon.ready().http_url, timeout=30) as client:
        database.execute("ALTER FUNCTION pattern_sync.decide_many RENAME TO decided")
        database.add_pattern("schema")
        eventually(lambda: database.entry("schema"))
        answer = client.post(f"{path_of('schema')}/approve")
        assert answer.status_code == 503
        assert "pattern_sync" not in answer.text
        assert database.entry("schema") is not None


def test_a_response_on_a_kept_connection_does_not_wait_for_a_delayed_ack(sweeping: Served) -> None:
    took = []
    for _ in range(21):
        begun = time.monotonic()
        sweeping.client.get("/livez")
        took.append(time.monotonic() - begun)
    show(f"an answer on a kept connection: {median(took) * 1000:.1f} ms")
    # A delayed ACK takes 40 ms and would delay every response but the first; a response takes about 1 ms.
    assert min(took[1:]) < 0.03
