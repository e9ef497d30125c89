"""The model as it is kept: JSON, and a digest by which it shows that somebody else has written it."""

import hashlib
import json
import math
from typing import Any

from pattern_sync.domain.errors import ModelUnreadable
from pattern_sync.domain.model import CategoryTerm, FigureTerm, Model

VERSION = 1
_LARGEST = 1e9


def model_text(model: Model) -> str:
    """Return the model as JSON in ASCII, which every database can store; the same one always gives the same text."""
    document = {
        "version": VERSION,
        "decided": model.decided,
        "approved": model.approved,
        "strength": model.strength,
        "bias": model.bias,
        "figures": {name: [term.mean, term.spread, term.weight] for name, term in model.figures.items()},
        "categories": {name: [term.weight, term.approved, term.decided] for name, term in model.categories.items()},
    }
    return json.dumps(document, separators=(",", ":"), sort_keys=True)


def digest_of(text: str) -> str:
    """Return the digest that is kept beside a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_model(text: str, digest: str) -> Model:
    """Return the model that a text holds. Raises ModelUnreadable: another version's, or edited by hand."""
    try:
        document = json.loads(text)
        version = document["version"]
    except (ValueError, RecursionError, TypeError, KeyError):
        raise ModelUnreadable("It is no model.") from None
    if isinstance(version, int) and version > VERSION:
        raise ModelUnreadable(f"It has version {version}, and this program reads version {VERSION}.", is_later=True)
    if digest_of(text) != digest:
        raise ModelUnreadable("Its digest does not fit: somebody has edited it.")
    try:
        return _to_model(document)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise ModelUnreadable("Its figures are missing or out of range.") from None


def _to_model(document: dict[str, Any]) -> Model:
    model = Model(
        approved=int(document["approved"]),
        decided=int(document["decided"]),
        strength=_sound(document["strength"]),
        bias=_sound(document["bias"]),
        figures={name: FigureTerm(*map(_sound, values)) for name, values in document["figures"].items()},
        categories={
            name: CategoryTerm(_sound(weight), int(approved), int(decided))
            for name, (weight, approved, decided) in document["categories"].items()
        },
    )
    counts = [(model.approved, model.decided), *((each.approved, each.decided) for each in model.categories.values())]
    if any(not 0 <= approved <= decided or not decided for approved, decided in counts):
        raise ValueError
    if any(term.spread <= 0 for term in model.figures.values()):
        raise ValueError
    return model


def _sound(value: float) -> float:
    number = float(value)
    if not math.isfinite(number) or abs(number) > _LARGEST:
        raise ValueError
    return number
