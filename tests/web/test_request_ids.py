"""Each request has a name: on its answer, in the body of an error, and in the line of the log about it."""

import json
import re

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.waiting import eventually
from tests.web.conftest import Served

MADE = re.compile(r"[0-9a-f]{32}")
PENDING = "/api/v1/patterns/pending"


@pytest.mark.parametrize("path", ["/", "/livez", "/openapi.json", PENDING, "/nowhere", "/api/v1/patterns/nobody"])
def test_every_answer_has_a_name_of_its_own(served: Served, path: str) -> None:
    names = {served.client.get(path).headers["x-request-id"] for _ in range(3)}
    assert len(names) == 3
    assert all(MADE.fullmatch(name) for name in names)


def test_the_name_of_a_proxy_is_taken_over(served: Served) -> None:
    for name in ("7f3a", "Root=1-67891233-abcdef012345678912345678", "a" * 128):
        assert served.client.get(PENDING, headers={"X-Request-ID": name}).headers["x-request-id"] == name


@pytest.mark.parametrize("name", ["", "a b", 'x"y', "a" * 129, "{}", "\u00e9", "a\tb"])
def test_a_name_that_is_not_fit_for_a_log_is_replaced(served: Served, name: str) -> None:
    answer = served.client.get(PENDING, headers=[(b"X-Request-ID", name.encode())])
    assert MADE.fullmatch(answer.headers["x-request-id"])


def test_of_two_names_neither_counts(served: Served) -> None:
    answer = served.client.get(PENDING, headers=[("X-Request-ID", "one"), ("X-Request-ID", "two")])
    assert MADE.fullmatch(answer.headers["x-request-id"])


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/api/v1/patterns?limit=0", {}, 422),
        ("GET", "/api/v1/patterns/nobody", {}, 404),
        ("GET", "/nowhere.html", {}, 404),
        ("DELETE", PENDING, {}, 405),
        ("GET", PENDING, {"Host": "evil.example"}, 400),
        ("POST", "/api/v1/patterns/x/approve", {"Origin": "http://evil.example"}, 403),
        ("POST", "/api/v1/patterns/sync/all", {}, 401),
    ],
)
def test_the_body_of_every_error_has_the_name(
    served: Served, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = served.client.request(method, path, headers={"X-Request-ID": "mine", **headers})
    assert answer.status_code == status
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "mine"
    assert answer.json()["detail"]


def test_the_refusal_of_a_body_has_the_name(served: Served) -> None:
    answer = served.client.post("/api/v1/patterns/x/comment", content=b" " * 70_000)
    assert (answer.status_code, answer.json()["request_id"]) == (413, answer.headers["x-request-id"])


def test_the_refusal_of_a_socket_has_the_name(served: Served) -> None:
    url = f"{served.daemon.http_url.replace('http', 'ws')}/api/v1/ws/patterns?x=1"
    with (
        pytest.raises(InvalidStatus) as refusal,
        connect(url, proxy=None, additional_headers={"X-Request-ID": "mine"}),
    ):
        pass
    response = refusal.value.response
    assert json.loads(response.body)["request_id"] == response.headers["X-Request-ID"] == "mine"


def test_the_line_of_the_log_has_the_name(served: Served) -> None:
    path = served.queue("named:dropped")
    served.database.execute(
        "CREATE FUNCTION drop_decision() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
    )
    served.database.execute(
        "CREATE TRIGGER drops BEFORE UPDATE ON pattern_approvals FOR EACH ROW EXECUTE FUNCTION drop_decision()"
    )
    try:
        answer = served.client.post(f"{path}/approve", headers={"X-Request-ID": "mine-7f"})
    finally:
        served.database.execute("DROP TRIGGER drops ON pattern_approvals")
    assert answer.status_code == 409
    assert answer.json()["request_id"] == "mine-7f"
    eventually(
        lambda: [line for line in served.daemon.lines() if line.get("request_id") == "mine-7f"],
        what="the line about the refusal",
    )


def test_a_list_is_compressed_for_who_accepts_it(served: Served) -> None:
    for number in range(12):
        served.queue(f"packed:{number}")
    plain = served.client.get(PENDING, headers={"Accept-Encoding": "identity"})
    packed = served.client.get(PENDING, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]
    assert packed.json() == plain.json()
    assert packed.num_bytes_downloaded * 4 < len(plain.content)
    refused = served.client.get(PENDING, headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers
    small = served.client.get("/livez", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in small.headers
