"""Whatever bytes a far end sends, an attempt ends with an answer or a reason."""

import asyncio
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime

import h11
from hypothesis import given
from hypothesis import strategies as st

from pattern_sync.delivery.faults import Undelivered
from pattern_sync.delivery.mail_writing import mail_of
from pattern_sync.delivery.mailing import _sent
from pattern_sync.delivery.posting import Answer, _answer, _drop_rest
from pattern_sync.domain.mail_route import MailRoute, MailSecurity
from pattern_sync.domain.messages import DeliveryOutcome, Letter
from tests.support.asynchronous import run

HTTP = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    b"HTTP/1.0 503 \r\n",
    b"HTTP/9.9 200 OK\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Retry-After: \xff\r\n",
    b"ffffffffffffffff\r\n",
    b"5\r\nhello\r\n",
    b"0\r\n",
    b"\r\n",
    b"\n",
    b"\x00",
]
SMTP = [
    b"220 mail.example ESMTP\r\n",
    b"250-mail.example\r\n",
    b"250-AUTH CRAM-MD5 PLAIN\r\n",
    b"250-STARTTLS\r\n",
    b"250-SIZE x\r\n",
    b"250 8BITMIME\r\n",
    b"250 fine\r\n",
    b"334 \xff\xff\r\n",
    b"354 go on\r\n",
    b"421 bye\r\n",
    b"550 no\r\n",
    b"-50 odd\r\n",
    b"\xd9\xa2\xd9\xa2\xd9\xa0 odd\r\n",
    b"250\r\n",
    b"\r\n",
    b"\x00",
]


def streams(pieces: list[bytes]) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(pieces) | st.binary(max_size=20), max_size=14).map(b"".join)


@given(streams(HTTP))
def test_any_bytes_are_an_http_answer_or_none(sent: bytes) -> None:
    async def read() -> Answer:
        reader = asyncio.StreamReader()
        reader.feed_data(sent)
        reader.feed_eof()
        connection = h11.Connection(h11.CLIENT)
        request = h11.Request(method="POST", target="/", headers=[("Host", "host.example"), ("Content-Length", "0")])
        for part in (request, h11.EndOfMessage()):
            connection.send(part)
        answer = await _answer(connection, reader, "host.example")
        with suppress(h11.RemoteProtocolError):  # as the caller has it
            await _drop_rest(connection, reader)
        return answer

    try:
        assert run(read()).status_code in range(200, 1000)
    except Undelivered as fault:
        assert "host.example" in str(fault)  # noqa: PT017 - most bytes are no answer


@given(streams(SMTP).map(SMTP[0].__add__) | streams(SMTP), st.booleans())
def test_any_bytes_are_an_smtp_answer_or_none(sent: bytes, login: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    user, password = ("ann", "s3cr3t") if login else (None, None)
    security = MailSecurity.OFFERED_STARTTLS
    route = MailRoute(("bob@team.example",), "pat@team.example", security, "mail.example", 25, user, password)
    mail = mail_of(Letter("subject", "text/plain", "text"), route, "msg_1", datetime(2026, 11, 27, tzinfo=UTC))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        try:
            assert (
                _sent(ours, route, mail, lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)).outcome
                is DeliveryOutcome.DELIVERED
            )
        except Undelivered as fault:
            assert "mail.example" in str(fault)  # noqa: PT017 - most bytes are no answer
            assert "s3cr3t" not in str(fault)  # noqa: PT017 - same
