"""What is kept in the database of what was learned."""

from dataclasses import dataclass
from datetime import datetime

from pattern_sync.domain.errors import ModelUnreadable
from pattern_sync.domain.gate import Gate
from pattern_sync.domain.lessons import Traits
from pattern_sync.domain.model import Model
from pattern_sync.domain.model_text import read_model

NO_GATE = Gate(is_open=False, was_open=False, z=0.0, approved=0, scored=0)


@dataclass(frozen=True, slots=True)
class KeptModel:
    """How many lessons there are now, `approved` of them approvals, and the newest model; `id` is None without one.

    It was learned from `learned` lessons. `gate` and `shown` are as of the last look at the gate.
    """

    lessons: int
    approved: int
    id: int | None = None
    trained_at: datetime | None = None
    learned: int = 0
    text: str = ""
    digest: str = ""
    gate: Gate = NO_GATE
    shown: bool = False

    def read(self) -> Model | None:
        """Return the model; None if there is none. Raises ModelUnreadable."""
        return None if self.id is None else read_model(self.text, self.digest)

    def read_or_why(self) -> tuple[Model | None, ModelUnreadable | None]:
        """Return the model, or why it cannot be used; neither if there is none."""
        try:
            return self.read(), None
        except ModelUnreadable as fault:
            return None, fault


@dataclass(frozen=True, slots=True)
class Unforetold:
    """A pending entry of which nothing was foretold by its present traits, which are told by their version."""

    signature: str
    traits: Traits
    version: int


@dataclass(frozen=True, slots=True)
class Folded:
    """How many pending entries are folded away, what they save as claimed, and how many were drawn instead."""

    entries: int = 0
    savings_usd: float = 0.0
    drawn: int = 0
