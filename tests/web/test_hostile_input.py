"""Hostile input: always refused in JSON, never as an internal error, never with any SQL."""

import base64
import json
from collections.abc import Iterator

import httpx
import pytest

from tests.support.database import snapshot
from tests.web.conftest import ADMIN_TOKEN, Served, path_of

API = "/api/v1/patterns"
TABLES = ("operation_patterns", "pattern_approvals", "pattern_review_history", "pattern_sync.runs")
JSON = {"Content-Type": "application/json"}
SQL_WORDS = ("select", "insert into", "pattern_approvals", "syntax error", "sqlstate", "asyncpg", "psycopg")
OUR_WORDS = ("traceback", "postgresql://", ".py", "pydantic", "bug in")
INJECTIONS = [
    "' OR '1'='1",
    "'; DELETE FROM pattern_approvals; --",
    '"; DROP TABLE pattern_approvals; --',
    "$1",
    "$$; DROP TABLE pattern_approvals; $$",
    "%s %(x)s {0} {x!r}",
    "\\'; --",
    "hostile*/ /*",
    "hostile%",
    "hostile_",
    "1; SELECT pg_sleep(10)",
    "${jndi:ldap://x}",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "\r\nSet-Cookie: x=1",
    "\u202egnihtemos",
    "\U0010ffff",
]
ODD_BODIES = {
    "nothing": b"",
    "cut off": b'{"reason": "x"',
    "two documents": b'{"reason": "x", "comment": "x"} {}',
    "array": b'[{"reason": "x", "comment": "x"}]',
    "text": b'"x"',
    "number": b"5",
    "true": b"true",
    "NaN": b"NaN",
    "no JSON": b"reason=x&comment=x",
    "bad UTF-8": b'{"reason": "\xff\xfe", "comment": "\xff\xfe"}',
    "overlong UTF-8": b'{"reason": "\xc0\xaf", "comment": "\xc0\xaf"}',
    "surrogates in UTF-8": b'{"reason": "\xed\xa0\x80", "comment": "\xed\xa0\x80"}',
    "deep array": b"[" * 60_000,
    "deep object": b'{"reason":' * 6_000,
    "deep field": b'{"reason": ' + b"[" * 500 + b"]" * 500 + b', "comment": {"a": {"a": {}}}}',
    "huge whole number": b'{"reason": ' + b"9" * 60_000 + b', "comment": 1}',
    "huge exponent": b'{"reason": 1e999999, "comment": 1e999999}',
    "infinity": b'{"reason": Infinity, "comment": -Infinity}',
    "NUL": b'{"reason": "a\\u0000", "comment": "a\\u0000"}',
    "raw NUL": b'{"reason": "a\x00", "comment": "a\x00"}',
    "half of a surrogate pair": b'{"reason": "\\ud83d", "comment": "\\ud83d"}',
    "name with half of a surrogate pair": b'{"\\ud83d": 1}',
    "blank": b"   ",
    "binary": bytes(range(256)),
}
ODD_TYPES = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "image/png",
    "x",
    "/",
]


@pytest.fixture(scope="module", autouse=True)
def _an_entry_that_nobody_harms(served: Served) -> Iterator[None]:
    served.queue("hostile:entry")
    before = served.database.entry("hostile:entry")
    yield
    assert served.database.entry("hostile:entry") == before
    assert "Traceback" not in served.daemon.text
    assert '"exception"' not in served.daemon.text


def assert_refused(answer: httpx.Response, *statuses: int) -> None:
    assert answer.status_code in (statuses or range(400, 500)), answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["detail"]
    told = answer.text.lower()
    for word in (*SQL_WORDS, *OUR_WORDS):
        assert word not in told.replace(answer.request.url.path.lower(), ""), told


def cursor(content: object) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).decode()


