"""On which terms people are told: where, from which worth on, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pattern_sync.domain.destinations import Destination
from pattern_sync.domain.hours import DigestSchedule, QuietHours


@dataclass(frozen=True, slots=True)
class Terms:
    """The operator's terms: `min_savings` in USD a month, `page_url` for links.

    `about_rules` says whether people are told of rules, too: not where those are forbidden.
    """

    destinations: Mapping[str, Destination]
    min_savings: float
    every_seconds: float
    quiet: QuietHours | None
    digest: DigestSchedule | None
    about_rules: bool
    page_url: str | None

    def quiet_seconds(self, now: datetime) -> float:
        """Return for how long nobody is to be disturbed from now on."""
        return 0.0 if self.quiet is None else (self.quiet.after(now) - now).total_seconds()
