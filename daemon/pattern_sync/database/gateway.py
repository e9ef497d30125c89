"""Statements that only the daemon needs: the version, its rights, the filter in force."""

from collections.abc import Callable, Sequence

from pattern_sync.database.pool import Pool
from pattern_sync.database.queueing import DAEMONS_PACE, EVENT_SECONDS, SCAN_SECONDS, QueueGateway
from pattern_sync.database.rows.filters import filter_arguments, to_filter_in_force
from pattern_sync.database.rows.overview import to_missing_indexes, to_pending, to_publication, to_schema_version
from pattern_sync.database.version import check_version
from pattern_sync.domain.errors import AccessRefused, RightsMissing
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.schema import SchemaVersion
from pattern_sync.domain.statistics import MissingIndex, PendingEntries, Publication


class DaemonGateway(QueueGateway):
    """Runs the daemon's statements; every method raises DatabaseError or SchemaError.

    `on_schema` gets the version of the schema when it was first read, and whenever it has changed.
    """

    def __init__(
        self,
        pool: Pool,
        on_written: Callable[[Sequence[str], Sequence[str]], None],
        on_schema: Callable[[SchemaVersion], None],
    ) -> None:
        super().__init__(pool, on_written, DAEMONS_PACE)
        self._pool = pool
        self._on_schema = on_schema
        self._schema: SchemaVersion | None = None
        self._published: SyncFilter | None = None

    async def check_schema(self) -> None:
        """Raise SchemaError unless this version can work with the schema; AccessRefused as check_rights does."""
        try:
            rows = await self._pool.fetch("schema_version", deadline_seconds=EVENT_SECONDS)
        except AccessRefused:
            await self.check_rights()  # after a restore without rights: this error names the grants as well
            raise
        version = to_schema_version(rows)
        check_version(version)
        if version != self._schema:
            self._schema = version
            self._on_schema(version)

    async def check_rights(self) -> None:
        """Raise RightsMissing, with the statements that grant them, if the daemon's role lacks rights."""
        rows = await self._pool.fetch("missing_rights", deadline_seconds=EVENT_SECONDS)
        if rows:
            raise RightsMissing(row["remedy"] for row in rows)

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

    async def count_pending(self) -> PendingEntries:
        """Return how many entries are pending, and since when the oldest is."""
        return to_pending((await self._pool.fetch("count_pending", deadline_seconds=SCAN_SECONDS))[0])

    async def publish_filter(self, sync_filter: SyncFilter) -> bool:
        """Put a filter in force for the triggers and all daemons; False if it was already."""
        self._published = sync_filter
        arguments = filter_arguments(sync_filter)
        return bool(await self._pool.fetch("publish_filter", *arguments, deadline_seconds=EVENT_SECONDS))

    async def republish_filter(self) -> None:
        """Put the filter that was last published in force again."""
        if self._published is not None:
            await self.publish_filter(self._published)
