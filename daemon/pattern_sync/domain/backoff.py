"""How long to wait before trying again."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Exponential backoff with full jitter; `random` returns 0 to 1.

    Full jitter spreads the retries of daemons that lost the same server at the same moment.
    """

    random: Callable[[], float]
    base_seconds: float
    cap_seconds: float
    attempts: int = 0

    def next_delay_seconds(self) -> float:
        """Count an attempt and return how long to wait before the next one."""
        ceiling = min(self.cap_seconds, self.base_seconds * 2.0 ** min(self.attempts, 30))
        self.attempts += 1
        delay: float = self.random() * ceiling
        return delay

    def reset(self) -> None:
        """Start over, after a proven success."""
        self.attempts = 0
