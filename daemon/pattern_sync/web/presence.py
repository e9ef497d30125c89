"""Who reads which pattern now: at this daemon's pages, and at those of its replicas."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from pattern_sync.domain.decision import check_reviewer
from pattern_sync.domain.errors import InvalidInput
from pattern_sync.domain.text import is_storable
from pattern_sync.web.live_clients import LiveClient

# What a replica says is repeated so often, and forgotten after so long: it may have died.
REPEAT_SECONDS = 20.0
FORGET_SECONDS = 60.0
LONGEST_READING = 2_000
# A notification holds less than 8,000 bytes.
LONGEST_PAYLOAD = 7_500
# Anybody who may connect to the database can notify.
MOST_REPLICAS = 100

Readers = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page sends: the pattern that its person looks at, None for none, and the person's name."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    pattern_id: str | None
    reviewer: str | None
    type: Literal["reading"]


@dataclass(frozen=True, slots=True)
class _Told:
    """What a daemon tells its replicas."""

    origin: str
    readers: Readers


_READING = TypeAdapter(Reading)
_TOLD = TypeAdapter(_Told)


class Presence:
    """Keeps who reads what. It is a hint for people: what gets lost is told again, and nothing depends on it.

    `origin` is this daemon's name among its replicas; `now` is a monotonic clock in seconds.
    """

    def __init__(self, origin: str, now: Callable[[], float]) -> None:
        self._origin = origin
        self._now = now
        self._local: dict[LiveClient, tuple[str, str]] = {}
        self._remote: dict[str, tuple[float, Readers]] = {}
        self._told_at = now()
        self._told: Readers = {}
        self._shown: Readers = {}
        self._shows_again = False

    def heard_page(self, client: LiveClient, text: str, name: str | None) -> None:
        """Note what a page says its person reads; `name` is the one that a proxy signed in, and precedes."""
        self._local.pop(client, None)
        if len(text) > LONGEST_READING:
            return
        try:
            said = _READING.validate_json(text, strict=True)
            # Whoever has no name cannot be named.
            reviewer = check_reviewer(name or said.reviewer) if name or (said.reviewer or "").strip() else None
        except (ValueError, InvalidInput):
            return
        if reviewer and said.pattern_id and is_storable(said.pattern_id):
            self._local[client] = (said.pattern_id, reviewer)

    def joined(self) -> None:
        """Show everything again, for a page that has just come."""
        self._shows_again = True

    def left(self, client: LiveClient) -> None:
        """Forget what a page said."""
        self._local.pop(client, None)

    def heard_replica(self, payload: str) -> None:
        """Note what another daemon tells."""
        try:
            told = _TOLD.validate_json(payload, strict=True)
        except ValueError:
            return
        if told.origin == self._origin:
            return
        self._forget_silent()
        if told.origin in self._remote or len(self._remote) < MOST_REPLICAS:
            self._remote[told.origin] = (self._now(), told.readers)

    def to_tell(self) -> str | None:
        """Return what the replicas have to be told now; None for nothing."""
        local = self._readers_here()
        repeats = bool(local) and self._now() - self._told_at >= REPEAT_SECONDS
        if local == self._told and not repeats:
            return None
        self._told, self._told_at = local, self._now()
        while len(payload := json.dumps({"origin": self._origin, "readers": local})) > LONGEST_PAYLOAD:
            local = dict(list(local.items())[: len(local) // 2])
        return payload

    def to_show(self) -> Readers | None:
        """Return who reads what if the pages do not know it yet."""
        self._forget_silent()
        readers = self._readers_here()
        for _, remote in self._remote.values():
            for pattern_id, names in remote.items():
                readers[pattern_id] = sorted({*readers.get(pattern_id, []), *names})
        again = self._shows_again and bool(readers)
        if readers == self._shown and not again:
            return None
        self._shown, self._shows_again = readers, False
        return readers

    def _readers_here(self) -> Readers:
        readers: Readers = {}
        for pattern_id, reviewer in sorted(set(self._local.values())):
            readers.setdefault(pattern_id, []).append(reviewer)
        return readers

    def _forget_silent(self) -> None:
        limit = self._now() - FORGET_SECONDS
        self._remote = {origin: told for origin, told in self._remote.items() if told[0] >= limit}
