"""Logistic regression with a ridge penalty: which weights explain yes and no best, without being carried away."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

_MOST_STEPS = 50
_MOST_HALVINGS = 20
# Each step squares the error that is left.
_PRECISION = 1e-7
_LEAST = 1e-9
_LONGEST_STEP = 4.0
# Beyond these odds, exp() gains nothing, and later overflows.
_LARGEST_ODDS = 35.0


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One example: the columns that are not 0, in rising order, with their values, and whether the answer was yes."""

    columns: tuple[int, ...]
    values: tuple[float, ...]
    yes: bool


@dataclass(frozen=True, slots=True)
class Fit:
    """The weights of the columns, and `bias` for all of them.

    `error` is the mean log loss of each row by the weights that the others alone would have given.
    """

    weights: tuple[float, ...]
    bias: float
    error: float


def chance(odds: float) -> float:
    """Return the chance that log odds stand for."""
    return 1 / (1 + math.exp(-max(-_LARGEST_ODDS, min(_LARGEST_ODDS, odds))))


def fit(rows: Sequence[Row], prior: Sequence[float], strength: float, start: Fit | None = None) -> Fit:
    """Return the weights that explain the rows best, as near to those of the `prior` as `strength` demands.

    There have to be answers of both sorts. The order of the rows makes no difference, not even in the last digit;
    `start` only saves time.
    """
    ordered = sorted(rows)
    # The bias is a column of its own that nothing holds back.
    aim = [*prior, 0.0]
    penalties = [strength] * len(prior) + [0.0]
    weights = [*start.weights, start.bias] if start else aim
    loss = _loss(ordered, weights, aim, penalties)
    for _ in range(_MOST_STEPS):
        gradient, curvature = _slopes(ordered, weights, aim, penalties)
        step = _shortened(_solve(_root(curvature), gradient))
        # A full step may overshoot where the answers are clear-cut.
        for _ in range(_MOST_HALVINGS):
            tried = [weight - change for weight, change in zip(weights, step, strict=True)]
            if (tried_loss := _loss(ordered, tried, aim, penalties)) <= loss:
                weights, loss = tried, tried_loss
                break
            step = [change / 2 for change in step]
        if max(map(abs, step)) < _PRECISION:
            break
    _, curvature = _slopes(ordered, weights, aim, penalties)
    return Fit(tuple(weights[:-1]), weights[-1], _error_without_each(ordered, weights, curvature))


def _shortened(step: Sequence[float]) -> list[float]:
    """Return a step that stays near: far from the answers the loss is so straight that its curvature says nothing."""
    share = min(1.0, _LONGEST_STEP / max(_LEAST, *map(abs, step)))
    return [share * change for change in step]


def _odds(row: Row, weights: Sequence[float]) -> float:
    return weights[-1] + sum(weights[column] * value for column, value in zip(row.columns, row.values, strict=True))


def _log_loss(odds: float, *, yes: bool) -> float:
    wrong = -odds if yes else odds
    return math.log1p(math.exp(wrong)) if wrong < _LARGEST_ODDS else wrong


def _loss(rows: Sequence[Row], weights: Sequence[float], aim: Sequence[float], penalties: Sequence[float]) -> float:
    held = sum(
        penalty * (weight - wanted) ** 2 for penalty, weight, wanted in zip(penalties, weights, aim, strict=True)
    )
    return held / 2 + sum(_log_loss(_odds(row, weights), yes=row.yes) for row in rows)


def _slopes(
    rows: Sequence[Row], weights: Sequence[float], aim: Sequence[float], penalties: Sequence[float]
) -> tuple[list[float], list[list[float]]]:
    """Return how the loss changes with each weight, and the lower half of how these changes change."""
    gradient = [penalty * (weight - wanted) for penalty, weight, wanted in zip(penalties, weights, aim, strict=True)]
    curvature = [[0.0] * place + [penalty] for place, penalty in enumerate(penalties)]
    last = len(weights) - 1
    for row in rows:
        likely = chance(_odds(row, weights))
        missed, spread = likely - row.yes, likely * (1 - likely)
        columns, values = (*row.columns, last), (*row.values, 1.0)
        for place, column in enumerate(columns):
            gradient[column] += missed * values[place]
            line, share = curvature[column], spread * values[place]
            for other in range(place + 1):
                line[columns[other]] += share * values[other]
    return gradient, curvature


def _root(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the lower triangle whose product with itself is a positive definite matrix (Cholesky)."""
    root: list[list[float]] = []
    for number, line in enumerate(matrix):
        found: list[float] = []
        for other in range(number):
            done = root[other]
            found.append((line[other] - sum(map(mul, found, done))) / done[other])
        found.append(math.sqrt(line[number] - sum(map(mul, found, found))))
        root.append(found)
    return root


def _solve(root: Sequence[Sequence[float]], wanted: Sequence[float]) -> list[float]:
    """Return what the matrix with this root turns into what is wanted."""
    left: list[float] = []
    for line, value in zip(root, wanted, strict=True):
        left.append((value - sum(map(mul, left, line))) / line[-1])
    for number in range(len(left) - 1, -1, -1):
        line = root[number]
        left[number] /= line[number]
        value = left[number]
        for other in range(number):
            left[other] -= line[other] * value
    return left


def _inverse(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    root, size = _root(matrix), len(matrix)
    return [_solve(root, [float(place == number) for place in range(size)]) for number in range(size)]


def _error_without_each(rows: Sequence[Row], weights: Sequence[float], curvature: Sequence[Sequence[float]]) -> float:
    """Return the mean log loss of each row by the others: one step back from the weights, without another fit."""
    inverse = _inverse(curvature)
    last = len(weights) - 1
    losses = []
    for row in rows:
        odds = _odds(row, weights)
        likely = chance(odds)
        columns, values = (*row.columns, last), (*row.values, 1.0)
        reach = sum(
            value * sum(map(mul, map(inverse[column].__getitem__, columns), values))
            for column, value in zip(columns, values, strict=True)
        )
        left = max(1 - likely * (1 - likely) * reach, _LEAST)
        without = odds + (likely - row.yes) * reach / left
        losses.append(_log_loss(without, yes=row.yes))
    return math.fsum(losses) / len(losses)
