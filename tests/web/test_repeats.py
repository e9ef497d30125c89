"""Requests that are sent again under their Idempotency-Key: written once, answered twice."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.daemon import starting_daemon
from tests.support.database import TestDatabase
from tests.support.waiting import eventually
from tests.web.conftest import Served, path_of

API = "/api/v1/patterns"


@pytest.fixture
def key() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def path(served: Served) -> str:
    return served.queue(f"again:{uuid.uuid4()}")


def send(served: Served, path: str, key: str, body: object = None, **headers: str) -> httpx.Response:
    return served.client.post(path, json=body, headers={"Idempotency-Key": key, **headers})


def assert_replayed(first: httpx.Response, again: httpx.Response) -> None:
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert first.headers.get("Pattern-Sync-Batch") == again.headers.get("Pattern-Sync-Batch")
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Content-Type"] == first.headers["Content-Type"]


def test_a_comment_that_is_sent_again_is_written_once(served: Served, path: str, key: str) -> None:
    body = {"comment": "whose?", "reviewer": "ann"}
    assert_replayed(send(served, f"{path}/comment", key, body), send(served, f"{path}/comment", key, body))
    assert len(served.client.get(f"{path}/history").json()) == 1


def test_a_decision_that_is_sent_again_names_its_batch_again(served: Served, path: str, key: str) -> None:
    first = send(served, f"{path}/approve", key)
    assert int(first.headers["Pattern-Sync-Batch"]) > 0
    assert_replayed(first, send(served, f"{path}/approve", key))


def test_a_batch_and_its_undo_are_each_done_once(served: Served, path: str, key: str) -> None:
    signature = served.client.get(path).json()["pattern_id"]
    body = {"pattern_ids": [signature], "decision": "rejected", "reason": "no"}
    first = send(served, f"{API}/decisions", key, body)
    assert_replayed(first, send(served, f"{API}/decisions", key, body))
    undo = f"{API}/batches/{first.json()['batch_id']}/undo"
    other = str(uuid.uuid4())
    assert_replayed(send(served, undo, other), send(served, undo, other))
    assert [item["action"] for item in served.client.get(f"{path}/history").json()] == ["rejected", "flagged"]


@pytest.mark.parametrize(
    ("change", "headers"),
    [({"comment": "another"}, {}), ({"comment": "whose?"}, {"X-Reviewer": "bob"})],
    ids=["another body", "another name"],
)
def test_a_key_that_is_used_for_something_else_is_refused(
    served: Served, path: str, key: str, change: dict[str, str], headers: dict[str, str]
) -> None:
    send(served, f"{path}/comment", key, {"comment": "whose?"}).raise_for_status()
    for answer in (
        send(served, f"{path}/comment", key, change, **headers),
        send(served, f"{path}/approve", key),
    ):
        assert answer.status_code == 422
        assert "another request" in answer.json()["detail"]
        assert answer.json()["fields"][0]["loc"] == ["header", "Idempotency-Key"]


@pytest.mark.parametrize("bad", ["", "two words", "ü", "x" * 256])
def test_a_key_that_is_none_is_refused(served: Served, path: str, bad: str) -> None:
    answer = served.client.post(f"{path}/comment", json={"comment": "x"}, headers=[(b"Idempotency-Key", bad.encode())])
    assert answer.status_code == 422
    assert "1 to 255 characters" in answer.json()["detail"]
    twice = served.client.post(f"{path}/approve", headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "a")])
    assert twice.status_code == 422


def test_a_refusal_is_not_kept(served: Served, key: str) -> None:
    nowhere = path_of(f"later:{key}")
    assert send(served, f"{nowhere}/comment", key, {"comment": "x"}).status_code == 404
    served.queue(f"later:{key}")
    assert send(served, f"{nowhere}/comment", key, {"comment": "x"}).status_code == 200


def test_many_at_once_are_written_once(served: Served, path: str, key: str) -> None:
    with ThreadPoolExecutor(8) as people:
        answers = list(
            people.map(
                lambda _: send(served, f"{path}/comment", key, {"comment": "once", "reviewer": "ann"}), range(24)
            )
        )
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert all(answer.headers["Retry-After"] == "2" for answer in answers if answer.status_code == 409)
    assert len({answer.text for answer in answers if answer.status_code == 200}) == 1
    assert len(served.client.get(f"{path}/history").json()) == 1


@pytest.mark.parametrize(("seconds", "status"), [(30, 409), (90, 200)])
def test_a_request_that_was_lost_is_taken_over_after_a_minute(
    served: Served, path: str, key: str, seconds: int, status: int
) -> None:
    body = {"comment": "lost"}
    send(served, f"{path}/comment", key, body).raise_for_status()
    served.database.execute(
        "UPDATE pattern_sync.answers SET status_code = NULL, answer = NULL, asked_at = now() - %s * interval '1 s'"
        " WHERE key = %s",
        seconds,
        key,
    )
    assert send(served, f"{path}/comment", key, body).status_code == status
    assert len(served.client.get(f"{path}/history").json()) == (2 if status == 200 else 1)


def test_an_answer_is_forgotten_after_a_day(served: Served, path: str, key: str) -> None:
    body = {"comment": "daily"}
    send(served, f"{path}/comment", key, body).raise_for_status()
    served.database.execute("UPDATE pattern_sync.answers SET asked_at = now() - interval '25 h'")
    send(served, f"{path}/comment", str(uuid.uuid4()), body).raise_for_status()
    assert served.database.execute("SELECT key FROM pattern_sync.answers WHERE key = %s", key) == []
    again = send(served, f"{path}/comment", key, {"comment": "another day"})
    assert again.status_code == 200
    assert "Idempotency-Replayed" not in again.headers


def test_a_sync_takes_no_key(served: Served, key: str) -> None:
    for _ in range(2):
        answer = send(served, f"{API}/sync/run", key, {})
        assert answer.status_code == 200
        assert "Idempotency-Replayed" not in answer.headers


def test_a_key_survives_a_daemon_that_is_killed_while_it_answers(database: TestDatabase, key: str) -> None:
    """Nothing was written, as the entry was locked; the key is taken for a minute, and then free."""
    headers = {"Idempotency-Key": key}
    with starting_daemon(database.url) as daemon, database.another_connection(autocommit=False) as somebody:
        database.add_pattern("a")
        url = f"{daemon.ready().http_url}{path_of('a')}/approve"
        eventually(lambda: database.entry("a"))
        somebody.execute("SELECT FROM pattern_approvals FOR UPDATE")
        with ThreadPoolExecutor(1) as people:
            asked = people.submit(httpx.post, url, headers=headers, timeout=30)
            eventually(lambda: database.execute("SELECT key FROM pattern_sync.answers"))
            daemon.kill()
            with pytest.raises(httpx.TransportError):
                asked.result(30)
    with starting_daemon(database.url) as daemon:
        url = f"{daemon.ready().http_url}{path_of('a')}/approve"
        assert httpx.post(url, headers=headers, timeout=30).status_code == 409
        database.execute("UPDATE pattern_sync.answers SET asked_at = asked_at - interval '61 s'")
        assert httpx.post(url, headers=headers, timeout=30).status_code == 200
    assert len(database.history_of("a")) == 1


def test_a_lost_database_is_told_before_anything_is_begun(served: Served, path: str, key: str) -> None:
    served.database.execute("ALTER TABLE pattern_sync.answers RENAME TO elsewhere")
    try:
        answer = send(served, f"{path}/comment", key, {"comment": "x"})
    finally:
        served.database.execute("ALTER TABLE pattern_sync.elsewhere RENAME TO answers")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert served.client.get(f"{path}/history").json() == []
