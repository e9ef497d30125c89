"""Access: tokens, host names, origins, sizes; and the headers of every response."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import HTTPException
from fastapi.security import HTTPAuthorizationCredentials
from starlette.types import Message

from pattern_sync.web.access import Guard, Tokens
from pattern_sync.web.app import STATIC
from pattern_sync.web.connections import HEAD_SECONDS
from pattern_sync.web.middleware import bodies
from pattern_sync.web.middleware.wrong_tokens import FREE_ANSWERS, STEP_SECONDS
from tests.support.asynchronous import run
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase, snapshot
from tests.support.waiting import PATIENCE_SECONDS
from tests.web.conftest import ADMIN_TOKEN, API_TOKEN, Served, path_of

PANEL = "http://localhost:9213"
OTHER_PANEL = "https://panel.example:8443"
TABLES = ("operation_patterns", "pattern_approvals", "pattern_review_history", "pattern_sync.runs")
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "pattern-sync": "daemon",
}
OPEN_PATHS = ["/", "/livez", "/readyz", "/openapi.json", "/asyncapi.json", "/api/v1/system/health"]
READERS_REQUESTS = [
    ("GET", "/api/v1/patterns"),
    ("GET", "/api/v1/patterns/pending"),
    ("GET", "/api/v1/patterns/statistics"),
    ("GET", "/api/v1/patterns/guarded%3Aentry"),
    ("GET", "/api/v1/patterns/guarded%3Aentry/history"),
    ("GET", "/api/v1/patterns/guarded%3Aentry/explain"),
    ("POST", "/api/v1/patterns/guarded%3Aentry/comment"),
    ("POST", "/api/v1/patterns/guarded%3Aentry/approve"),
    ("POST", "/api/v1/patterns/guarded%3Aentry/reject"),
    ("GET", "/api/v1/reviewer"),
    ("GET", "/api/v1/patterns/sync/statistics"),
    ("POST", "/api/v1/patterns/sync/run?dry_run=true"),
    ("POST", "/api/v1/patterns/sync/high-priority?dry_run=true"),
]
WRONG = [
    f"Bearer {API_TOKEN}x",
    f"Bearer {API_TOKEN[:-1]}",
    f"Bearer {API_TOKEN.upper()}",
    f"Bearer {API_TOKEN} {API_TOKEN}",
    "Bearer",
    "Bearer x",
    f"Basic {API_TOKEN}",
    API_TOKEN,
    "Bearer \xe9\xff",
]


@pytest.fixture(scope="module")
def guarded(module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a daemon as on a public network: its tokens come from a credential and from a file."""
    folder = tmp_path_factory.mktemp("credentials")
    (folder / "pattern_sync_api_token").write_text(f"{API_TOKEN}\n")
    (folder / "administrators").write_text(f"  {ADMIN_TOKEN}\n\n")
    with (
        running_daemon(
            module_database.url,
            CREDENTIALS_DIRECTORY=str(folder),
            PATTERN_SYNC_ADMIN_TOKEN_FILE=str(folder / "administrators"),
            PATTERN_SYNC_HTTP_HOST="0.0.0.0",
            PATTERN_SYNC_CORS_ORIGINS=f"{OTHER_PANEL}, https://second.example",
            PATTERN_SYNC_ALLOWED_HOSTS="Panel.Example, second.example",
        ) as daemon,
        httpx.Client(base_url=daemon.http_url.replace("0.0.0.0", "127.0.0.1"), timeout=30) as client,
    ):
        yield Served(module_database, daemon, client)
        assert API_TOKEN not in daemon.text
        assert ADMIN_TOKEN not in daemon.text


@pytest.fixture
def guarded_entry(guarded: Served) -> str:
    guarded.database.execute("DELETE FROM pattern_approvals WHERE pattern_id = 'guarded:entry'")
    guarded.database.execute(
        "INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,"
        " tool_sequence) VALUES ('guarded:entry', 'pending', 0.5, 1, 1, 'x')"
    )
    return path_of("guarded:entry")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def ask(client: httpx.Client, method: str, path: str, authorization: str | None = None) -> httpx.Response:
    body = {"reason": "x"} if path.endswith("/reject") else {"comment": "x"} if path.endswith("/comment") else None
    headers = {} if authorization is None else {b"Authorization": authorization.encode("latin-1")}
    return client.request(method, path, json=body, headers=headers)


def test_on_loopback_nobody_needs_a_token(served: Served) -> None:
    path = served.queue("free:entry")
    assert served.client.get("/api/v1/patterns/pending").status_code == 200
    assert served.client.get(path, headers=bearer("whatever")).status_code == 200
    assert served.client.post(f"{path}/approve").status_code == 200


