"""The facts about one signature, in numbers; `wording` puts them into words."""

from dataclasses import dataclass
from typing import Self

from pattern_sync.domain.criteria import Criterion, TypeCriterion
from pattern_sync.domain.entry import EntryStatus, Status
from pattern_sync.domain.evidence import Evidence
from pattern_sync.domain.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Finding:
    """The facts about one signature; `criteria` is empty if there is no such pattern.

    `eligible` follows from its automation_status. `rejected`: a person rejected it, and the pattern itself does not
    show that. `written_by_us`: the entry is not another program's. `refusal` is the server's message when it was to be
    queued. `daemons` counts the connected ones. `evidence` is
    what is recorded of the pattern; None for a name that no pattern can have.
    """

    signature: str
    exists: bool
    automation_status: str | None
    eligible: bool
    entry_status: EntryStatus | None
    criteria: tuple[Criterion | TypeCriterion, ...]
    rejected: bool = False
    written_by_us: bool = True
    refusal: str | None = None
    daemons: int = 0
    evidence: Evidence | None = None

    @classmethod
    def of_nothing(cls, signature: str) -> Self:
        """Return the finding for a signature that no pattern has."""
        return cls(signature, exists=False, automation_status=None, eligible=False, entry_status=None, criteria=())

    @property
    def shortfalls(self) -> tuple[Criterion | TypeCriterion, ...]:
        """Return the criteria that the pattern misses."""
        return tuple(criterion for criterion in self.criteria if not criterion.met)

    @property
    def outcome(self) -> Outcome | None:
        """Return the outcome that a reconcile would have; None for an unknown signature."""
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
