"""The reference detector: calls of tools in words, and the routines among them. It reads, and stores nothing.

Sessions come from files (`Library`) or from the events of hooks (`HookReader`, `sessions_of`); `mine` finds routines in
them, and `remarks_on` says what could not be seen.
"""

from pattern_sync.detecting.checking import Remark, remarks_on
from pattern_sync.detecting.detector import Detector, WrittenRoutine
from pattern_sync.detecting.hooks import HookReader
from pattern_sync.detecting.mining import mine
from pattern_sync.detecting.orchestration import Orchestration
from pattern_sync.detecting.pairing import sessions_of
from pattern_sync.detecting.prices import Prices
from pattern_sync.detecting.reading import Library, Reading, transcripts_in
from pattern_sync.detecting.reporting import Reporting
from pattern_sync.detecting.sources import HookEvents, ReportedEvents, Source, Transcripts
from pattern_sync.detecting.terms import Terms
from pattern_sync.detecting.vocabulary import Vocabulary
from pattern_sync.detecting.words import Words

__all__ = [
    "Detector",
    "HookEvents",
    "HookReader",
    "Library",
    "Orchestration",
    "Prices",
    "Reading",
    "Remark",
    "ReportedEvents",
    "Reporting",
    "Source",
    "Terms",
    "Transcripts",
    "Vocabulary",
    "Words",
    "WrittenRoutine",
    "mine",
    "remarks_on",
    "sessions_of",
    "transcripts_in",
]
