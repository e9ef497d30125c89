"""How sure a share is that was counted: the exact bound of Clopper and Pearson, one-sided, at 95 %.

The sum of the binomial's terms would take as long as there are losses: with 100,000 decisions, seconds. It equals a
ratio of incomplete beta functions, whose continued fraction takes a few steps, or some hundreds for a large count.
"""

import math

_CHANCE_OF_ERROR = 0.05
_PRECISION = 1e-7
_CONVERGED = 1e-14
# Instead of zero, by which the fraction would have to be divided.
_TINY = 1e-300


def largest_share(lost: int, of: int) -> float:
    """Return the share that the true one exceeds with a chance of 5 % only, if `lost` of `of` were lost."""
    if lost >= of:
        return 1.0
    low, high = lost / of, 1.0
    while high - low > _PRECISION:
        middle = (low + high) / 2
        if is_within(lost, of, middle):
            high = middle
        else:
            low = middle
    return high


def is_within(lost: int, of: int, share: float) -> bool:
    """Return whether the true share is below this one with 95 % certainty, if `lost` of `of` were lost."""
    return chance_of_at_most(lost, of, share) <= _CHANCE_OF_ERROR


def chance_of_at_most(lost: int, of: int, share: float) -> float:
    """Return the chance of at most so many losses, if each of `of` is lost with the chance of `share`."""
    if lost >= of or share <= 0.0:
        return 1.0
    if share >= 1.0:
        return 0.0
    kept, more = of - lost, lost + 1
    ways = math.lgamma(of + 1) - math.lgamma(kept) - math.lgamma(more)
    front = math.exp(ways + kept * math.log1p(-share) + more * math.log(share))
    # The fraction converges on one side of the mean only; on the other, that of the complement does.
    if 1.0 - share < (kept + 1) / (of + 3):
        return front * _fraction(kept, more, 1.0 - share) / kept
    return 1.0 - front * _fraction(more, kept, share) / more


def _fraction(first: int, second: int, share: float) -> float:
    """Return the continued fraction of the incomplete beta function, by Lentz's method."""
    both = first + second
    above = 1.0
    below = _inverse(1.0 - both * share / (first + 1))
    value = below
    step = 0
    change = 0.0
    while abs(change - 1.0) > _CONVERGED:
        step += 1
        even = first + 2 * step
        for term in (
            step * (second - step) * share / ((even - 1) * even),
            -(first + step) * (both + step) * share / (even * (even + 1)),
        ):
            below = _inverse(1.0 + term * below)
            above = 1.0 + term / (above or _TINY)
            change = below * above
            value *= change
    return value


def _inverse(number: float) -> float:
    return 1.0 / (number or _TINY)
