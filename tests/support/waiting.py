"""Waiting for something to come about, under a deadline."""

import time
from collections.abc import Callable, Sequence
from statistics import median

# The machine may be busy with other things; a test that goes well never waits for so long.
PATIENCE_SECONDS = 30.0
# How soon a change is promised to be on every page; and what a machine that is busy with other things may make of it.
SOON_SECONDS = 1.0
AT_WORST_SECONDS = 5.0


def eventually(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS, *, what: str = "it") -> float:
    """Wait until the condition holds and return how many seconds that took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, f"{what} did not come about in {seconds:g} seconds"
        time.sleep(0.005)
    return time.monotonic() - begun


def tell(measured: str) -> None:
    """Show a measured figure to whoever runs pytest with -s, or reads a failure."""
    print(measured)  # noqa: T201 - pytest captures it


def assert_soon(took: Sequence[float]) -> None:
    """Check that what was promised within a second came within one, mostly, and always before long."""
    assert median(took) < SOON_SECONDS, took
    assert max(took) < AT_WORST_SECONDS, took