@pytest.mark.parametrize(("method", "path"), READERS_REQUESTS)
@pytest.mark.usefixtures("guarded_entry")
def test_every_request_needs_the_token_where_one_is_set(guarded: Served, method: str, path: str) -> None:
    before = snapshot(guarded.database, TABLES)
    for authorization in (None, *WRONG):
        answer = ask(guarded.client, method, path, authorization)
        assert answer.status_code == 401, authorization
        assert set(answer.json()) == {"detail", "request_id"}
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert API_TOKEN not in answer.text
    assert snapshot(guarded.database, TABLES) == before


@pytest.mark.parametrize("token", [API_TOKEN, ADMIN_TOKEN])
@pytest.mark.parametrize(("method", "path"), READERS_REQUESTS)
@pytest.mark.usefixtures("guarded_entry")
def test_either_token_reads_and_decides(guarded: Served, method: str, path: str, token: str) -> None:
    assert ask(guarded.client, method, path, f"Bearer {token}").status_code == 200
    assert ask(guarded.client, "GET", READERS_REQUESTS[0][1], f"bearer {token}").status_code == 200


def test_a_token_in_the_url_is_ignored(guarded: Served) -> None:
    for name in ("token", "access_token", "api_token"):
        assert guarded.client.get(f"/api/v1/patterns/pending?{name}={API_TOKEN}").status_code == 401


@pytest.mark.usefixtures("guarded_entry")
def test_a_request_without_the_token_gets_no_other_error(guarded: Served) -> None:
    for path in ("/api/v1/patterns/nobody:knows", "/api/v1/patterns/pending?limit=0"):
        assert guarded.client.get(path).status_code == 401
    assert guarded.client.post("/api/v1/patterns/sync/run", json={"min_confidence": 101}).status_code == 401


@pytest.mark.parametrize("path", OPEN_PATHS)
def test_the_page_and_the_probes_need_no_token(guarded: Served, path: str) -> None:
    assert guarded.client.get(path).status_code == 200


def test_every_file_of_the_page_needs_no_token(guarded: Served) -> None:
    for file in STATIC.iterdir():
        assert guarded.client.get(f"/{file.name}").status_code == 200, file


@pytest.mark.parametrize(
    ("api", "admin", "presented", "status"),
    [
        (None, None, None, 403),
        (None, None, "api", 403),
        (None, None, "", 403),
        ("api", None, None, 403),
        ("api", None, "api", 403),
        ("api", None, "wrong", 403),
        (None, "admin", None, 401),
        (None, "admin", "wrong", 401),
        (None, "admin", "admin", 200),
        ("api", "admin", None, 401),
        ("api", "admin", "wrong", 401),
        ("api", "admin", "api", 403),
        ("api", "admin", "admin", 200),
        ("same", "same", "same", 200),
    ],
)
def test_only_the_administrators_token_opens_administration(
    api: str | None, admin: str | None, presented: str | None, status: int
) -> None:
    credentials = None if presented is None else HTTPAuthorizationCredentials(scheme="Bearer", credentials=presented)

    async def admitted() -> int:
        try:
            await Guard(Tokens(api, admin)).administrator(credentials)
        except HTTPException as refusal:
            return refusal.status_code
        return 200

    assert run(admitted()) == status


def test_the_repr_of_tokens_hides_them() -> None:
    assert repr(Tokens("secret-one", "secret-two")) == "Tokens()"


@pytest.mark.parametrize(
    ("token", "status", "words"),
    [(None, 401, "missing"), ("x", 401, "wrong"), (API_TOKEN, 403, "administrators"), (ADMIN_TOKEN, 200, "dry_run")],
)
def test_only_administrators_may_queue_everything(guarded: Served, token: str | None, status: int, words: str) -> None:
    before = snapshot(guarded.database, TABLES)
    answer = guarded.client.post(
        "/api/v1/patterns/sync/all?dry_run=true", headers={} if token is None else bearer(token)
    )
    assert answer.status_code == status
    assert words in answer.text
    assert ("www-authenticate" in answer.headers) is (status == 401)
    assert snapshot(guarded.database, TABLES) == before


def test_administration_needs_its_token_on_loopback_too(served: Served) -> None:
    everything = "/api/v1/patterns/sync/all?dry_run=true"
    assert served.client.post(everything).status_code == 401
    assert served.client.post(everything, headers=bearer(API_TOKEN)).status_code == 401
    assert served.client.post(everything, headers=bearer(ADMIN_TOKEN)).status_code == 200