@pytest.mark.parametrize("text", INJECTIONS)
def test_metacharacters_are_plain_characters(served: Served, text: str) -> None:
    before = snapshot(served.database, TABLES)
    path = path_of(text)
    for answer in (
        served.client.get(path),
        served.client.get(f"{path}/history"),
        served.client.get(f"{path}/explain"),
        served.client.post(f"{path}/approve", json={"notes": text, "reviewer": text}),
        served.client.post(f"{path}/reject", json={"reason": text}),
        served.client.post(f"{path}/comment", json={"comment": text}),
    ):
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/json"
        assert "set-cookie" not in answer.headers
        assert "%r" not in answer.text
    for query in ({"status": text}, {"limit": text}, {"cursor": text}):
        answer = served.client.get(API, params=query)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/json")
    assert snapshot(served.database, TABLES) == before
    assert served.client.post(f"{API}/sync/run?dry_run=1", json={"only_types": [text]}).json()["total_candidates"] == 0


@pytest.mark.parametrize("text", INJECTIONS)
def test_text_that_people_write_is_stored_unchanged(served: Served, text: str) -> None:
    noted = served.client.post(
        f"{path_of('hostile:entry')}/comment", json={"comment": f"[{text}]", "reviewer": f"[{text}]"}
    )
    assert noted.status_code == 200
    told = served.client.get(f"{path_of('hostile:entry')}/history").json()[-1]
    assert (told["notes"], told["reviewer"]) == (f"[{text}]", f"[{text}]")


@pytest.mark.parametrize(
    "name", ["%00", "a%00b", "%ff", "%c0%af", "%ed%a0%80", "%f5%80%80%80", "%", "%zz", "%2", "x" * 9_000]
)
@pytest.mark.parametrize(
    ("method", "ending"),
    [("GET", ""), ("GET", "/history"), ("GET", "/explain"), ("POST", "/approve"), ("POST", "/comment")],
)
def test_an_impossible_signature_is_refused(served: Served, method: str, ending: str, name: str) -> None:
    body = {"comment": "x"} if ending == "/comment" else None
    url = httpx.URL(str(served.client.base_url)).copy_with(raw_path=f"{API}/{name}{ending}".encode())
    assert_refused(served.client.request(method, url, json=body), 404, 422)


@pytest.mark.parametrize(
    "path",
    [
        f"{API}/",
        f"{API}//history",
        "/api/v1/nothing",
        "/api/v2/patterns",
        "/api%2Fv1%2Fpatterns%2Fpending",
        "/api/v1%2Fpatterns/pending",
        "//api/v1/patterns/pending",
        "/%00",
        "/%ff",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/static/%5c..%5c..%5cpyproject.toml",
        "/" + "x" * 5_000,
        "/.git/config",
    ],
)
def test_an_unknown_path_is_not_found(served: Served, path: str) -> None:
    url = httpx.URL(str(served.client.base_url)).copy_with(raw_path=path.encode())
    assert_refused(served.client.get(url), 404)


@pytest.mark.parametrize("kind", ODD_BODIES)
@pytest.mark.parametrize("ending", ["/reject", "/comment"])
def test_a_malformed_body_is_refused(served: Served, ending: str, kind: str) -> None:
    before = snapshot(served.database, TABLES)
    answer = served.client.post(path_of("hostile:entry") + ending, content=ODD_BODIES[kind], headers=JSON)
    assert_refused(answer, 400, 422)
    assert snapshot(served.database, TABLES) == before


@pytest.mark.parametrize("kind", sorted(set(ODD_BODIES) - {"nothing", "deep field", "half of a surrogate pair"}))
def test_malformed_criteria_are_refused(served: Served, kind: str) -> None:
    assert_refused(served.client.post(f"{API}/sync/run", content=ODD_BODIES[kind], headers=JSON), 400, 422)


@pytest.mark.parametrize("kind", ODD_TYPES)
def test_a_body_of_another_type_is_refused(served: Served, kind: str) -> None:
    before = snapshot(served.database, TABLES)
    for ending in ("reject", "comment", "approve"):
        answer = served.client.post(
            f"{path_of('hostile:entry')}/{ending}",
            content=b'{"reason": "x", "comment": "x", "notes": "x"}',
            headers={"Content-Type": kind},
        )
        assert_refused(answer, 400, 415, 422)
    assert snapshot(served.database, TABLES) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND", "XYZZY"])
