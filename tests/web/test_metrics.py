"""The metrics over HTTP: who may read them, what a scrape costs, and what it shows of a living daemon."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx

from pattern_sync.services.timings import Timings
from tests.support.command import run_command
from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.database import TestDatabase
from tests.support.proxy import proxy_to
from tests.support.scrape import scrape
from tests.support.waiting import eventually, show
from tests.web.conftest import ADMIN_TOKEN, API_TOKEN, Served, path_of

METRICS_TOKEN = "scrapers-token"
SCRAPES = 200
# Nothing of its own accord happens while a test counts.
SLEEPY = Timings(
    heartbeat_seconds=300, poll_seconds=300, refresh_seconds=300, watch_seconds=300, quarantine_idle_seconds=300
)
OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


def status_with(daemon: DaemonProcess, token: str | None = None, path: str = "/metrics") -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.get(daemon.http_url.replace("0.0.0.0", "127.0.0.1") + path, headers=headers).status_code


def test_a_scraper_gets_the_format_that_it_asks_for(served: Served) -> None:
    answer = served.client.get("/metrics", headers={"Accept": OPENMETRICS})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    answer = served.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    for accept in ("text/plain;version=latest", "application/openmetrics-text; version=abc", "nonsense"):
        assert served.client.get("/metrics", headers={"Accept": accept}).status_code == 200
    assert served.client.head("/metrics").status_code == 200
    assert served.client.post("/metrics").status_code == 405


def test_what_happens_to_a_pattern_is_counted_from_its_notification_to_its_decision(served: Served) -> None:
    url = served.daemon.http_url
    before = scrape(url)
    path = served.queue("counted")
    assert served.client.post(f"{path}/approve", json={}).status_code == 200
    assert served.client.post(f"{path}/approve", json={"reviewer": "somebody else"}).status_code == 409
    eventually(lambda: scrape(url).value("patterns_total", cause="event", outcome="queued") == 1.0)
    after = scrape(url)

    def grew(name: str, **labels: str) -> float:
        return (after.value(name, **labels) or 0) - (before.value(name, **labels) or 0)

    assert grew("notifications_total", channel="patterns", kind="pattern") == 1
    assert grew("event_to_entry_seconds_count") == 1
    assert 0 < grew("event_to_entry_seconds_sum") < 5
    assert grew("batch_patterns_sum") == 1
    assert grew("decisions_total", action="approve", result="done") == 1
    assert grew("decisions_total", action="approve", result="conflict") == 1
    approvals = {"route": "/api/v1/patterns/{pattern_id}/approve"}
    assert grew("http_requests_total", **approvals, code="200") == 1
    assert grew("http_requests_total", **approvals, code="409") == 1
    assert grew("http_request_seconds_count", **approvals) == 2
    assert after.value("database_up") == after.value("listener_mode", mode="listening") == 1
    assert after.value("qualifying_missing") == 0
    assert after.value("pool_connections", lane="any", state="idle") is not None


def test_whatever_people_ask_for_the_number_of_series_stays(served: Served) -> None:
    client, url = served.client, served.daemon.http_url
    for path in ("/", "/nothing", "/api/v1/nothing", path_of("x"), "/openapi.json", "/api/v1/patterns?limit=x"):
        client.get(path)
    client.get("/readyz", headers={"Host": "elsewhere.example"})
    client.post("/api/v1/patterns/x/approve", headers={"Origin": "https://elsewhere.example"})
    before = len(scrape(url).names()), len(scrape(url).series("http_requests_total"))
    for number in range(50):
        client.get(f"/nothing/{number}")
        client.get(path_of(f"never:{number}"))
        client.post(f"/api/v1/patterns/{number}/approve", headers={"Origin": f"https://{number}.example"})
    after = scrape(url)
    assert (len(after.names()), len(after.series("http_requests_total"))) == before
    assert after.value("http_requests_total", route="static", code="404") == 52
    assert after.value("http_requests_total", route="refused", code="403") == 51


def test_a_scrape_sends_nothing_to_the_database_and_takes_a_moment(database: TestDatabase) -> None:
    passed: list[int] = []

    def counting() -> Callable[[bytes], bytes]:
        def count(data: bytes) -> bytes:
            passed.append(len(data))
            return data

        return count

    with (
        proxy_to(database.url, new_filter=counting) as (_, url),
        running_daemon(url, timings=SLEEPY) as daemon,
        httpx.Client(base_url=daemon.http_url, timeout=30) as client,
    ):
        eventually(lambda: scrape(daemon.http_url).value("notification_queue_usage_ratio") is not None)
        eventually(lambda: is_quiet(passed))
        before = len(passed)
        took = [seconds_of(client) for _ in range(SCRAPES)]
        assert len(passed) == before
    show(f"a scrape takes {median(took) * 1000:.1f} ms")


def is_quiet(passed: list[int]) -> bool:
    before = len(passed)
    time.sleep(1.0)  # longer than whatever is done once after the start takes
    return len(passed) == before


def seconds_of(client: httpx.Client) -> float:
    started = time.monotonic()
    client.get("/metrics").raise_for_status()
    return time.monotonic() - started


def test_the_metrics_are_served_while_the_database_is_away(database: TestDatabase) -> None:
    with proxy_to(database.url) as (proxy, url), running_daemon(url) as daemon:
        proxy.refuse(refusing=True)
        proxy.cut()
        with httpx.Client(base_url=daemon.http_url, timeout=30) as client:
            eventually(lambda: scrape(daemon.http_url).value("database_up") == 0)
            assert median(seconds_of(client) for _ in range(20)) < 0.1
        away = scrape(daemon.http_url)
        assert away.value("listener_mode", mode="polling") == 1
        assert away.sum_of("listener_reconnects_total") >= 1
        proxy.refuse(refusing=False)
        eventually(lambda: scrape(daemon.http_url).value("database_up") == 1)


@contextmanager
def beyond_loopback(database: TestDatabase, token_file: str = "") -> Iterator[DaemonProcess]:
    with running_daemon(
        database.url,
        PATTERN_SYNC_HTTP_HOST="0.0.0.0",
        PATTERN_SYNC_API_TOKEN=API_TOKEN,
        PATTERN_SYNC_ADMIN_TOKEN=ADMIN_TOKEN,
        PATTERN_SYNC_METRICS_TOKEN_FILE=token_file,
    ) as daemon:
        yield daemon


def test_on_loopback_the_metrics_are_open_even_where_the_queue_needs_a_token(database: TestDatabase) -> None:
    with running_daemon(database.url, PATTERN_SYNC_API_TOKEN=API_TOKEN) as daemon:
        assert status_with(daemon) == 200
        assert status_with(daemon, path="/api/v1/patterns") == 401


def test_beyond_loopback_the_metrics_need_the_api_token(database: TestDatabase) -> None:
    with beyond_loopback(database) as daemon:
        answer = httpx.get(f"{daemon.http_url.replace('0.0.0.0', '127.0.0.1')}/metrics")
        assert answer.status_code == 401
        assert answer.json()["detail"] == "The API token is missing. Send it as Authorization: Bearer TOKEN."
        assert [status_with(daemon, token) for token in (API_TOKEN, ADMIN_TOKEN, "x")] == [200, 200, 401]


def test_a_token_for_the_metrics_opens_nothing_else(database: TestDatabase, tmp_path: Path) -> None:
    file = tmp_path / "scraper"
    file.write_text(f"{METRICS_TOKEN}\n")
    with beyond_loopback(database, str(file)) as daemon:
        tokens = (METRICS_TOKEN, API_TOKEN, ADMIN_TOKEN, "x", None)
        assert [status_with(daemon, token) for token in tokens] == [200, 200, 200, 401, 401]
        assert status_with(daemon, METRICS_TOKEN, "/api/v1/patterns") == 401
        assert METRICS_TOKEN not in daemon.text
    with running_daemon(database.url, PATTERN_SYNC_METRICS_TOKEN=METRICS_TOKEN) as daemon:
        assert [status_with(daemon, token) for token in (METRICS_TOKEN, None)] == [200, 401]


def test_a_token_that_cannot_be_used_is_refused_at_the_start(database: TestDatabase) -> None:
    def said(**setting: str) -> str:
        outcome = run_command("run", **{"PATTERN_SYNC_DATABASE_URL": database.url, **setting})  # type: ignore[arg-type]
        assert outcome.code == 2
        return " ".join(outcome.err.split())

    assert "PATTERN_SYNC_METRICS_TOKEN holds no token; use one word" in said(PATTERN_SYNC_METRICS_TOKEN="two words")
    unreadable = said(PATTERN_SYNC_METRICS_TOKEN_FILE="/nowhere")
    assert "PATTERN_SYNC_METRICS_TOKEN_FILE, '/nowhere', cannot be read: No such file or directory" in unreadable
