"""Webhooks and chats at real servers on this machine, friendly, slow, broken and hostile."""

import asyncio
import json
import re
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from pattern_sync.delivery import Courier, connecting
from pattern_sync.domain.destinations import Destination, parse_destinations
from pattern_sync.domain.messages import Delivery, DeliveryOutcome, Letter, MessageKind
from pattern_sync.domain.signing import SigningSecrets
from tests.support.asynchronous import run, settle
from tests.support.certificates import Authority, Certificate, self_signed
from tests.support.receiver import Receiver, Respond, receiver, response

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_SECRET = "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk"
TOKEN = "t0k3n"
LETTER = Letter("subject", "application/json", '{"type":"pattern_sync.high_value","name":"Read→Edit"}')
CREATED_AT = datetime(2026, 11, 27, 8, 30, tzinfo=UTC)
OK = response("204 No Content")
DELIVERED, FAILED, REFUSED, GONE = (
    DeliveryOutcome.DELIVERED,
    DeliveryOutcome.FAILED,
    DeliveryOutcome.REFUSED,
    DeliveryOutcome.GONE,
)


def courier(
    deadline_seconds: float = 15.0, trusted: Callable[[], ssl.SSLContext] = ssl.create_default_context
) -> Courier:
    secrets = SigningSecrets.parse(f"{SECRET} {OLD_SECRET}")
    return Courier(secrets, lambda: datetime.now(UTC), "https://review.example/", deadline_seconds, trusted)


async def deliver(sender: Courier, url: str | Destination, key: str = "msg_1") -> Delivery:
    destination = parse_destinations(url)[0] if isinstance(url, str) else url
    return await sender.deliver(destination, LETTER, key, MessageKind.HIGH_VALUE, CREATED_AT)


def delivered_to(
    respond: Respond | bytes, sender: Courier | None = None, *, scheme: str = "http", read_first: bool = True
) -> tuple[Delivery, Receiver]:
    """Deliver to a receiver that answers so, and return what became of it; no secret is ever in a reason."""

    async def delivering() -> tuple[Delivery, Receiver]:
        async with receiver(respond, read_first=read_first) as got:
            delivery = await deliver(sender or courier(), f"{scheme}://127.0.0.1:{got.port}/hook/{TOKEN}?key={TOKEN}")
            return delivery, got

    delivery, got = run(delivering())
    assert TOKEN not in (delivery.reason or "")
    assert (delivery.outcome is DELIVERED) == (delivery.reason is None)
    assert delivery.reason is None or "127.0.0.1" in delivery.reason
    return delivery, got