@pytest.mark.parametrize("path", [f"{API}/pending", f"{API}/hostile%3Aentry", f"{API}/sync/statistics", "/readyz"])
def test_an_unsupported_method_is_refused(served: Served, method: str, path: str) -> None:
    assert_refused(served.client.request(method, path), 405)


def test_a_get_request_cannot_decide(served: Served) -> None:
    for ending in ("approve", "reject", "comment"):
        answer = served.client.get(f"{path_of('hostile:entry')}/{ending}")
        assert_refused(answer, 404, 405)


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "x",
        "====",
        "a" * 30_000,
        "é💥",
        "\0",
        cursor(b""),
        cursor(b"\xff\xfe"),
        cursor(5),
        cursor(None),
        cursor("ab"),
        cursor([]),
        cursor([1]),
        cursor([1, "a", "b"]),
        cursor({"a": 1, "b": 2}),
        cursor(["high", "a"]),
        cursor([[], {}]),
        cursor([None, None]),
        cursor([1, "a\0b"]),
        cursor([1, "\ud800"]),
        cursor([10**400, "a"]),
        cursor(b"[" + b"9" * 5_000 + b', "a"]'),
        cursor(b"[" * 20_000),
        cursor(b'{"a":' * 3_000),
    ],
)
def test_a_malformed_cursor_is_refused(served: Served, garbage: str) -> None:
    assert_refused(served.client.get(f"{API}/pending", params={"cursor": garbage}), 422)


@pytest.mark.parametrize(
    "content", [b'[NaN, "a"]', b'[Infinity, "a"]', b'[-Infinity, "a"]', b'[1e999, ""]', b'["5", 5]']
)
def test_a_cursor_beyond_the_end_of_the_list_does_no_harm(served: Served, content: bytes) -> None:
    answer = served.client.get(f"{API}/pending", params={"cursor": cursor(content)})
    assert answer.status_code == 200
    assert isinstance(answer.json(), list)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://["},
        {"Origin": "http://[::1]:x"},
        {"Origin": "\xff"},
        {"Origin": "http://" + "x" * 20_000},
        {"Host": "["},
        {"Host": "[::1]]"},
        {"Host": "x" * 20_000},
        {"Host": "127.0.0.1:99999999"},
        {"Authorization": "Bearer \xff"},
        {"Authorization": "\xff"},
        {"X-Reviewer": "x" * 20_000},
        {"X-Reviewer": "\xff"},
        {"Content-Length": "0", "Content-Encoding": "gzip"},
        {"Accept": "text/html", "Cookie": "\xff" * 500},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "javascript", "Forwarded": "host=evil"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"Range": "bytes=0-1,5-"},
        {"If-None-Match": "*", "If-Modified-Since": "\xff"},
    ],
)
def test_odd_headers_do_no_harm(served: Served, headers: dict[str, str]) -> None:
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    for method, path in (("GET", "/"), ("GET", f"{API}/pending"), ("POST", f"{path_of('nobody')}/approve")):
        answer = served.client.request(method, path, headers=raw)
        assert answer.status_code < 500, (method, path, answer.text)
        assert "evil" not in str(answer.headers)
        if answer.is_error:
            assert_refused(answer)


def test_a_request_with_many_faults_is_refused_before_anything_is_done(served: Served) -> None:
    before = snapshot(served.database, TABLES)
    for url in (f"{API}/sync/all", f"{API}/sync/all?dry_run=%00"):
        answer = served.client.post(url, content=b"[" * 60_000, headers={**JSON, "Authorization": "Bearer x"})
        assert_refused(answer, 401)
        assert ADMIN_TOKEN not in answer.text
    assert snapshot(served.database, TABLES) == before
