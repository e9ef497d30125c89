"""What was seen of each source, counted while its sessions go by."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from pattern_sync.domain.calls import Outcome, Session
from pattern_sync.domain.routines import SeenOf

# What a word, or a part of one, is where the vocabulary does not know it.
OTHER = "other"


@dataclass(slots=True)
class _Tally:
    counts: Counter[str] = field(default_factory=Counter)
    first_at: datetime | None = None
    last_at: datetime | None = None

    def see_moment(self, at: datetime | None) -> None:
        if at is not None:
            self.first_at = at if self.first_at is None else min(at, self.first_at)
            self.last_at = at if self.last_at is None else max(at, self.last_at)


class Watcher:
    """Counts, for each source, what its sessions show and what they do not."""

    def __init__(self) -> None:
        self._tallies: dict[str, _Tally] = {}

    def see(self, session: Session) -> None:
        """Count a session."""
        tally = self._tallies.setdefault(session.source, _Tally())
        counts = tally.counts
        counts["sessions"] += 1
        counts["calls"] += len(session.calls)
        counts["cut_off"] += session.cut_off
        counts["unseen_failures"] += 0 if session.shows_failures else len(session.calls)
        for call in session.calls:
            counts[call.outcome] += 1
            counts["without_cost"] += call.cost_usd is None
            counts["without_time"] += call.at is None
            counts["other_words"] += call.word == OTHER or call.word.endswith(f"/{OTHER}")
            tally.see_moment(call.at)

    def seen(self) -> tuple[SeenOf, ...]:
        """Return what was seen of each source, in the order of their names."""
        return tuple(_seen_of(source, self._tallies[source]) for source in sorted(self._tallies))


def _seen_of(source: str, tally: _Tally) -> SeenOf:
    counts = tally.counts
    return SeenOf(
        source=source,
        sessions=counts["sessions"],
        calls=counts["calls"],
        failed=counts[Outcome.FAILED],
        cut_off=counts["cut_off"],
        without_outcome=counts[Outcome.UNKNOWN],
        unseen_failures=counts["unseen_failures"],
        without_cost=counts["without_cost"],
        without_time=counts["without_time"],
        other_words=counts["other_words"],
        first_at=tally.first_at,
        last_at=tally.last_at,
    )
