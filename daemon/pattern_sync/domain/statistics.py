"""What an operator and a reviewer ask about the whole."""

from dataclasses import asdict, dataclass
from datetime import datetime

from pattern_sync.domain.entry import QueueCounts
from pattern_sync.domain.filter import SyncFilter


@dataclass(frozen=True, slots=True)
class SyncStatistics:
    """Rows here and there.

    `pending_sync` counts eligible patterns without an entry, whatever their figures; `qualifying` those that pass the
    filter in force, and `qualifying_missing` those among them that are not in the queue (0 when all is well).
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
    """The last run of one kind, as it was recorded."""

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
    """A daemon that holds a LISTEN session."""

    pid: int
    host: str
    connected_at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """A pattern that qualifies and that the application refuses, with the server's own words."""

    pattern_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Recoveries:
    """What sweeps queued although nobody had announced it, in the runs that are remembered."""

    patterns: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class MissingIndex:
    """An index that a large table of the application lacks: what that costs, and the statement that creates it."""

    relation: str
    cost: str
    command: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that `status` tells; `filter` is None where the database has lost it.

    `trigger_faults` says in words what is wrong on the tables of `trigger_missing_on`; `refusals` names the first few
    of the patterns that `refused` counts.
    """

    database: str
    server_version: str
    prepared_transactions: int
    schema_version: int
    filter: SyncFilter | None
    trigger_missing_on: tuple[str, ...]
    trigger_faults: tuple[str, ...]
    statistics: SyncStatistics
    queue: QueueCounts
    gone: int
    refused: int
    refusals: tuple[Refusal, ...]
    recovered: Recoveries
    missing_indexes: tuple[MissingIndex, ...]
    daemons: tuple[ConnectedDaemon, ...]
    runs: tuple[Run, ...]
