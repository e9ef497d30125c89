"""The fold: likely rejects are folded away at the end of a list, but for a few by which its cost is known."""

import hashlib
from dataclasses import dataclass

LIKELY_REJECT = 0.1
_DRAWN_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Prediction:
    """How likely an entry is approved, 0 to 1, and whether it folds away."""

    signature: str
    likelihood: float

    @property
    def folds(self) -> bool:
        """Return whether it is a likely reject that was not drawn to be shown in place."""
        return self.likelihood < LIKELY_REJECT and not is_drawn(self.signature)


def is_drawn(signature: str) -> bool:
    """Return whether an entry is never folded away: a share of all, always the same ones, at every daemon."""
    digest = hashlib.sha256(signature.encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") < _DRAWN_SHARE * 2**32
