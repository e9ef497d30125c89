"""The statements of the watch, over asyncpg."""

from dataclasses import replace

from pattern_sync.database.pool import Pool
from pattern_sync.database.rows.overview import to_lacking_roles, to_sighting
from pattern_sync.database.rows.queue import run_argument
from pattern_sync.domain.reception import LackingRole, Sighting
from pattern_sync.domain.results import SyncResult

WATCH_SECONDS = 5.0
RECOVERED = "recovered"
# A flood of marks is shed in steps of 10,000 of them, which take 0.1 s each, at most this many before a look.
_SHED_STEPS = 20
_READ_MARKS = 10_000
# Who may write changes rarely: it is looked at with every so many looks, and with each one while a right is missing.
_LOOKS_AT_ROLES = 6


class WatchGateway:
    """Runs the statements of the watch; every method raises DatabaseError or SchemaError."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._flooded = False
        self._lacking: tuple[LackingRole, ...] = ()
        self._looks_until_roles = 0

    async def look(self) -> Sighting:
        """Return the faults and the marks of writers that could not notify; deletes the marks."""
        # First, as the marks are taken with the second: what was taken is returned.
        await self._look_at_roles()
        if self._flooded:
            await self._shed_marks()
        row = (await self._pool.fetch("watch", deadline_seconds=WATCH_SECONDS))[0]
        self._flooded = row["flooded"]
        sighting = to_sighting(row)
        return replace(sighting, faults=(*sighting.faults, *(role.fault for role in self._lacking)))

    async def mend(self, relation: str) -> None:
        """Mend the triggers of one table. Raises TransactionConflict if a lock is taken."""
        await self._pool.fetch("mend", relation, deadline_seconds=WATCH_SECONDS)

    async def record_recovery(self, patterns: int) -> None:
        """Record, for `status`, how many patterns a sweep queued that no notification had announced."""
        recovered = run_argument(RECOVERED, SyncResult(synced_count=patterns))
        await self._pool.fetch("record_run", recovered, deadline_seconds=WATCH_SECONDS)

    async def _look_at_roles(self) -> None:
        """Look for roles that lack a right which our triggers need, now and then."""
        if self._looks_until_roles == 0 or self._lacking:
            rows = await self._pool.fetch("writers_without_rights", deadline_seconds=WATCH_SECONDS)
            self._lacking = to_lacking_roles(rows)
            self._looks_until_roles = _LOOKS_AT_ROLES
        self._looks_until_roles -= 1

    async def _shed_marks(self) -> None:
        for _ in range(_SHED_STEPS):
            rows = await self._pool.fetch("shed_marks", deadline_seconds=WATCH_SECONDS)
            if rows[0]["shed"] <= _READ_MARKS:
                return
