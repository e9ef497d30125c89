"""Patterns that could not be written, and when they may be tried again."""

from collections.abc import Iterable
from dataclasses import dataclass, field

FIRST_RETRY_SECONDS = 5.0
LAST_RETRY_SECONDS = 3600.0
# A fault that hits every row must not fill the memory; what is dropped is found again by the sweep.
MOST_PATTERNS = 10_000


@dataclass(slots=True)
class Quarantine:
    """Holds poison rows back, each twice as long as the time before; `now` is a monotonic clock in seconds."""

    _retry_at: dict[int, float] = field(default_factory=dict)
    _wait_seconds: dict[int, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._retry_at)

    def failed(self, pattern_id: int, now: float) -> None:
        """Hold a pattern back after its write failed."""
        if pattern_id not in self._retry_at and len(self) >= MOST_PATTERNS:
            return
        wait = min(self._wait_seconds.get(pattern_id, FIRST_RETRY_SECONDS / 2) * 2, LAST_RETRY_SECONDS)
        self._wait_seconds[pattern_id] = wait
        self._retry_at[pattern_id] = now + wait

    def release(self, pattern_ids: Iterable[int]) -> None:
        """Forget patterns that were written after all, or need no write any more."""
        for pattern_id in pattern_ids:
            self._retry_at.pop(pattern_id, None)
            self._wait_seconds.pop(pattern_id, None)

    def holds(self, pattern_id: int, now: float) -> bool:
        """Tell whether it is too early to try this pattern again."""
        return self._retry_at.get(pattern_id, now) > now

    def due(self, now: float) -> list[int]:
        """Return the patterns whose time has come."""
        return [pattern_id for pattern_id, at in self._retry_at.items() if at <= now]
