"""Why a pattern is in the queue, or why it is not."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from pattern_sync.domain.entry import is_by_a_rule
from pattern_sync.domain.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of the filter beside a pattern's value; `met` is the database's verdict."""

    name: str
    value: str
    bound: str
    met: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of one signature; `criteria` is empty where there is no such pattern.

    `eligible` is what its automation_status says; `rejected`, that a person rejected it and nothing on the pattern
    tells of that; `written_by_us`, that the entry is not another program's. `refusal` is what the application's tables
    said when it was to be queued, `daemons` how many are connected.
    """

    signature: str
    exists: bool
    automation_status: str | None
    eligible: bool
    entry_status: str | None
    criteria: tuple[Criterion, ...]
    rejected: bool = False
    written_by_us: bool = True
    refusal: str | None = None
    daemons: int = 0

    @classmethod
    def of_nothing(cls, signature: str) -> Self:
        """Return what there is to say of a name that no pattern has."""
        return cls(signature, exists=False, automation_status=None, eligible=False, entry_status=None, criteria=())

    @property
    def shortfalls(self) -> tuple[Criterion, ...]:
        """Return the criteria that the pattern misses."""
        return tuple(criterion for criterion in self.criteria if not criterion.met)

    @property
    def outcome(self) -> Outcome | None:
        """Return what a reconcile would come to; None for a signature that nothing is known of."""
        if self.entry_status is None and not self.exists:
            return None
        if self.entry_status not in (None, "pending"):
            return Outcome.DECIDED
        if not self.exists:
            return Outcome.GONE
        if self.entry_status == "pending":
            return Outcome.UNCHANGED
        if self.shortfalls or not self.eligible or self.rejected:
            return Outcome.SHORT
        return Outcome.QUEUED if self.refusal is None else Outcome.FAILED

    @property
    def reason(self) -> str:
        """Return one sentence for a person."""
        match self.outcome:
            case None:
                return "There is no such pattern, neither among the patterns nor in the queue."
            case Outcome.DECIDED:
                whose = "A rule's" if is_by_a_rule(self.entry_status or "") else "A person's"
                return f"{whose} decision stands ({self.entry_status}); no machine touches it again."
            case Outcome.GONE:
                deleted = "the pattern itself was deleted by the detector"
                foreign = "it was written by another program, and no pattern stands behind it"
                return f"It waits for a decision; {deleted if self.written_by_us else foreign}."
            case Outcome.UNCHANGED:
                return "It is in the queue and waits for a decision."
            case Outcome.SHORT:
                return f"It is not in the queue: {self._missed()}."
            case _:
                return f"It qualifies and {self._waits()}."

    def to_dict(self) -> dict[str, Any]:
        """Return everything for machines, the conclusions included."""
        return {
            **asdict(self),
            "eligible": self.eligible and not self.rejected,
            "outcome": self.outcome,
            "reason": self.reason,
            "shortfalls": [asdict(item) for item in self.shortfalls],
        }

    def _waits(self) -> str:
        if self.refusal is not None:
            return "could not be queued: the application's own tables refuse it; it is tried again"
        if self.daemons:
            return "is about to be queued; if this stays so, somebody's open transaction holds its entry"
        return "is not queued, as no daemon is connected"

    def _missed(self) -> str:
        missed = [f"{item.name} is {item.value}, the filter asks for {item.bound}" for item in self.shortfalls]
        if not self.eligible:
            missed.append(f"its automation_status is {self.automation_status!r}, not 'detected'")
        if self.rejected:
            missed.append("it was rejected before; its entry was deleted")
        return "; ".join(missed)
