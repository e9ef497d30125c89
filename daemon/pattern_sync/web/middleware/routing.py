"""What the routes are shown instead of what was sent."""

from starlette.types import ASGIApp, Receive, Scope, Send

PATTERNS = "/api/v1/patterns/"


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
