"""What was found about one signature, in numbers; `wording` puts it into words."""

from dataclasses import dataclass
from typing import Self

from pattern_sync.domain.criteria import Criterion, TypeCriterion
from pattern_sync.domain.entry import Status
from pattern_sync.domain.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Finding:
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
    criteria: tuple[Criterion | TypeCriterion, ...]
    rejected: bool = False
    written_by_us: bool = True
    refusal: str | None = None
    daemons: int = 0

    @classmethod
    def of_nothing(cls, signature: str) -> Self:
        """Return what there is to say of a name that no pattern has."""
        return cls(signature, exists=False, automation_status=None, eligible=False, entry_status=None, criteria=())

    @property
    def shortfalls(self) -> tuple[Criterion | TypeCriterion, ...]:
        """Return the criteria that the pattern misses."""
        return tuple(criterion for criterion in self.criteria if not criterion.met)

    @property
    def outcome(self) -> Outcome | None:
        """Return what a reconcile would come to; None for a signature that nothing is known of."""
        if self.entry_status is None and not self.exists:
            return None
        if self.entry_status not in (None, Status.PENDING):
            return Outcome.DECIDED
        if not self.exists:
            return Outcome.GONE
        if self.entry_status == Status.PENDING:
            return Outcome.UNCHANGED
        if self.shortfalls or not self.eligible or self.rejected:
            return Outcome.SHORT
        return Outcome.QUEUED if self.refusal is None else Outcome.FAILED
