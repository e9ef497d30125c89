"""How little a share may be, for all that was seen of it."""

import math

_Z = 1.959963984540054


def lower_end(hits: int, tries: int) -> float:
    """Return the lower end of the interval for a share, after Wilson, two-sided 95 %; 0 without a try."""
    if tries <= 0:
        return 0.0
    share, square = hits / tries, _Z * _Z
    middle = share + square / (2 * tries)
    width = _Z * math.sqrt(share * (1 - share) / tries + square / (4 * tries * tries))
    return max(0.0, (middle - width) / (1 + square / tries))
