"""What every request passes before a route sees it: host, origin, token, size; and what every answer carries."""

import asyncio
import ipaddress
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from pattern_sync.web.access import Guard

API = "/api/"
PATTERNS = "/api/v1/patterns/"
LARGEST_BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
# Of all bodies that have begun and not ended. What people write comes whole: those that take longest make room.
MOST_UNFINISHED_BYTES = 8 * 1024 * 1024
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class ResponseHeaders:
    """Gives every answer the headers that keep a browser from doing more than the page needs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                # The page's files are asked for again each time, and answered with 304; answers of the API never kept.
                headers.setdefault("Cache-Control", "no-store" if scope["path"].startswith(API) else "no-cache")
            await send(message)

        await self._app(scope, receive, send_with_headers)


class HostCheck:
    """Refuses requests for a name that does not lead here: a foreign name pointed at our address (DNS rebinding).

    An IP address cannot be rebound, so every one is allowed.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with 400."""
        host = Headers(scope=scope).get("host", "")
        if self._is_ours(host):
            await self._app(scope, receive, send)
        else:
            detail = f"{host!r} does not lead here; if it should, add it to PATTERN_SYNC_ALLOWED_HOSTS."
            await _refuse(scope, receive, send, 400, detail)

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            if name.rstrip(".") in self._names:
                return True
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


class OriginCheck:
    """Refuses what another site's page wants to change or to listen to; what it wants to read is for CORS."""

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self._app = app
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with 403."""
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        safe = scope["type"] == "http" and scope["method"] in _SAFE_METHODS
        if safe or origin is None or origin in self._allowed or _is_same(origin, headers.get("host", "")):
            await self._app(scope, receive, send)
        else:
            detail = f"Pages of {origin!r} may not do this; if they should, add it to PATTERN_SYNC_CORS_ORIGINS."
            await _refuse(scope, receive, send, 403, detail)


class TokenFirst:
    """Refuses who has no token before a byte of the body is kept; what the token is good for is the routes' affair."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with 401."""
        if scope["type"] == "http" and scope["method"] not in _SAFE_METHODS:
            try:
                self._guard.refuse_stranger(Headers(scope=scope).get("authorization", ""))
            except HTTPException as refusal:
                await _refuse(scope, receive, send, refusal.status_code, str(refusal.detail), refusal.headers)
                return
        await self._app(scope, receive, send)


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
                await _refuse(scope, receive, send, 408, "The body did not come in time.")
                return
        if body is None:
            await _refuse(scope, receive, send, 413, f"The body is larger than {LARGEST_BODY_BYTES:,} bytes.")
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


class HeadAsGet:
    """Answers HEAD as GET: the server leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope.get("method") == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


class RawPatternIds:
    """Routes by the path as it was sent: an encoded slash belongs to a pattern's id, a plain one to the path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["path"].startswith(PATTERNS):
            scope = {**scope, "path": scope["raw_path"].decode("latin-1")}
        await self._app(scope, receive, send)


def _is_same(origin: str, host: str) -> bool:
    scheme, _, origin_host = origin.partition("://")
    return scheme in {"http", "https"} and origin_host.lower() == host.lower()


async def _refuse(
    scope: Scope, receive: Receive, send: Send, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> None:
    response = JSONResponse({"detail": detail}, status, headers)
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(response)
    else:
        await response(scope, receive, send)
