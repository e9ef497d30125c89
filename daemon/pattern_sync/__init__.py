"""Pattern Sync: puts every pattern worth a person's time into the review queue."""

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
    PatternSyncError,
    SchemaError,
    UnknownPattern,
)
from pattern_sync.domain.explanation import Explanation
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.statistics import SyncStatistics
from pattern_sync.service import PatternSyncService

__all__ = [
    "AccessRefused",
    "AlreadyDecided",
    "Criterion",
    "DatabaseError",
    "DatabaseUnavailable",
    "DecisionRefused",
    "Explanation",
    "HistoryItem",
    "InvalidInput",
    "InvalidSettings",
    "PatternSyncError",
    "PatternSyncService",
    "QueueCounts",
    "QueueEntry",
    "SchemaError",
    "Status",
    "SyncFilter",
    "SyncResult",
    "SyncStatistics",
    "TypeCriterion",
    "UnknownPattern",
]
