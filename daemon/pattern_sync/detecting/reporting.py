"""What agents report of their calls while they make them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from pattern_sync.detecting.hooks import HookReader
from pattern_sync.domain.calls import ToolEvent


class ReportStore(Protocol):
    """Keeps events; raises DatabaseError or SchemaError."""

    async def report(self, event: ToolEvent) -> None: ...


class Reporting:
    """Keeps of each report a word, and that the call began, ended or failed; `clock` is the time of day."""

    def __init__(self, store: ReportStore, reader: HookReader, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._reader = reader
        self._clock = clock

    async def report(self, body: Mapping[str, object]) -> None:
        """Keep what the body of a hook says of a call. Raises InvalidInput."""
        await self._store.report(self._reader.of_body(body, self._clock()))
