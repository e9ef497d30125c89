"""The path under which a proxy serves the daemon."""

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class Prefix:
    """Removes the public URL's path from requests, unless the proxy has removed it: both ways work.

    `prefix` is empty, or begins with a slash and does not end in one.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix
        self._folder = f"{prefix}/"
        self._raw_folder = self._folder.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        await self._app(self._without_prefix(scope) if self._prefix else scope, receive, send)

    def _without_prefix(self, scope: Scope) -> Scope:
        # Both, so that a slash that was sent encoded does not end the prefix in one of them only.
        if not (scope["path"].startswith(self._folder) and scope["raw_path"].startswith(self._raw_folder)):
            return scope
        length = len(self._prefix)
        return {**scope, "path": scope["path"][length:], "raw_path": scope["raw_path"][length:]}


class LastSlash:
    """Redirects from the prefix to the page, as the page's addresses are relative; it goes within all checks."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with 307."""
        if self._prefix and scope["type"] == "http" and scope["path"] == self._prefix:
            await RedirectResponse(f"{self._prefix}/", 307)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
