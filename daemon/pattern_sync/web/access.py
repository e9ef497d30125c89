"""Access control by tokens, which are compared in constant time."""

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, HTTPException, WebSocket
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

SUBPROTOCOL = "pattern-sync.v1"
_TOKEN_SUBPROTOCOL = "bearer."  # noqa: S105 - a prefix; a browser cannot set headers on a WebSocket
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Pattern Sync"'}

_bearer = HTTPBearer(
    auto_error=False,
    description=(
        "The value of `PATTERN_SYNC_API_TOKEN`; if none is set, no token is needed."
        " `/sync/all`, and changing or switching a rule, always need the value of `PATTERN_SYNC_ADMIN_TOKEN`, which is"
        " accepted everywhere else, too."
    ),
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens from the settings. Without `api`, everybody may read and decide; without `admin`, /sync/all is off.

    `metrics` is a token for scrapes alone. Without it, `open_metrics` says whether a scrape needs the API token.
    """

    api: str | None = field(default=None, repr=False)
    admin: str | None = field(default=None, repr=False)
    metrics: str | None = field(default=None, repr=False)
    open_metrics: bool = field(default=True, repr=False)


class Guard:
    """Admits requests. Raises HTTPException: 401 for a missing or wrong token, 403 for one that does not suffice."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def reader(self, credentials: Credentials) -> None:
        """Admit everybody who may read and decide: all clients if no API token is set."""
        self._admit_reader(credentials.credentials if credentials else None)

    async def scraper(self, credentials: Credentials) -> None:
        """Admit who may read the metrics: on loopback all clients, unless a token for them is set."""
        presented = credentials.credentials if credentials else None
        if _same(presented, self._tokens.metrics):
            return
        if self._tokens.metrics is None and self._tokens.open_metrics:
            return
        if _same(presented, self._tokens.api) or _same(presented, self._tokens.admin):
            return
        raise _unauthorized(presented, "API token" if self._tokens.metrics is None else "metrics token")

    async def administrator(self, credentials: Credentials) -> None:
        """Admit administrators only."""
        if self._tokens.admin is None:
            raise HTTPException(
                403,
                "Only administrators may do this, and no administrators' token is set. Set PATTERN_SYNC_ADMIN_TOKEN.",
            )
        presented = credentials.credentials if credentials else None
        if _same(presented, self._tokens.admin):
            return
        if presented is not None and _same(presented, self._tokens.api):
            raise HTTPException(
                403, "Only administrators may do this, and this is the API token. Send the administrators' token."
            )
        raise _unauthorized(presented, "administrators' token")

    def require_valid_token(self, authorization: str) -> None:
        """Refuse an Authorization header that no route would accept."""
        scheme, _, presented = authorization.partition(" ")
        self._admit_reader(presented.strip() if scheme.lower() == "bearer" else None)

    async def websocket(self, socket: WebSocket) -> None:
        """Admit a WebSocket by its Authorization header, else by the token among its subprotocols."""
        scheme, _, presented = socket.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            self._admit_reader(presented.strip())
        else:
            self._admit_reader(_token_among(socket.scope["subprotocols"]))

    def _admit_reader(self, presented: str | None) -> None:
        if self._tokens.api is None or _same(presented, self._tokens.api) or _same(presented, self._tokens.admin):
            return
        raise _unauthorized(presented, "API token")


def offers_token(subprotocols: list[str]) -> bool:
    """Return whether a WebSocket offers a token among its subprotocols."""
    return any(offered.startswith(_TOKEN_SUBPROTOCOL) for offered in subprotocols)


def _unauthorized(presented: str | None, name: str) -> HTTPException:
    fault = "missing" if presented is None else "wrong"
    return HTTPException(401, f"The {name} is {fault}. Send it as Authorization: Bearer TOKEN.", _CHALLENGE)


def _same(presented: str | None, expected: str | None) -> bool:
    if presented is None or expected is None:
        return False
    return hmac.compare_digest(presented.encode(errors="replace"), expected.encode())


def _token_among(subprotocols: list[str]) -> str | None:
    for offered in subprotocols:
        if offered.startswith(_TOKEN_SUBPROTOCOL):
            encoded = offered.removeprefix(_TOKEN_SUBPROTOCOL)
            try:
                return base64.b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", validate=True).decode()
            except (binascii.Error, ValueError):
                return ""
    return None
