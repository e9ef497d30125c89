"""Statements that only the daemon needs: the version, its rights, the filter in force."""

from collections.abc import Callable, Sequence

from pattern_sync.database.pool import Pool
from pattern_sync.database.queueing import DAEMONS_PACE, EVENT_SECONDS, QueueGateway
from pattern_sync.database.rows.filters import filter_arguments, to_filter_in_force
from pattern_sync.database.rows.overview import to_missing_indexes, to_publication
from pattern_sync.database.version import check_version
from pattern_sync.domain.errors import AccessRefused
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.statistics import MissingIndex, Publication


class DaemonGateway(QueueGateway):
    """Runs the daemon's statements; every method raises DatabaseError or SchemaError."""

    def __init__(self, pool: Pool, on_written: Callable[[Sequence[str], Sequence[str]], None]) -> None:
        super().__init__(pool, on_written, DAEMONS_PACE)
        self._pool = pool
        self._published: SyncFilter | None = None

    async def check_schema(self) -> None:
        """Raise SchemaError unless the schema in the database is this version's; AccessRefused as check_rights does."""
        try:
            rows = await self._pool.fetch("schema_version", deadline_seconds=EVENT_SECONDS)
        except AccessRefused:
            await self.check_rights()  # after a restore without rights: this error names the grants as well
            raise
        check_version(rows[0]["version"])

    async def check_rights(self) -> None:
        """Raise AccessRefused, with the statements that grant them, if the daemon's role lacks rights."""
        rows = await self._pool.fetch("missing_rights", deadline_seconds=EVENT_SECONDS)
        if rows:
            grants = " ".join(str(row["remedy"]) for row in rows)
            raise AccessRefused(f"The daemon's role lacks rights. As the owner of the tables: {grants}")

    async def missing_indexes(self) -> tuple[MissingIndex, ...]:
        """Return the indexes that large tables of the application lack for us."""
        return to_missing_indexes(await self._pool.fetch("missing_indexes", deadline_seconds=EVENT_SECONDS))

    async def read_filter(self) -> SyncFilter:
        """Return the filter in force, or the one last published if the database has lost it."""
        rows = await self._pool.fetch("read_filter", deadline_seconds=EVENT_SECONDS)
        return self._published if not rows and self._published is not None else to_filter_in_force(rows)

    async def read_publication(self) -> Publication | None:
        """Return who put the filter in force."""
        return to_publication(await self._pool.fetch("publication", deadline_seconds=EVENT_SECONDS))

    async def publish_filter(self, sync_filter: SyncFilter) -> bool:
        """Put a filter in force for the triggers and all daemons; False if it was already."""
        self._published = sync_filter
        arguments = filter_arguments(sync_filter)
        return bool(await self._pool.fetch("publish_filter", *arguments, deadline_seconds=EVENT_SECONDS))

    async def republish_filter(self) -> None:
        """Put the filter that was last published in force again."""
        if self._published is not None:
            await self.publish_filter(self._published)
