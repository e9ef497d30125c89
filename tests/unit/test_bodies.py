"""Bodies are read only with a token, and unfinished bodies make room for whole ones."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from pattern_sync.web.access import Guard, Tokens
from pattern_sync.web.middleware import bodies
from pattern_sync.web.middleware.bodies import LARGEST_BODY_BYTES, MOST_UNFINISHED_BYTES, BodyLimit
from pattern_sync.web.middleware.tokens import TokenFirst
from tests.support.asynchronous import run, settle

HALF = b"x" * (LARGEST_BODY_BYTES - 1)


class Request:
    """One request, its body sent piece by piece, and the answer to it."""

    def __init__(self, *headers: tuple[str, str], method: str = "POST") -> None:
        self.scope: Scope = {
            "type": "http",
            "method": method,
            "headers": [(name.encode(), value.encode()) for name, value in headers],
        }
        self.pieces: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[Message] = []
        self.asked = 0

    def come(self, body: bytes, *, more: bool) -> None:
        self.pieces.put_nowait({"type": "http.request", "body": body, "more_body": more})

    async def receive(self) -> Message:
        self.asked += 1
        return await self.pieces.get()

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def answer(self) -> tuple[int, Any]:
        return self.sent[0]["status"], json.loads(self.sent[1]["body"])


class Application:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        self.bodies.append((await receive())["body"])


def test_the_oldest_unfinished_bodies_are_dropped_so_that_a_whole_one_passes() -> None:
    async def check() -> None:
        application = Application()
        limit = BodyLimit(application)
        room = MOST_UNFINISHED_BYTES // len(HALF)
        requests = [Request() for _ in range(room + 20)]
        tasks = []
        for request in requests:
            request.come(HALF, more=True)
            tasks.append(asyncio.create_task(limit(request.scope, request.receive, request.send)))
            await settle(lambda request=request: request.asked == 2)  # type: ignore[misc]
        await settle(lambda: all(task.done() for task in tasks[:20]))
        assert [request.answer[0] for request in requests[:20]] == [408] * 20
        assert not any(task.done() for task in tasks[20:])
        whole = Request()
        whole.come(b"{}", more=False)
        await limit(whole.scope, whole.receive, whole.send)
        requests[-1].come(b"y", more=False)
        await tasks[-1]
        assert application.bodies == [b"{}", HALF + b"y"]
        await cancelled(tasks[20:-1])
        # Requests that have ended are not counted any more.
        again = [Request() for _ in range(room)]
        tasks = [asyncio.create_task(limit(each.scope, each.receive, each.send)) for each in again]
        for each in again:
            each.come(HALF, more=True)
        await settle(lambda: all(each.asked == 2 for each in again))
        assert not any(task.done() for task in tasks)
        await cancelled(tasks)

    run(check())


async def cancelled(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def test_a_body_declared_too_large_is_not_read() -> None:
    async def check() -> None:
        request = Request(("content-length", str(LARGEST_BODY_BYTES + 1)))
        await BodyLimit(Application())(request.scope, request.receive, request.send)
        assert request.answer[0] == 413
        assert request.asked == 0

    run(check())


@pytest.mark.parametrize("length", ["-1", "x", "", "١٢", "1e9"])
def test_an_invalid_content_length_is_left_to_the_server(length: str) -> None:
    async def check() -> None:
        request = Request(("content-length", length))
        request.come(b"x", more=False)
        application = Application()
        await BodyLimit(application)(request.scope, request.receive, request.send)
        assert application.bodies == [b"x"]

    run(check())


@pytest.mark.parametrize(
    ("authorization", "status"),
    [(None, 401), ("Bearer wrong", 401), ("Basic reader", 401), ("Bearer reader", 0), ("bearer  administrator ", 0)],
)
def test_no_byte_of_a_body_is_read_without_a_token(authorization: str | None, status: int) -> None:
    async def check() -> None:
        request = Request(*([("authorization", authorization)] if authorization else []))
        request.come(b"x", more=False)
        application = Application()
        first = TokenFirst(BodyLimit(application), Guard(Tokens("reader", "administrator")))
        await first(request.scope, request.receive, request.send)
        assert application.bodies == ([] if status else [b"x"])
        if status:
            assert request.answer[0] == status
            assert request.asked == 0

    run(check())


def test_bodies_are_read_where_no_token_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.01)

    async def check() -> None:
        request = Request()
        application = Application()
        await TokenFirst(BodyLimit(application), Guard(Tokens()))(request.scope, request.receive, request.send)
        assert request.answer[0] == 408

    run(check())
