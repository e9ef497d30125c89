"""A refusal without a route: an answer over HTTP, or a denial of a WebSocket."""

from collections.abc import Mapping

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

# They change nothing, so neither an origin nor a token is needed to have the route see them.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


async def refuse(
    scope: Scope, receive: Receive, send: Send, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> None:
    """Answer with a status and a sentence."""
    response = JSONResponse({"detail": detail}, status, headers)
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(response)
    else:
        await response(scope, receive, send)
