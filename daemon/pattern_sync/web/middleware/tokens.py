"""The check of the token before a body is read."""

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pattern_sync.web.access import Guard
from pattern_sync.web.middleware.refusal import SAFE_METHODS, refuse


class TokenFirst:
    """Refuses a request without a valid token before its body is read. The routes check what the token allows."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with 401."""
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            try:
                self._guard.require_valid_token(Headers(scope=scope).get("authorization", ""))
            except HTTPException as refusal:
                await refuse(scope, receive, send, refusal.status_code, str(refusal.detail), refusal.headers)
                return
        await self._app(scope, receive, send)
