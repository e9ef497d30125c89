"""Pattern Sync puts every pattern worth a person's time into the review queue."""

from typing import TYPE_CHECKING

from pattern_sync.domain.batches import Batch, DecisionMany, ItemOutcome, Undone, UndoOutcome
from pattern_sync.domain.criteria import Criterion, TypeCriterion
from pattern_sync.domain.entry import HistoryItem, QueueCounts, QueueEntry, Status
from pattern_sync.domain.errors import (
    AccessRefused,
    AlreadyDecided,
    DatabaseError,
    DatabaseUnavailable,
    DecisionRefused,
    InvalidInput,
    InvalidSettings,
    NotSnoozable,
    NotUndoable,
    PatternSyncError,
    SchemaError,
    UnknownBatch,
    UnknownPattern,
)
from pattern_sync.domain.evidence import Evidence, Flag
from pattern_sync.domain.explanation import Explanation
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.roi import PatternRoi, Roi
from pattern_sync.domain.savings import Execution, Recorded
from pattern_sync.domain.statistics import SyncStatistics

if TYPE_CHECKING:
    from pattern_sync.service import PatternSyncService
else:

    def __getattr__(name: str) -> object:
        """Import the service on first use: it loads the database drivers, which an importer may not need."""
        if name != "PatternSyncService":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from pattern_sync.service import PatternSyncService  # noqa: PLC0415

        return PatternSyncService


__all__ = [
    "AccessRefused",
    "AlreadyDecided",
    "Batch",
    "Criterion",
    "DatabaseError",
    "DatabaseUnavailable",
    "DecisionMany",
    "DecisionRefused",
    "Evidence",
    "Execution",
    "Explanation",
    "Flag",
    "HistoryItem",
    "InvalidInput",
    "InvalidSettings",
    "ItemOutcome",
    "NotSnoozable",
    "NotUndoable",
    "PatternRoi",
    "PatternSyncError",
    "PatternSyncService",
    "QueueCounts",
    "QueueEntry",
    "Recorded",
    "Roi",
    "SchemaError",
    "Status",
    "SyncFilter",
    "SyncResult",
    "SyncStatistics",
    "TypeCriterion",
    "UndoOutcome",
    "Undone",
    "UnknownBatch",
    "UnknownPattern",
]
