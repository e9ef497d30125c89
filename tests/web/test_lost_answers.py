"""The database is lost in the middle of a decision: the daemon says that it does not know, and no more."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.proxy import Proxy, proxy_to
from tests.support.waiting import eventually
from tests.web.conftest import Served

# Between the decision and its commit.
DAWDLE = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$;
CREATE TRIGGER dawdle BEFORE INSERT ON pattern_review_history FOR EACH ROW EXECUTE FUNCTION dawdle()
"""
DECIDING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"


@pytest.fixture
def slow(database: TestDatabase) -> Iterator[tuple[Served, Proxy]]:
    """Yield a daemon whose decisions take a second, and the link to its database."""
    with (
        proxy_to(database.url) as (link, url),
        running_daemon(url) as daemon,
        httpx.Client(base_url=daemon.http_url, timeout=30) as client,
    ):
        database.execute(DAWDLE)
        yield Served(database, daemon, client), link


def test_a_decision_whose_connection_is_lost_is_in_doubt(slow: tuple[Served, Proxy]) -> None:
    served, link = slow
    path = served.queue("in:doubt")
    with ThreadPoolExecutor() as person:
        decision = person.submit(served.client.post, f"{path}/approve")
        eventually(lambda: served.database.execute(DECIDING))
        link.cut()
        answer = decision.result()
    assert answer.status_code == 504
    lost = "The database was lost before it answered. It is not known whether this was written."
    assert answer.json()["detail"] == lost
    assert "retry-after" not in answer.headers
    # It was: the server did not notice that nobody listened.
    eventually(lambda: (served.database.entry("in:doubt") or {})["status"] == "approved")


def test_a_decision_that_ended_with_its_session_is_never_said_to_be_written(slow: tuple[Served, Proxy]) -> None:
    served, _ = slow
    path = served.queue("ended")
    with ThreadPoolExecutor() as person:
        decision = person.submit(served.client.post, f"{path}/approve")
        eventually(lambda: served.database.execute(DECIDING))
        served.database.execute(f"SELECT pg_terminate_backend(pid) FROM ({DECIDING}) deciding")
        assert decision.result().status_code in {503, 504}
    assert served.client.get(path).json()["status"] == "pending"
