"""Measures each HTTP request, and each WebSocket that is refused: its route, the status, and the time that it took."""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pattern_sync.domain.facts import Emit, RequestAnswered

# Middleware between the two copies the scope, so that the routed request cannot be seen outside: they share this dict.
_SHARED = "pattern_sync.route"
# Labels for what has no route of its own: the page's files and unknown paths; what a check refused before the routes;
# a request that ended without an answer.
STATIC = "static"
REFUSED = "refused"
UNANSWERED = "none"


class Measured:
    """Emits a fact for each request; it goes around everything. `now` is a monotonic clock in seconds."""

    def __init__(self, app: ASGIApp, emit: Emit, now: Callable[[], float]) -> None:
        self._app = app
        self._emit = emit
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        started = self._now()
        routed: dict[str, str] = {}
        code = UNANSWERED

        async def send_noting_status(message: Message) -> None:
            nonlocal code
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                code = str(message["status"])
            await send(message)

        try:
            await self._app({**scope, _SHARED: routed}, receive, send_noting_status)
        finally:
            # A WebSocket that was accepted is no request that was answered: it lasts for as long as a page is open.
            if scope["type"] == "http" or code != UNANSWERED:
                self._emit(RequestAnswered(routed.get("path", REFUSED), code, self._now() - started))


class Routed:
    """Notes the template of the route that was taken, which is bounded where the path is not; it goes innermost."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        try:
            await self._app(scope, receive, send)
        finally:
            if _SHARED in scope:
                scope[_SHARED]["path"] = getattr(scope.get("route"), "path_format", STATIC)