def test_administration_is_closed_where_no_administrators_token_is_set(module_database: TestDatabase) -> None:
    with running_daemon(module_database.url) as daemon, httpx.Client(base_url=daemon.http_url, timeout=30) as client:
        for headers in ({}, bearer(ADMIN_TOKEN), bearer("x")):
            answer = client.post("/api/v1/patterns/sync/all", headers=headers)
            assert answer.status_code == 403
            assert "PATTERN_SYNC_ADMIN_TOKEN" in answer.json()["detail"]
        assert client.post("/api/v1/patterns/sync/run?dry_run=true").status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8002",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example#localhost",
        "2130706433",
        "0x7f.0.0.1",
        "[::1",
        "[evil.example]",
        "localhost@evil.example",
        "",
        "é.example",
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/patterns/pending", "/", "/openapi.json"])
def test_a_request_for_a_foreign_host_name_is_refused(served: Served, path: str, host: str) -> None:
    answer = served.client.get(path, headers={b"Host": host.encode()})
    assert answer.status_code == 400
    if host.isascii():
        assert "PATTERN_SYNC_ALLOWED_HOSTS" in answer.json()["detail"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8002",
        "localhost",
        "LocalHost:9999",
        "localhost.",
        "[::1]",
        "[::1]:8002",
        "192.0.2.7",
        "[2001:db8::1]:80",
        socket.gethostname(),
    ],
)
def test_requests_for_ip_addresses_and_local_host_names_are_served(served: Served, host: str) -> None:
    assert served.client.get("/api/v1/patterns/pending", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["panel.example", "PANEL.EXAMPLE:443", "second.example", "0.0.0.0:8002"])
def test_requests_for_configured_host_names_are_served(guarded: Served, host: str) -> None:
    assert guarded.client.get("/openapi.json", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://localhost:9213",
        "http://localhost:9214",
        "http://localhost:9213.evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "null",
        "file://",
        "http://[x",
        "://",
        "",
        "é",
    ],
)
def test_a_page_of_a_foreign_origin_cannot_change_anything(served: Served, origin: str) -> None:
    path = served.queue(f"origin:{origin}")
    before = snapshot(served.database, TABLES)
    requests: list[tuple[str, dict[str, str] | None]] = [
        (f"{path}/approve", None),
        (f"{path}/comment", {"comment": "x"}),
        ("/api/v1/patterns/sync/run", None),
    ]
    for url, body in requests:
        answer = served.client.post(url, json=body, headers={b"Origin": origin.encode()})
        assert answer.status_code == 403
        assert "PATTERN_SYNC_CORS_ORIGINS" in answer.json()["detail"]
        assert "access-control-allow-origin" not in answer.headers
    assert snapshot(served.database, TABLES) == before


def test_pages_of_our_origin_and_of_the_panels_may_decide(served: Served) -> None:
    here = str(served.client.base_url).rstrip("/")
    port = here.rpartition(":")[2]
    for number, (origin, host) in enumerate(
        [
            (here, None),
            (here.replace("http:", "https:"), None),  # behind a proxy that speaks TLS
            (f"http://localhost:{port}", f"localhost:{port}"),
            (f"http://LOCALHOST:{port}", f"localhost:{port}"),
            (PANEL, None),
        ]
    ):
        path = served.queue(f"same:origin:{number}")
        headers = {"Origin": origin, **({"Host": host} if host else {})}
        assert served.client.post(f"{path}/approve", headers=headers).status_code == 200, origin


