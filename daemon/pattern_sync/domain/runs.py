"""Why a run over all patterns takes place."""

from collections.abc import Collection
from enum import StrEnum


class RunKind(StrEnum):
    """In the order of what a person wants to read where several fall together."""

    CATCH_UP = "catch-up"
    SETTINGS = "settings"
    SWEEP = "sweep"
    REQUEST = "request"
    POLL = "poll"
    MANUAL = "manual"


def leading(kinds: Collection[RunKind]) -> RunKind:
    """Return the one that names a run which serves several wishes."""
    return next(kind for kind in RunKind if kind in kinds)
