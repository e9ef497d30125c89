"""Waiting for a condition, under a deadline."""

import time
from collections.abc import Callable, Sequence
from statistics import median

# The machine may be busy; a passing test never waits for so long.
PATIENCE_SECONDS = 30.0
# How soon a change is promised to be on every page, and how long a busy machine may take.
SOON_SECONDS = 1.0
AT_WORST_SECONDS = 5.0

# How soon a stop is promised to be over where there is nothing to finish, and how long a busy machine may take.
QUICK_STOP_SECONDS = 2.0


def eventually(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS, *, what: str = "it") -> float:
    """Wait until the condition holds; return how many seconds that took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, f"{what} did not come about in {seconds:g} seconds"
        time.sleep(0.005)
    return time.monotonic() - begun


def show(measured: str) -> None:
    """Print a measured figure, for `pytest -s` and for the report of a failure."""
    print(measured)  # noqa: T201 - pytest captures it


def assert_soon(took: Sequence[float]) -> None:
    """Check that changes came within a second as promised: most of them, and every one before long."""
    assert median(took) < SOON_SECONDS, took
    assert max(took) < AT_WORST_SECONDS, took