def test_a_webhook_is_signed_and_an_event() -> None:
    delivery, got = delivered_to(OK)
    assert delivery == Delivery(DELIVERED, 204)
    (request,) = got.requests
    assert request.line == f"POST /hook/{TOKEN}?key={TOKEN} HTTP/1.1"
    assert request.body.decode() == LETTER.text
    for secret in (SECRET, OLD_SECRET):
        Webhook(secret).verify(request.body, dict(request.headers))
    signed = {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert {name: value for name, value in request.headers.items() if name not in signed} == {
        "host": f"127.0.0.1:{got.port}",
        "user-agent": "pattern-sync",
        "content-type": "application/json",
        "content-length": str(len(LETTER.text.encode())),
        "connection": "close",
        "ce-specversion": "1.0",
        "ce-id": "msg_1",
        "ce-source": "https://review.example/",
        "ce-type": "pattern_sync.high_value",
        "ce-time": "2026-11-27T08:30:00Z",
    }


def test_a_chat_gets_no_signature() -> None:
    delivery, got = delivered_to(response("200 OK", body="ok"), scheme="slack+http")
    assert delivery == Delivery(DELIVERED, 200)
    assert not [name for name in got.requests[0].headers if name.startswith(("webhook-", "ce-"))]


def test_another_attempt_has_the_same_id_and_the_same_bytes() -> None:
    async def twice() -> Receiver:
        async with receiver(response("500 Oh")) as got:
            for _ in range(2):
                await deliver(courier(), f"http://127.0.0.1:{got.port}/")
            return got

    first, second = run(twice()).requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


@pytest.mark.parametrize(
    ("status", "outcome", "words"),
    [
        ("200 OK", DELIVERED, None),
        ("202 Accepted", DELIVERED, None),
        ("299 Odd", DELIVERED, None),
        ("410 Gone", GONE, "410 (Gone): it wants no more"),
        ("401 Unauthorized", REFUSED, "answered 401 (Unauthorized)"),
        ("403 Forbidden", REFUSED, "answered 403"),
        ("404 Not Found", REFUSED, "answered 404"),
        ("400 Bad Request", FAILED, "answered 400"),
        ("418 Teapot", FAILED, "answered 418"),
        ("429 Too Many Requests", FAILED, "answered 429"),
        ("500 Oh", FAILED, "answered 500"),
        ("503 Busy", FAILED, "answered 503"),
        ("599 Odd", FAILED, "answered 599"),
        ("304 Not Modified", FAILED, "a redirect, which is not followed"),
    ],
)
def test_the_status_decides_the_outcome(status: str, outcome: DeliveryOutcome, words: str | None) -> None:
    delivery, _ = delivered_to(response(status, body="never read: t0k3n"))
    assert (delivery.outcome, delivery.status_code) == (outcome, int(status[:3]))
    assert words is None or words in (delivery.reason or "")
    assert delivery.retry_after_seconds is None


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Again", "308 For Ever"])
def test_a_redirect_is_a_failure_and_never_followed(status: str) -> None:
    async def redirected() -> tuple[Delivery, Receiver]:
        async with receiver(OK) as inner:
            location = f"Location: http://127.0.0.1:{inner.port}/\r\n"
            async with receiver(response(status, location)) as outer:
                return await deliver(courier(), f"http://127.0.0.1:{outer.port}/"), inner

    delivery, inner = run(redirected())
    assert delivery.outcome is FAILED
    assert inner.connections == 0
    metadata, _ = delivered_to(response(status, f"Location: http://169.254.169.254/{TOKEN}\r\n"))
    assert metadata.outcome is FAILED
    assert "169.254" not in (metadata.reason or "")


@pytest.mark.parametrize(
    ("respond", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "no answer in HTTP/1.1"),
        (b"\x00\xff" * 1000 + b"\r\n\r\n", "no answer in HTTP/1.1"),
        (b"HTTP/1.1 200\r\nno colon\r\n\r\n", "no answer in HTTP/1.1"),
        (b"HTTP/1.1 99 t0k3n\r\n\r\n", "no answer in HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"t0k3n" * 100_000, "too long"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000, "too long"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000, "bytes and no answer"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: t0k3n\r\nConnection: upgrade\r\n\r\n", "127.0.0.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "no answer in HTTP/1.1"),
    ],
)
def test_garbage_and_endless_heads_are_failures(respond: bytes, words: str) -> None:
    begun = time.monotonic()
    delivery, _ = delivered_to(respond, courier(2.0))
    assert delivery.outcome is FAILED
    assert words in (delivery.reason or "")
    assert time.monotonic() - begun < 5


def test_interim_responses_before_the_answer_are_skipped() -> None:
    delivery, _ = delivered_to(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK)
    assert delivery == Delivery(DELIVERED, 204)


def test_an_answer_that_needs_no_body_counts_though_its_body_never_ends() -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            await writer.drain()

    async def dripping(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    for respond in (endless, dripping):
        begun = time.monotonic()
        assert delivered_to(respond)[0] == Delivery(DELIVERED, 200)
        assert time.monotonic() - begun < 5


async def _silence(_: asyncio.StreamWriter) -> None:
    """Leave it to the client when to end."""


async def _drip(writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(("respond", "scheme"), [(_silence, "http"), (_drip, "http"), (_silence, "https")])
def test_one_deadline_covers_an_attempt_however_slowly_it_moves(respond: Respond, scheme: str) -> None:
    begun = time.monotonic()
    delivery, _ = delivered_to(respond, courier(0.5), scheme=scheme, read_first=scheme == "http")
    assert 0.4 < time.monotonic() - begun < 5
    assert delivery == Delivery(FAILED, None, "127.0.0.1 did not answer within 0.5 s")


async def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    await asyncio.sleep(0)


async def _end(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 20")
    writer.close()
    await asyncio.sleep(0)


@pytest.mark.parametrize("respond", [_reset, _end])
@pytest.mark.parametrize("read_first", [True, False])
def test_a_connection_that_breaks_is_a_failure(respond: Respond, *, read_first: bool) -> None:
    delivery, _ = delivered_to(respond, courier(5.0), read_first=read_first)
    assert (delivery.outcome, delivery.status_code) == (FAILED, None)
    # A connection that is closed before the request was read may look like a broken one.
    words = "closed" if respond is _end and read_first else "broke|closed"
    assert re.search(words, delivery.reason or "")


def test_a_port_where_nobody_listens_and_a_host_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        refused = run(deliver(courier(), f"http://127.0.0.1:{port}/{TOKEN}"))
    assert refused.reason == f"127.0.0.1 cannot be reached on port {port}: 127.0.0.1: Connection refused"
    unknown = run(deliver(courier(), f"http://nobody.invalid/{TOKEN}"))
    assert unknown.outcome is FAILED
    assert (unknown.reason or "").startswith("nobody.invalid was not found: ")


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert delivered_to(OK)[0].outcome is DELIVERED


def test_a_cancelled_attempt_ends_at_once_and_closes_its_connection() -> None:
    async def cancelled() -> None:
        async with receiver(_silence) as got:
            task = asyncio.create_task(deliver(courier(), f"http://127.0.0.1:{got.port}/"))
            await settle(lambda: got.requests)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await settle(lambda: got.ended)

    run(cancelled())


# What a name server says of a host, in place of this machine's.
Answers = list[str]


async def with_answers(answers: Answers, url: str, *, then: Answers | None = None) -> tuple[Delivery, list[str]]:
    """Deliver to a host whose addresses are these, and others if it is asked again; return who was asked for."""
    loop, asked = asyncio.get_running_loop(), []

    async def lookup(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        found = answers if len(asked) == 1 else then or []
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (each, port, 0, 0))
            if ":" in each
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in found
        ]

    loop.getaddrinfo = lookup  # type: ignore[method-assign, assignment] # in this loop only
    return await deliver(courier(5.0), url), asked


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%1", "link-local"),
        ("::ffff:169.254.169.254", "link-local"),
        ("64:ff9b::a9fe:a9fe", "link-local"),
        ("2002:a9fe:a9fe::1", "link-local"),
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
    ],
)
def test_a_name_of_a_refused_address_is_not_connected_to(answer: str, why: str) -> None:
    delivery, _ = run(with_answers([answer], f"http://rebound.example:1/{TOKEN}"))
    assert delivery == Delivery(FAILED, None, f"rebound.example is {answer}, which is {why}: always refused")


def test_the_checked_address_is_the_one_connected_to_and_nobody_asks_again() -> None:
    async def rebound() -> tuple[Delivery, list[str], Receiver]:
        async with receiver(OK) as got:
            url = f"http://rebound.example:{got.port}/"
            delivery, asked = await with_answers(["127.0.0.1"], url, then=["169.254.169.254"])
            return delivery, asked, got

    delivery, asked, got = run(rebound())
    assert delivery.outcome is DELIVERED
    assert asked == ["rebound.example"]
    assert got.requests[0].headers["host"] == f"rebound.example:{got.port}"


def test_of_several_addresses_the_refused_are_left_out_and_the_next_is_tried() -> None:
    async def several() -> Delivery:
        async with receiver(OK) as got:
            answers = ["169.254.169.254", "127.0.0.2", "127.0.0.1"]
            return (await with_answers(answers, f"http://several.example:{got.port}/"))[0]

    assert run(several()).outcome is DELIVERED


def test_an_address_at_which_nobody_answers_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "_CONNECT_SECONDS", 0.2)

    async def several() -> Delivery:
        async with receiver(OK) as got:
            with silent_port(got.port):
                return (await with_answers(["127.0.0.2", "127.0.0.1"], f"http://several.example:{got.port}/"))[0]

    assert run(several()).outcome is DELIVERED


