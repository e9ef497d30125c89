"""What people do with the queue."""

from pattern_sync.review.decisions import Decisions, DecisionStore
from pattern_sync.review.finding import Finding, FindingStore
from pattern_sync.review.queue import EntryPage, Review, ReviewStore
from pattern_sync.review.snoozing import SnoozeStore, Snoozing

__all__ = [
    "DecisionStore",
    "Decisions",
    "EntryPage",
    "Finding",
    "FindingStore",
    "Review",
    "ReviewStore",
    "SnoozeStore",
    "Snoozing",
]