def test_a_page_of_a_foreign_origin_cannot_read(served: Served) -> None:
    for origin in ("http://evil.example", "null", "http://[x"):
        answer = served.client.get("/api/v1/patterns/pending", headers={"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers
    answer = served.client.get("/api/v1/patterns/pending", headers={"Origin": PANEL})
    assert answer.headers["access-control-allow-origin"] == PANEL
    assert "Link" in answer.headers["access-control-expose-headers"]
    assert "Origin" in answer.headers["vary"]


def preflight(client: httpx.Client, origin: str, **wishes: str) -> httpx.Response:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    for name, value in wishes.items():
        asked[f"Access-Control-Request-{name.title()}"] = value
    return client.options(f"{path_of('a:b')}/approve", headers={"Origin": origin, **asked})


def test_a_preflight_is_granted_to_listed_origins_only(served: Served, guarded: Served) -> None:
    assert preflight(served.client, PANEL).headers["access-control-allow-origin"] == PANEL
    for origin in (OTHER_PANEL, "https://second.example"):
        granted = preflight(guarded.client, origin, headers="authorization,content-type,x-reviewer")
        assert granted.status_code == 200
        assert granted.headers["access-control-allow-origin"] == origin
    for client, origin in (
        (served.client, "http://evil.example"),
        (served.client, "null"),
        (guarded.client, PANEL),
        (guarded.client, "https://panel.example"),
    ):
        refused = preflight(client, origin)
        assert refused.status_code == 400
        assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize("wish", [{"method": "DELETE"}, {"method": "PUT"}, {"headers": "x-evil"}])
def test_a_preflight_for_a_method_or_header_beyond_the_api_is_refused(served: Served, wish: dict[str, str]) -> None:
    assert preflight(served.client, PANEL, **wish).status_code == 400


def test_a_listed_origin_without_the_token_can_read_the_401(guarded: Served) -> None:
    answer = guarded.client.get("/api/v1/patterns/pending", headers={"Origin": OTHER_PANEL})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == OTHER_PANEL


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "chunked"])
def test_a_body_may_be_64_kilobytes_and_no_larger(served: Served, *, chunked: bool) -> None:
    path = served.queue(f"large:{chunked}")
    start, end = b'{"comment": "x"', b"}"
    fits = start + b" " * (65_536 - len(start) - len(end)) + end
    for body, status in ((fits, 200), (fits + b" ", 413)):
        parts = (body[at : at + 10_000] for at in range(0, len(body), 10_000))
        answer = served.client.post(
            f"{path}/comment", content=parts if chunked else body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == status
    assert "65,536" in answer.json()["detail"]
    assert served.database.execute(
        "SELECT count(*) AS n FROM pattern_review_history WHERE pattern_id = %s", f"large:{chunked}"
    ) == [{"n": 1}]


def test_a_connection_that_sends_no_whole_request_is_closed(served: Served) -> None:
    address = urlsplit(served.daemon.http_url)
    asked = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    half = b"GET /livez HTTP/1.1\r\nHost: local"
    with ExitStack() as stack:
        silent, begun, asked_once = (
            stack.enter_context(socket.create_connection((str(address.hostname), int(address.port or 0))))
            for _ in range(3)
        )
        begun.sendall(half)
        asked_once.sendall(asked)
        assert asked_once.recv(4096).startswith(b"HTTP/1.1 200")
        asked_once.sendall(half)
        for connection in (silent, begun, asked_once):
            connection.settimeout(HEAD_SECONDS + PATIENCE_SECONDS)
            while connection.recv(4096):
                pass  # the rest of the response; a timeout here if the connection stays open


def test_a_connection_whose_body_never_comes_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)
    sent: list[Message] = []

    async def app(*_: object) -> None:
        raise AssertionError("the request went through")

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    run(bodies.BodyLimit(app)({"type": "http", "method": "POST", "headers": []}, receive, send))
    assert sent[0]["status"] == 408


def test_every_kind_of_response_carries_the_security_headers(served: Served, guarded: Served) -> None:
    path = served.queue("headers")
    page = served.client.get("/")
    answers = [
        (200, page),
        (304, served.client.get("/", headers={"If-None-Match": page.headers["etag"]})),
        (200, served.client.get("/livez")),
        (200, served.client.get("/readyz")),
        (200, served.client.get("/openapi.json")),
        (200, served.client.get("/api/v1/system/health")),
        (200, served.client.get(path)),
        (200, served.client.post(f"{path}/approve")),
        (409, served.client.post(f"{path}/reject", json={"reason": "no"})),
        (404, served.client.get("/api/v1/patterns/nobody")),
        (404, served.client.get("/api/v1/nothing")),
        (404, served.client.get("/nothing.html")),
        (405, served.client.delete(path)),
        (405, served.client.post("/")),
        (422, served.client.get("/api/v1/patterns/pending?limit=0")),
        (400, served.client.post(f"{path}/comment", content=b"\xff", headers={"Content-Type": "application/json"})),
        (400, served.client.get("/", headers={"Host": "evil.example"})),
        (403, served.client.post(f"{path}/approve", headers={"Origin": "null"})),
        (413, served.client.post(f"{path}/comment", content=b" " * 65_537)),
        (200, preflight(served.client, PANEL)),
        (400, preflight(served.client, "http://evil.example")),
        (401, guarded.client.get("/api/v1/patterns/pending")),
        (403, guarded.client.post("/api/v1/patterns/sync/all", headers=bearer(API_TOKEN))),
    ]
    for status, answer in answers:
        assert answer.status_code == status, answer.request
        for name, value in HEADERS.items():
            assert answer.headers.get_list(name) == [value], (answer.request, status)
        kept = "no-store" if answer.request.url.path.startswith("/api/") else "no-cache"
        assert answer.headers["cache-control"] == kept, answer.request
        assert "server" not in answer.headers


def test_many_wrong_tokens_are_logged_and_slowed(guarded: Served) -> None:
    begun = time.monotonic()
    answers = [ask(guarded.client, "GET", READERS_REQUESTS[0][1], "Bearer wrong") for _ in range(FREE_ANSWERS + 10)]
    assert {answer.status_code for answer in answers} == {401}
    assert time.monotonic() - begun > 9 * STEP_SECONDS
    assert ask(guarded.client, "GET", READERS_REQUESTS[0][1], f"Bearer {API_TOKEN}").status_code == 200
    lines = [line for line in guarded.daemon.lines() if line["event"] == "token.wrong"]
    assert lines[0]["address"] == "127.0.0.1"
