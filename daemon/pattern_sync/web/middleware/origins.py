"""Checks of the Host and the Origin: a browser also sends the requests of hostile pages."""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pattern_sync.domain.facts import Emit, LiveRefused
from pattern_sync.web.middleware.refusal import SAFE_METHODS, refuse
from pattern_sync.web.middleware.request_ids import request_id_of

# Whoever watches the daemon may know it by any name, such as a container's. These paths change nothing, and show the
# daemon's condition but no pattern: that much a hostile site may read.
PROBES = frozenset({"/livez", "/readyz", "/metrics"})


class HostCheck:
    """Refuses requests for a name that is not ours: a hostile site can point its name at our address (DNS rebinding).

    An IP address cannot be rebound, so every one is allowed. Reads of the probes are allowed by any name.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with 400."""
        host = Headers(scope=scope).get("host", "")
        if _is_probe(scope) or self._is_ours(host):
            await self._app(scope, receive, send)
        else:
            detail = (
                f"The host {host!r} is not allowed. To allow it, add it to PATTERN_SYNC_ALLOWED_HOSTS; where it is a"
                " proxy's, set PATTERN_SYNC_PUBLIC_URL."
            )
            await refuse(scope, receive, send, 400, detail)

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
    """Refuses writes and WebSockets of other sites' pages. CORS covers their reads.

    `public` is the origin by which a proxy serves the daemon. Where it is https, a page of the same host over http is
    another site's: anybody on its way may have written it.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str], public: str | None, emit: Emit) -> None:
        self._app = app
        self._emit = emit
        self._allowed = frozenset(allowed if public is None else {*allowed, public})
        self._secure_host = _host_of(public) if public is not None and public.startswith("https:") else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with 403."""
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        safe = scope["type"] == "http" and scope["method"] in SAFE_METHODS
        if safe or origin is None or origin in self._allowed or self._is_same(origin, headers.get("host", "")):
            await self._app(scope, receive, send)
        else:
            detail = (
                f"The origin {origin!r} is not allowed. To allow it, add it to PATTERN_SYNC_CORS_ORIGINS; where it is"
                " the page's own behind a proxy, set PATTERN_SYNC_PUBLIC_URL."
            )
            if scope["type"] == "websocket":
                self._emit(LiveRefused(detail, request_id_of(scope)))
            await refuse(scope, receive, send, 403, detail)

    def _is_same(self, origin: str, host: str) -> bool:
        is_web = origin.startswith(("http://", "https://"))
        return is_web and _host_of(origin) == host.lower() != self._secure_host


def _is_probe(scope: Scope) -> bool:
    # By the very path that is routed. A WebSocket is no probe.
    return scope["type"] == "http" and scope["method"] in SAFE_METHODS and scope["path"] in PROBES


def _host_of(origin: str) -> str:
    return origin.partition("://")[2].lower()
