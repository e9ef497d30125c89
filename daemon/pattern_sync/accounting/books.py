"""Reading the books, and adding to them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Protocol

from pattern_sync.domain.computing import Computing, at_once
from pattern_sync.domain.errors import UnknownPattern
from pattern_sync.domain.roi import Books, PatternRoi, Promise, Roi
from pattern_sync.domain.roi_report import report, report_of
from pattern_sync.domain.savings import Execution, Recorded, Saving
from pattern_sync.domain.text import is_storable

# The page asks for one pattern after the other, and adding up all runs may take half a second.
_RECENT = timedelta(seconds=10)


class SavingsStore(Protocol):
    """What the accounting needs from the database; recording returns None for a pattern that does not exist."""

    async def books(self) -> Books: ...
    async def promise(self, pattern_id: str) -> Promise | None: ...
    async def record_saving(self, pattern_id: str, saving: Saving) -> str | None: ...
    async def record_execution(self, execution: Execution) -> int | None: ...


class Accounting:
    """Reads the books and adds to them. Like the review, it awaits only its store, and the computing."""

    def __init__(
        self,
        store: SavingsStore,
        computing: Computing = at_once,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._computing = computing
        self._now = now
        self._recent: Books | None = None
        self._read_at = now()

    async def roi(self) -> Roi:
        """Return the results of all approved patterns."""
        books = await self._books()
        return await self._computing(lambda: report(books, Random))

    async def roi_of(self, pattern_id: str) -> PatternRoi:
        """Return the results of one pattern, whatever was decided on it. Raises UnknownPattern.

        What other programs have recorded in the last seconds may be missing.
        """
        promise = await self._store.promise(pattern_id) if is_storable(pattern_id) else None
        if promise is None:
            raise UnknownPattern(f"The queue has no entry for {pattern_id!r}.")
        is_recent = self._recent is not None and self._now() - self._read_at < _RECENT
        books = self._recent if is_recent and self._recent is not None else await self._books()
        return await self._computing(lambda: report_of(books, promise, Random))

    async def _books(self) -> Books:
        read_at = self._now()
        self._recent = books = await self._store.books()
        self._read_at = read_at
        return books

    async def record(self, pattern_id: str, saving: Saving) -> Recorded:
        """Record what one run has saved. Raises UnknownPattern, NotRecordable, StatementFailed."""
        saving.check(self._now())
        table = await self._store.record_saving(pattern_id, saving) if is_storable(pattern_id) else None
        if table is None:
            raise UnknownPattern(f"There is no pattern {pattern_id!r} in operation_patterns.")
        self._recent = None
        return Recorded(pattern_id, saving.usd, saving.workflow_id, table)

    async def record_execution(self, execution: Execution) -> int:
        """Record one execution and return its id. Raises UnknownPattern, NotRecordable, StatementFailed."""
        execution.check(self._now())
        known = is_storable(execution.pattern_id)
        execution_id = await self._store.record_execution(execution) if known else None
        if execution_id is None:
            raise UnknownPattern(f"The queue has no entry for {execution.pattern_id!r}.")
        self._recent = None
        return execution_id
