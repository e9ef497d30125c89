"""Counts and overviews for operators and reviewers."""

from dataclasses import asdict, dataclass
from datetime import datetime

from pattern_sync.domain.entry import QueueCounts
from pattern_sync.domain.filter import SyncFilter


@dataclass(frozen=True, slots=True)
class SyncStatistics:
    """Counts of the patterns and of the queue entries.

    `pending_sync` counts eligible patterns without an entry, whatever their figures. `qualifying` counts those that
    pass the filter in force, `qualifying_missing` those of them without an entry (0 when all is well).
    """

    patterns_in_source: int
    patterns_in_review: int
    pending_sync: int
    qualifying: int
    qualifying_missing: int

    @property
    def sync_percentage(self) -> float:
        """Return in review / in source x 100, to one decimal; 0 when there are no patterns."""
        if not self.patterns_in_source:
            return 0.0
        return round(self.patterns_in_review / self.patterns_in_source * 100, 1)

    def to_dict(self) -> dict[str, int | float]:
        """Return every figure under its public name, `sync_percentage` included."""
        return {**asdict(self), "sync_percentage": self.sync_percentage}

    def __getitem__(self, figure: str) -> int | float:
        """Return one figure by its public name, as callers of the application's dictionary do. Raises KeyError."""
        figures = self.to_dict()
        if figure not in figures:
            raise KeyError(f"no such figure: {figure!r}; there are {', '.join(figures)}")
        return figures[figure]


@dataclass(frozen=True, slots=True)
class Run:
    """The last scan of one kind, by the names of SyncResult.remembered."""

    kind: str
    finished_at: datetime
    duration_ms: float
    total_candidates: int
    synced: int
    refreshed: int
    skipped: int
    errors: int
    remaining: int


@dataclass(frozen=True, slots=True)
class ConnectedDaemon:
    """A daemon that holds a LISTEN session; `version` is None for one that does not name it, as older ones do not.

    `connected_at` is None where this role may not see it; `host` then says so.
    """

    pid: int
    host: str
    connected_at: datetime | None
    version: str | None


@dataclass(frozen=True, slots=True)
class PendingEntries:
    """How many entries are pending, and since when the oldest is, in seconds since 1970; None if none has a time."""

    count: int
    oldest_at: float | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A qualifying pattern that the application refuses; `reason` is the server's message."""

    pattern_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Recoveries:
    """Patterns that sweeps queued without a notification, over the recorded scans."""

    patterns: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Publication:
    """Who put the filter in force (a role and an address, None if that is not known), and when."""

    published_by: str | None
    published_at: datetime


@dataclass(frozen=True, slots=True)
class MissingIndex:
    """An index that a large table of the application lacks: what the lack costs, and the statement that creates it."""

    relation: str
    cost: str
    command: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that `status` shows; `filter` and `publication` are None if the database has lost them.

    `trigger_faults` describes the faults on the tables in `trigger_missing_on`, and the roles that need the
    `missing_grants`; `refusals` lists the first few of the `refused` patterns.
    """

    database: str
    server_version: str
    prepared_transactions: int
    schema_version: int
    filter: SyncFilter | None
    publication: Publication | None
    trigger_missing_on: tuple[str, ...]
    trigger_faults: tuple[str, ...]
    missing_grants: tuple[str, ...]
    statistics: SyncStatistics
    queue: QueueCounts
    gone: int
    refused: int
    refusals: tuple[Refusal, ...]
    recovered: Recoveries
    missing_indexes: tuple[MissingIndex, ...]
    daemons: tuple[ConnectedDaemon, ...]
    runs: tuple[Run, ...]
