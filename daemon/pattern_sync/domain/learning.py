"""Learning: from people's decisions to a model."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from statistics import fmean, pstdev

from pattern_sync.domain.lessons import Lesson, Traits
from pattern_sync.domain.model import CategoryTerm, FigureTerm, Model
from pattern_sync.domain.ridge import Fit, Row, fit

FEWEST_LESSONS = 10
# What was decided longer ago is no sign of what people want now, and a fit of more takes too long beside other work.
MOST_LESSONS = 2_000
# How much the weights are held back; which one is best shows only in the decisions. The strongest is tried first, as
# it is fitted soonest, and the others start from there.
STRENGTHS = (30.0, 10.0, 3.0)
# The opinion to begin with, in spreads: more savings and more confidence are better.
_PRIOR = {"confidence": 0.3, "savings": 0.3}
_MOST_CATEGORIES = 60
# The model is to be read: those are kept that say most about the most entries.
_MOST_KEPT = 30
_FEWEST_WITH_CATEGORY = 3
_LEAST_SPREAD = 1e-3
_DIGITS = 4
_DIGITS_OF_MEANS = 7


def learn(lessons: Sequence[Lesson]) -> Model | None:
    """Return what the lessons teach, whatever their order; None if they are few, or all of one sort."""
    approved = sum(lesson.approved for lesson in lessons)
    if len(lessons) < FEWEST_LESSONS or approved in (0, len(lessons)):
        return None
    figures = _usual([lesson.traits for lesson in lessons])
    met = [(lesson.traits.categories(), lesson.approved) for lesson in lessons]
    names = _often(chain.from_iterable(categories for categories, _ in met))
    rows = [
        Row(*_columns(lesson.traits, categories, figures, names), yes=approved)
        for lesson, (categories, approved) in zip(lessons, met, strict=True)
    ]
    strength, found = _best(rows, [*(_PRIOR.get(name, 0.0) for name in figures), *(0.0 for _ in names)])
    return _model(lessons, strength, found, figures, _terms(names, found.weights[len(figures) :], met))


def _terms(
    names: Sequence[str], weights: Sequence[float], met: Sequence[tuple[Collection[str], bool]]
) -> dict[str, CategoryTerm]:
    sorts = {name: [approved for categories, approved in met if name in categories] for name in names}
    return {
        name: CategoryTerm(weight, sum(sorts[name]), len(sorts[name]))
        for name, weight in zip(names, weights, strict=True)
    }


def _model(
    lessons: Sequence[Lesson],
    strength: float,
    found: Fit,
    figures: Mapping[str, FigureTerm],
    terms: Mapping[str, CategoryTerm],
) -> Model:
    """Return the model with its digits and its categories cut; what these say on average is left in the bias."""
    ordered = sorted(terms, key=lambda name: (-abs(terms[name].weight) * math.sqrt(terms[name].decided), name))
    cut = (terms[name].weight * terms[name].decided / len(lessons) for name in ordered[_MOST_KEPT:])
    return Model(
        approved=sum(lesson.approved for lesson in lessons),
        decided=len(lessons),
        strength=strength,
        bias=_rounded(found.bias + math.fsum(cut)),
        figures={
            name: replace(term, weight=_rounded(weight))
            for (name, term), weight in zip(figures.items(), found.weights, strict=False)
        },
        categories={
            name: replace(terms[name], weight=_rounded(terms[name].weight)) for name in sorted(ordered[:_MOST_KEPT])
        },
    )


def _columns(
    traits: Traits, met: Collection[str], figures: Mapping[str, FigureTerm], names: Sequence[str]
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return the columns of an entry that are not 0, and their values: the figures come first, then the categories."""
    values = traits.figures()
    cells = chain(
        ((column, term.distance(values[name])) for column, (name, term) in enumerate(figures.items())),
        ((column, 1.0) for column, name in enumerate(names, len(figures)) if name in met),
    )
    filled = [(column, value) for column, value in cells if value]
    return tuple(column for column, _ in filled), tuple(value for _, value in filled)


def _usual(traits: Sequence[Traits]) -> dict[str, FigureTerm]:
    """Return the mean and the spread of each figure, as far as it is known."""
    known: dict[str, list[float]] = {}
    for each in traits:
        for name, value in each.figures().items():
            known.setdefault(name, []).extend([] if value is None else [value])
    return {name: _usual_of(values) if values else FigureTerm(0.0, 1.0, 0.0) for name, values in known.items()}


def _usual_of(values: Sequence[float]) -> FigureTerm:
    mean = fmean(values)
    # What hardly differs must not count as far from the usual for its last digit.
    spread = max(pstdev(values), _LEAST_SPREAD * max(1.0, abs(mean)))
    return FigureTerm(float(f"{mean:.{_DIGITS_OF_MEANS}g}"), _rounded(spread), 0.0)


def _often(categories: Iterable[str]) -> list[str]:
    """Return those that are met most."""
    counts = Counter(categories)
    often = [name for name, count in counts.items() if count >= _FEWEST_WITH_CATEGORY]
    return sorted(sorted(often, key=lambda name: (-counts[name], name))[:_MOST_CATEGORIES])


def _best(rows: Sequence[Row], prior: Sequence[float]) -> tuple[float, Fit]:
    """Return the strength by which each decision would have been foretold best by the others, and its fit."""
    fits: dict[float, Fit] = {}
    last: Fit | None = None
    for strength in STRENGTHS:
        last = fits[strength] = fit(rows, prior, strength, last)
    best = min(fits, key=lambda strength: fits[strength].error)
    return best, fits[best]


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
