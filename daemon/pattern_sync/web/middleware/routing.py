"""Rewrites requests before they are routed."""

import re
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

PATTERNS = "/api/v1/patterns/"
# Below these, a path holds a signature.
_WITH_IDS = (PATTERNS, "/api/v1/roi/")
_PLACE = re.compile(rf"({'|'.join(_WITH_IDS)})(~|%7[Ee])(?=/|$)")
_QUERY_ID = re.compile(rb"(?:^|&)pattern_id=([^&]*)")


class HeadAsGet:
    """Routes HEAD as GET; the server leaves out the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope.get("method") == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


class RawPatternIds:
    """Routes by the path as it was sent: an encoded slash is part of a signature, a plain one separates segments.

    The path may hold `~`, and the query the signature as `pattern_id`: browsers and proxies resolve `.` and `..`, and
    many proxies decode slashes, so that a signature such as `a/../b` would become another one on the way.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["path"].startswith(_WITH_IDS):
            path, query = _with_id_of_query(scope["raw_path"].decode("latin-1"), scope["query_string"])
            scope = {**scope, "path": path, "query_string": query}
        await self._app(scope, receive, send)


def _with_id_of_query(path: str, query: bytes) -> tuple[str, bytes]:
    place, given = _PLACE.match(path), _QUERY_ID.search(query)
    if place is None or given is None:
        return path, query
    signature = unquote_to_bytes(given[1].replace(b"+", b" "))
    # Every byte is encoded, so that no signature is taken for another part of the path.
    encoded = "".join(f"%{byte:02X}" for byte in signature)
    # It is taken out of the query, so that one that nobody reads is refused as unknown.
    rest = (query[: given.start()] + query[given.end() :]).removeprefix(b"&")
    return place[1] + encoded + path[place.end() :], rest
