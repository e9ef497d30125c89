"""Bodies: none is larger than anything that a person writes, and each comes to an end."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pattern_sync.web.middleware.refusal import refuse

LARGEST_BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
# Of all bodies that have begun and not ended. What people write comes whole: those that take longest make room.
MOST_UNFINISHED_BYTES = 8 * 1024 * 1024


class BodyLimit:
    """Refuses bodies that are larger than anything that a person writes, or that never come to an end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._unfinished: dict[asyncio.Timeout, int] = {}  # bytes so far, oldest first
        self._unfinished_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with 413 or 408."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _declared_bytes(scope) > LARGEST_BODY_BYTES:
            body = None
        else:
            try:
                body = await self._read_body(receive)
            except TimeoutError:
                await refuse(scope, receive, send, 408, "The body did not come in time.")
                return
        if body is None:
            await refuse(scope, receive, send, 413, f"The body is larger than {LARGEST_BODY_BYTES:,} bytes.")
            return
        unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_whole() -> Message:
            return unread.pop() if unread else await receive()

        await self._app(scope, receive_whole, send)

    async def _read_body(self, receive: Receive) -> bytes | None:
        body = bytearray()
        async with asyncio.timeout(BODY_SECONDS) as patience:
            try:
                while True:
                    message = await receive()
                    body += message.get("body", b"")
                    if len(body) > LARGEST_BODY_BYTES:
                        return None
                    if not message.get("more_body", False):  # the end, or a client that has gone
                        return bytes(body)
                    self._keep(patience, len(body))
            finally:
                self._drop(patience)

    def _keep(self, patience: asyncio.Timeout, size: int) -> None:
        self._unfinished_bytes += size - self._unfinished.get(patience, 0)
        self._unfinished[patience] = size
        while self._unfinished_bytes > MOST_UNFINISHED_BYTES:
            oldest = next(iter(self._unfinished))
            self._drop(oldest)
            oldest.reschedule(0)  # long ago

    def _drop(self, patience: asyncio.Timeout) -> None:
        self._unfinished_bytes -= self._unfinished.pop(patience, 0)


def _declared_bytes(scope: Scope) -> int:
    declared = Headers(scope=scope).get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else 0
