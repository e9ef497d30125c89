"""What was learned from decisions, and how well it foretells them."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from pattern_sync.domain.gate import Gate, ReviewerScore
from pattern_sync.domain.model import Model
from pattern_sync.domain.standing import Fold, Standing
from pattern_sync.learning import Likelihood


class GateReport(BaseModel):
    """How the predictions of the last decisions compare with the base rate; all were made before the decisions."""

    is_open: bool
    z: float = Field(description="By how many standard errors they were better. It opens above 2 and closes below 1.")
    foretold: int = Field(description="How many of the last 200 there are; it takes 50.")
    approved: int = Field(description="How many of these were approvals; it takes 10 of each sort.")
    rejected: int

    @classmethod
    def of(cls, gate: Gate) -> Self:
        """Return a gate as it is sent."""
        return cls(is_open=gate.is_open, z=gate.z, foretold=gate.scored, approved=gate.approved, rejected=gate.rejected)


class TermReport(BaseModel):
    """What one trait adds to the log odds of an approval; of a figure, for each standard deviation above its mean."""

    name: str
    weight: float
    approved: int | None = Field(description="How many entries with this trait were approved; null for a figure.")
    decided: int | None


class FoldReport(BaseModel):
    """Pending entries that are likely rejects, and what folding them away costs."""

    entries: int
    savings_usd: float = Field(description="What they save, USD a month, as claimed.")
    drawn: int = Field(description="Further likely rejects that were drawn to stay in place.")
    tried: int = Field(description="Likely rejects that were decided in place.")
    lost: int = Field(description="How many of these were approved.")
    lost_share_at_most: float = Field(description="With 95 % certainty, no larger share of them is.")

    @classmethod
    def of(cls, fold: Fold) -> Self:
        """Return a fold as it is sent."""
        return cls(
            entries=fold.now.entries,
            savings_usd=fold.now.savings_usd,
            drawn=fold.now.drawn,
            tried=fold.tried,
            lost=fold.lost,
            lost_share_at_most=fold.lost_share_at_most,
        )


class ModelReport(BaseModel):
    """How learning stands."""

    shown: bool = Field(description="Whether entries have a likelihood, and can be sorted by `expected`.")
    words: str = Field(description="Why, in a sentence.")
    decisions: int = Field(description="People's decisions so far; a batch counts once for each shape.")
    learned_from: int | None = Field(description="How many of them the model was learned from; null without one.")
    trained_at: datetime | None
    ignored: str | None = Field(description="Why a model that is there is not used.")
    gate: GateReport
    reviewers: tuple[ReviewerScore, ...] = Field(
        description="How each reviewer's decisions agree with what was foretold, beside the likelier sort for all."
    )
    fold: FoldReport
    terms: list[TermReport] = Field(description="What was learned, the largest first.")

    @classmethod
    def of(cls, standing: Standing) -> Self:
        """Return how learning stands as it is sent."""
        return cls(
            shown=standing.shown,
            words=standing.words,
            decisions=standing.lessons,
            learned_from=None if standing.model is None else standing.model.decided,
            trained_at=standing.trained_at,
            ignored=standing.ignored,
            gate=GateReport.of(standing.gate),
            reviewers=standing.reviewers,
            fold=FoldReport.of(standing.fold),
            terms=[] if standing.model is None else _terms(standing.model),
        )


class EntryLikelihood(BaseModel):
    """How likely a person approves one entry, and why."""

    likelihood: float | None = Field(description="0 to 1; null while it is not shown.")
    reasons: tuple[str, ...] = Field(description="The three largest, in words.")
    words: str = Field(description="Whether likelihoods are shown, and why, in a sentence.")

    @classmethod
    def of(cls, found: Likelihood) -> Self:
        """Return a likelihood as it is sent."""
        return cls(likelihood=found.likelihood, reasons=found.reasons, words=found.words)


def _terms(model: Model) -> list[TermReport]:
    figures = [
        TermReport(name=name, weight=term.weight, approved=None, decided=None) for name, term in model.figures.items()
    ]
    categories = [
        TermReport(name=name, weight=term.weight, approved=term.approved, decided=term.decided)
        for name, term in model.categories.items()
    ]
    return sorted([*figures, *categories], key=lambda term: (-abs(term.weight), term.name))
