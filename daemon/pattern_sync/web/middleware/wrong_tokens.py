"""What becomes of wrong tokens: they are told, and where many come from one address, their answers are slowed."""

import asyncio
import ipaddress
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pattern_sync.domain.facts import Emit, TokenRefused
from pattern_sync.web.access import offers_token

# One address gets so many answers at once, and then ten a second.
FREE_ANSWERS = 20
STEP_SECONDS = 0.1
# Shorter than a stop waits for requests.
LONGEST_SECONDS = 2.0
MOST_ADDRESSES = 1_000
_STARTS = {"http.response.start", "websocket.http.response.start"}
_UNAUTHORIZED = 401


class Slowdown:
    """Says how long the next refusal of an address has to wait. `now` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._due: dict[str, float] = {}  # when the last answer of each was due; the latest address last

    @property
    def known(self) -> int:
        """Return how many addresses are kept in mind."""
        return len(self._due)

    def next(self, address: str) -> float:
        """Count one more, and return the seconds to wait."""
        now = self._now()
        due = max(self._due.pop(address, 0.0), now - FREE_ANSWERS * STEP_SECONDS) + STEP_SECONDS
        self._due[address] = min(due, now + LONGEST_SECONDS)
        if len(self._due) > MOST_ADDRESSES:
            del self._due[next(iter(self._due))]
        return max(0.0, self._due[address] - now)


class WrongTokens:
    """Slows the refusals of wrong tokens, and nothing else: behind a proxy all clients have one address.

    So a right token is never slowed, and neither is a request without one. The answers of one address that are asked
    for at the same time wait one after another.
    """

    def __init__(self, app: ASGIApp, emit: Emit, now: Callable[[], float]) -> None:
        self._app = app
        self._emit = emit
        self._slowdown = Slowdown(now)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def send_slowly(message: Message) -> None:
            if message["type"] in _STARTS and message["status"] == _UNAUTHORIZED and _has_token(scope):
                address = _address(scope)
                self._emit(TokenRefused(address))
                await asyncio.sleep(self._slowdown.next(_network(address)))
            await send(message)

        await self._app(scope, receive, send_slowly)


def _has_token(scope: Scope) -> bool:
    return bool(Headers(scope=scope).get("authorization")) or offers_token(scope.get("subprotocols", []))


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def _network(address: str) -> str:
    """Return what one client has for itself: an IPv4 address, or 64 bits of IPv6."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if known.version == 4 else str(ipaddress.ip_network((known, 64), strict=False))  # noqa: PLR2004
