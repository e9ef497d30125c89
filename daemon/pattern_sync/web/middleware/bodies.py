"""Limits for request bodies: the size of each, the time that it takes, and the memory for all of them."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pattern_sync.web.middleware.refusal import refuse

LARGEST_BODY_BYTES = 64 * 1024
# A decision on many entries names each of them; an agent's hook sends whole files and outputs.
LARGER_BODIES = {
    "/api/v1/patterns/decisions": 2 * 1024 * 1024,
    "/api/v1/events/claude-code": 2 * 1024 * 1024,
}
BODY_SECONDS = 10.0
# For all bodies that have begun to arrive and have not ended. Beyond it, the oldest one gets 408: what people write
# arrives in one piece.
MOST_UNFINISHED_BYTES = 8 * 1024 * 1024


class BodyLimit:
    """Refuses bodies that are larger than anything that a person writes, or that take too long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._unfinished: dict[asyncio.Timeout, int] = {}  # bytes so far, oldest first
        self._unfinished_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with 413 or 408."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        largest = LARGER_BODIES.get(scope.get("path", ""), LARGEST_BODY_BYTES)
        if _declared_bytes(scope) > largest:
            body = None
        else:
            try:
                body = await self._read_body(receive, largest)
            except TimeoutError:
                await refuse(
                    scope,
                    receive,
                    send,
                    408,
                    f"The body did not arrive within {BODY_SECONDS:g} seconds. Send it again.",
                )
                return
        if body is None:
            await refuse(scope, receive, send, 413, f"The body is larger than {largest:,} bytes. Shorten it.")
            return
        unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_whole() -> Message:
            return unread.pop() if unread else await receive()

        await self._app(scope, receive_whole, send)

    async def _read_body(self, receive: Receive, largest: int) -> bytes | None:
        body = bytearray()
        async with asyncio.timeout(BODY_SECONDS) as deadline:
            try:
                while True:
                    message = await receive()
                    body += message.get("body", b"")
                    if len(body) > largest:
                        return None
                    if not message.get("more_body", False):  # the body is complete, or the client is gone
                        return bytes(body)
                    self._count(deadline, len(body))
            finally:
                self._discount(deadline)

    def _count(self, deadline: asyncio.Timeout, size: int) -> None:
        self._unfinished_bytes += size - self._unfinished.get(deadline, 0)
        self._unfinished[deadline] = size
        while self._unfinished_bytes > MOST_UNFINISHED_BYTES:
            oldest = next(iter(self._unfinished))
            self._discount(oldest)
            oldest.reschedule(0)  # in the past, so that it expires at once

    def _discount(self, deadline: asyncio.Timeout) -> None:
        self._unfinished_bytes -= self._unfinished.pop(deadline, 0)


def _declared_bytes(scope: Scope) -> int:
    declared = Headers(scope=scope).get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else 0
