"""Why a scan takes place: a reconcile of all patterns."""

from collections.abc import Collection
from enum import StrEnum


class ScanKind(StrEnum):
    """In the order of what a person wants to read where one scan serves several requests."""

    CATCH_UP = "catch-up"
    SETTINGS = "settings"
    SWEEP = "sweep"
    REQUEST = "request"
    POLL = "poll"
    MANUAL = "manual"


def leading(kinds: Collection[ScanKind]) -> ScanKind:
    """Return the kind that names a scan which serves several requests."""
    return next(kind for kind in ScanKind if kind in kinds)