@contextmanager
def silent_port(port: int) -> Iterator[None]:
    """Listen so that every further connection waits for ever: as many as may wait do so already."""
    with socket.socket() as full, ExitStack() as waiting:
        full.bind(("127.0.0.2", port))
        full.listen(0)
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.2", port))
        yield


def test_a_name_server_that_does_not_answer_has_the_same_deadline() -> None:
    async def lookup(*_: object, **__: object) -> list[tuple[object, ...]]:
        await asyncio.sleep(60)
        return []

    async def unanswered() -> Delivery:
        asyncio.get_running_loop().getaddrinfo = lookup  # type: ignore[method-assign, assignment] # in this loop only
        return await deliver(courier(0.2), f"http://slow.example/{TOKEN}")

    assert run(unanswered()) == Delivery(FAILED, None, "slow.example did not answer within 0.2 s")


def tls_of(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.file, certificate.key)
    return context


def delivered_by_tls(certificate: Certificate, trusted: Path | None, host: str = "localhost") -> Delivery:
    async def delivering() -> Delivery:
        async with receiver(OK, tls_of(certificate)) as got:
            sender = courier(5.0, lambda: ssl.create_default_context(cafile=trusted))
            return await deliver(sender, f"https://{host}:{got.port}/{TOKEN}")

    return run(delivering())


def test_a_certificate_of_a_trusted_authority_for_the_host_is_needed(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    good = authority.sign("good", "DNS:localhost,IP:127.0.0.1")
    assert delivered_by_tls(good, authority.own.file) == Delivery(DELIVERED, 204)
    assert delivered_by_tls(good, authority.own.file, "127.0.0.1") == Delivery(DELIVERED, 204)
    others: Mapping[str, tuple[Certificate, Path | None]] = {
        "unable to get local issuer": (good, None),
        "ostname mismatch": (authority.sign("other", "DNS:other.example"), authority.own.file),
        "expired": (authority.sign("old", "DNS:localhost", days=-1), authority.own.file),
        "self-signed": (self_signed(tmp_path, "alone", "DNS:localhost"), authority.own.file),
    }
    for words, (certificate, trusted) in others.items():
        delivery = delivered_by_tls(certificate, trusted)
        assert delivery.outcome is FAILED
        assert (delivery.reason or "").startswith("the certificate of localhost is not valid: ")
        assert words in (delivery.reason or "")


def test_a_host_that_does_not_speak_tls_is_a_failure() -> None:
    delivery, _ = delivered_to(b"HTTP/1.1 400 no\r\n\r\n", courier(5.0), scheme="https", read_first=False)
    assert delivery.outcome is FAILED
    assert "does not speak TLS" in (delivery.reason or "")


def test_a_body_of_json_arrives_as_it_was_written() -> None:
    _, got = delivered_to(OK)
    assert json.loads(got.requests[0].body) == json.loads(LETTER.text)
