"""Why a pattern is in the queue, or why it is not."""

from dataclasses import dataclass

from pattern_sync.domain.finding import Finding
from pattern_sync.domain.wording import reason_of


@dataclass(frozen=True, slots=True)
class Explanation(Finding):
    """A finding that can be put into one sentence."""

    @property
    def reason(self) -> str:
        """Return one sentence for a person."""
        return reason_of(self)
