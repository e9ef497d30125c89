"""Rewrites requests before they are routed."""

from starlette.types import ASGIApp, Receive, Scope, Send

PATTERNS = "/api/v1/patterns/"


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
    """Routes by the path as it was sent: an encoded slash is part of a signature, a plain one separates segments."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["path"].startswith(PATTERNS):
            scope = {**scope, "path": scope["raw_path"].decode("latin-1")}
        await self._app(scope, receive, send)
