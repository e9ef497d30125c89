"""Pattern Sync: puts every pattern worth a person's time into the review queue."""

from pattern_sync.domain.errors import (
    AccessRefused,
    DatabaseError,
    DatabaseUnavailable,
    InvalidSettings,
    PatternSyncError,
    SchemaError,
)
from pattern_sync.domain.explanation import Criterion, Explanation
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.statistics import SyncStatistics
from pattern_sync.service import PatternSyncService

__all__ = [
    "AccessRefused",
    "Criterion",
    "DatabaseError",
    "DatabaseUnavailable",
    "Explanation",
    "InvalidSettings",
    "PatternSyncError",
    "PatternSyncService",
    "SchemaError",
    "SyncFilter",
    "SyncResult",
    "SyncStatistics",
]
