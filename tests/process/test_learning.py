"""A daemon that learns: from the first decisions to an order by what people are likely to approve."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.database import TestDatabase
from tests.support.learning import KINDS, decide_by_kind, queue_kinds
from tests.support.waiting import eventually

LIKED, _ = KINDS


@pytest.fixture
def daemon(database: TestDatabase) -> Iterator[DaemonProcess]:
    decide_by_kind(database, queue_kinds(database, 10))
    with running_daemon(database.url, PATTERN_SYNC_LEARN="on", PATTERN_SYNC_INTERVAL="1") as daemon:
        yield daemon


def model(daemon: DaemonProcess) -> dict[str, Any]:
    report: dict[str, Any] = httpx.get(f"{daemon.http_url}/api/v1/model").raise_for_status().json()
    return report


def pending(daemon: DaemonProcess, **query: str | int) -> list[dict[str, Any]]:
    asked = httpx.get(f"{daemon.http_url}/api/v1/patterns/pending", params=query)
    entries: list[dict[str, Any]] = asked.raise_for_status().json()
    return entries


def are_foretold(database: TestDatabase, names: list[str]) -> bool:
    return set(names) <= {row["pattern_id"] for row in database.execute("SELECT * FROM pattern_sync.predictions")}


def test_it_says_not_yet_and_then_orders_the_queue(database: TestDatabase, daemon: DaemonProcess) -> None:
    eventually(lambda: model(daemon)["learned_from"] == 20, what="the first model")
    refused = httpx.get(f"{daemon.http_url}/api/v1/patterns/pending", params={"sort": "expected"})
    assert refused.status_code == 409
    assert "learned from 20 decisions; not better than the base rate yet" in refused.json()["detail"]
    foretold = queue_kinds(database, 30, "w")
    eventually(lambda: are_foretold(database, foretold), what="predictions of what was queued")
    assert all(entry["likelihood"] is None and not entry["folded"] for entry in pending(daemon, limit=100))
    decide_by_kind(database, foretold)
    waiting = queue_kinds(database, 20, "later")
    eventually(lambda: model(daemon)["shown"], what="the open gate")
    eventually(lambda: are_foretold(database, waiting), what="the other predictions")
    report = model(daemon)
    assert report["gate"]["is_open"]
    assert (report["gate"]["foretold"], report["reviewers"][0]["reviewer"]) == (60, "ann")
    assert report["words"].startswith("learned from 80 decisions; better than the base rate")
    assert report["terms"][0]["name"].endswith(("fix", "fix:lint", "test", "test:pytest"))
    eventually(lambda: report["fold"]["entries"] or model(daemon)["fold"]["entries"], what="the fold")
    listed = pending(daemon, sort="expected", limit=100)
    assert len(listed) == len(waiting)
    assert [entry["pattern_id"].startswith(LIKED) for entry in listed] == [True] * 20 + [False] * 20
    assert [entry["folded"] for entry in listed] == sorted(entry["folded"] for entry in listed)
    first = listed[0]["pattern_id"]
    why = httpx.get(f"{daemon.http_url}/api/v1/patterns/{quote(first, safe='')}/likelihood").raise_for_status().json()
    assert why["likelihood"] == pytest.approx(listed[0]["likelihood"], abs=1e-6)
    assert any(f"with {LIKED} were approved" in reason for reason in why["reasons"])
    total = httpx.get(f"{daemon.http_url}/api/v1/patterns/pending").headers["Total-Count"]
    assert int(total) == len(waiting)  # the fold is never out of the counts
    ids = httpx.get(f"{daemon.http_url}/api/v1/patterns/ids", params={"sort": "expected"}).raise_for_status().json()
    assert ids["ids"] == [entry["pattern_id"] for entry in listed]
    assert len(daemon.lines("likelihoods.shown")) == 1


def test_a_daemon_that_is_not_to_show_it_hides_it(database: TestDatabase) -> None:
    database.execute("INSERT INTO pattern_sync.models (lessons, model, digest, shown) VALUES (0, '', '', true)")
    with running_daemon(database.url, PATTERN_SYNC_LEARN="off"):
        eventually(
            lambda: not database.execute("SELECT pattern_sync.shows_likelihoods() AS shown")[0]["shown"], what="hiding"
        )
