"""Rules that decide for people, and what people do with them."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from pattern_sync.domain.decision import LONGEST_TEXT
from pattern_sync.domain.evidence import FlagName
from pattern_sync.domain.rule_trial import RuleTrial
from pattern_sync.domain.rules import (
    LARGEST_COUNT,
    LARGEST_SAVINGS,
    LONGEST_WORD,
    MOST_WORDS,
    Rule,
    RuleState,
    RuleTerms,
    RuleVerdict,
    VetoOutcome,
    bounds_in_words,
)
from pattern_sync.ruling import RuleView
from pattern_sync.web.parameters import check_moment
from pattern_sync.web.schemas.bodies import check_number
from pattern_sync.web.schemas.review import Remark
from pattern_sync.web.schemas.texts import NOT_BLANK, STORABLE


def _number_or_null(given: object) -> object:
    return None if given is None else check_number(given)


_Number = Annotated[float | None, BeforeValidator(_number_or_null)]
_Count = Annotated[int | None, BeforeValidator(_number_or_null)]
_Word = Annotated[str, Field(min_length=1, max_length=LONGEST_WORD, json_schema_extra=NOT_BLANK)]
_Words = Annotated[list[_Word] | None, Field(max_length=MOST_WORDS)]


class RuleChanges(Remark):
    """Terms of a rule: those that are named are changed, and null takes a bound away; a new rule needs a verdict."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"verdict": "approve", "max_savings": 500, "min_confidence": 90, "only_kinds": ["test:pytest"]}
            ]
        },
    )

    verdict: RuleVerdict | None = Field(None, description="What it decides. One that approves needs `max_savings`.")
    min_confidence: _Number = Field(None, ge=0, le=100, description="In percent.")
    max_confidence: _Number = Field(None, ge=0, le=100, description="In percent.")
    min_occurrences: _Count = Field(None, ge=0, le=LARGEST_COUNT)
    min_savings: _Number = Field(None, ge=0, le=LARGEST_SAVINGS, description="In USD a month, as claimed.")
    max_savings: _Number = Field(None, ge=0, le=LARGEST_SAVINGS, description="In USD a month, as claimed.")
    only_kinds: _Words = Field(None, description="The kinds that it may decide; an empty list: all.")
    exclude_kinds: _Words = None
    needs_tools: _Words = Field(None, description="Tools all of which the sequence has to have.")
    without_tools: _Words = Field(None, description="Tools none of which it may have.")
    min_workflows: _Count = Field(None, ge=0, le=LARGEST_COUNT, description="Distinct workflows that are recorded.")
    min_days_seen: _Number = Field(None, ge=0, le=36_500, description="Days between the first and the last of them.")
    allow_flags: list[FlagName] | None = Field(
        None, max_length=MOST_WORDS, description="An entry with any other flag is left alone."
    )
    wait_hours: _Number = Field(None, ge=1, le=720, description="For how long people may object. A new rule: 24.")
    per_day: _Count = Field(None, ge=1, le=1_000, description="How many it may decide in 24 hours. A new rule: 20.")
    check_share: _Number = Field(
        None, ge=0.01, le=0.5, description="Share that is left to people, for ever. A new rule: 0.1."
    )
    agreement: _Number = Field(
        None, ge=0.8, le=0.99, description="What the lower bound of people's agreement has to reach. A new rule: 0.95."
    )

    def changes(self) -> dict[str, Any]:
        """Return the terms that are named."""
        named = self.model_dump(exclude_unset=True, exclude={"reviewer"})
        return {name: _meant(name, value) for name, value in named.items()}


class RuleSwitch(Remark):
    """Who switches a rule."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reviewer": "ann"}]})


class RevertRequest(Remark):
    """From when on a rule's decisions are taken back; all of the last seven days if it is not given."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"since": "2026-11-26T09:00:00+01:00", "reviewer": "ann"}]},
    )

    since: Annotated[AwareDatetime | None, BeforeValidator(check_moment)] = Field(
        None, description="A time with its zone, within the last seven days."
    )


class Objection(Remark):
    """Who objects to what rules are about to decide, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "it is in use", "reviewer": "ann"}]}
    )

    reason: str | None = Field(
        None, description="Why, for others to read.", max_length=LONGEST_TEXT, json_schema_extra=STORABLE
    )


class Objected(BaseModel):
    """What came of an objection: no rule ever decides the entry, which is pending."""

    pattern_id: str
    outcome: VetoOutcome


class RuleShown(BaseModel):
    """A rule as it stands; a change of its terms is a new version."""

    name: str
    version: int
    state: RuleState
    paused_because: str | None
    reviewer: str = Field(description="The name under which it decides.")
    terms: RuleTerms
    bounds: str = Field(description="What it is bound to, in words.")
    changed_by: str
    changed_at: datetime

    @classmethod
    def of(cls, rule: Rule) -> Self:
        """Return a rule as the API has it."""
        return cls(
            name=rule.name,
            version=rule.version,
            state=rule.state,
            paused_because=rule.paused_because,
            reviewer=rule.reviewer,
            terms=rule.terms,
            bounds=bounds_in_words(rule.terms),
            changed_by=rule.changed_by,
            changed_at=rule.changed_at,
        )


class RuleList(BaseModel):
    """The rules, by name, and whether they may do anything."""

    forbidden: bool = Field(description="The operator has forbidden rules: whatever their state, none does anything.")
    rules: list[RuleShown]


class RuleInFull(BaseModel):
    """A rule with people's agreement, its marks, and what it did."""

    rule: RuleShown
    about: RuleView

    @classmethod
    def of(cls, view: RuleView) -> Self:
        """Return everything about a rule as the API has it."""
        return cls(rule=RuleShown.of(view.rule), about=view)


class Trial(BaseModel):
    """What a rule would have decided of what people decided, and would decide now."""

    rule: RuleShown
    trial: RuleTrial


def _meant(name: str, value: Any) -> Any:  # noqa: ANN401 - a term of any type
    """Return a term as the domain has it: null takes a list's words away, and a guard back to its default."""
    if isinstance(value, list):
        return tuple(value)
    return getattr(RuleTerms(RuleVerdict.REJECT), name) if value is None and name != "verdict" else value
