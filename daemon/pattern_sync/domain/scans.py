"""The reasons for a scan, which reconciles all patterns."""

from collections.abc import Collection
from enum import StrEnum


class ScanKind(StrEnum):
    """Why a scan takes place. If one scan serves several requests, the first of their kinds in this order names it."""

    CATCH_UP = "catch-up"
    SETTINGS = "settings"
    SWEEP = "sweep"
    REQUEST = "request"
    POLL = "poll"
    MANUAL = "manual"


def leading(kinds: Collection[ScanKind]) -> ScanKind:
    """Return the kind that names a scan for several requests."""
    return next(kind for kind in ScanKind if kind in kinds)
