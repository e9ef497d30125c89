"""Names for routines: a kind, what it is done with, and what it acts on, as in `fix:pytest:.py`."""

import hashlib
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pattern_sync.detecting.log import Steps
from pattern_sync.detecting.orchestration import Orchestration
from pattern_sync.domain.calls import Outcome
from pattern_sync.domain.routines import step

LONGEST_SIGNATURE = 255
_FIX, _WORK, _ALL = "fix", "work", "all"
_LOOKING = "looking"
_EDITS = frozenset({"Edit", "MultiEdit", "Write", "NotebookEdit"})
_READS = frozenset({"Read", "NotebookRead"})
_HASH_DIGITS = 6


def names_of(shapes: Sequence[Steps], known: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return a signature for each shape.

    A shape that is known keeps its own. Another gets the plain one if it is the only one to have it, now and before;
    if not, a short hash of the shape is added, so that signatures never change hands.
    """
    told = [tuple(step(*each) for each in shape) for shape in shapes]
    owned = {shape: signature for signature, shape in sorted(known.items(), reverse=True) if shape}
    plain = [plain_name(shape) for shape in shapes]
    wanted = Counter(name for name, shape in zip(plain, told, strict=True) if shape not in owned)
    return [
        owned[shape] if shape in owned else _fresh(name, shape, known, alone=wanted[name] == 1)
        for name, shape in zip(plain, told, strict=True)
    ]


def plain_name(steps: Steps) -> str:
    """Return the signature of a shape without regard to others."""
    repaired = _repaired(steps)
    if repaired is not None:
        return _signature(_FIX, _head(repaired), _target(steps))
    kind, word = _kind(steps)
    return _signature(kind, _head(word), _target(steps))


def _fresh(name: str, shape: tuple[str, ...], known: Mapping[str, tuple[str, ...]], *, alone: bool) -> str:
    if alone and name not in known:
        return name
    digest = hashlib.sha256("\n".join(shape).encode()).hexdigest()
    # A hash of six digits may collide, too; then one more, and so on.
    names = (f"{name}-{digest[:digits]}" for digits in range(_HASH_DIGITS, len(digest)))
    return next(each for each in names if each not in known)


def _repaired(steps: Steps) -> str | None:
    """Return the word of a call that failed, and ended well after something was edited."""
    for position, (word, outcome) in enumerate(steps):
        if outcome is Outcome.FAILED and not _is_edit(word):
            rest = steps[position + 1 :]
            edited = next((number for number, (each, _) in enumerate(rest) if _is_edit(each)), None)
            if edited is not None and (word, Outcome.OK) in rest[edited:]:
                return word
    return None


def _kind(steps: Steps) -> tuple[str, str]:
    """Return the first kind that a step belongs to, and the last such step: the one that the others lead to."""
    words = [word for word, _ in reversed(steps)]
    kinds = {word: _kind_of_command(word) for word in words}
    for kind in _kinds().programs:
        for word in words:
            if kinds[word] == kind:
                return kind, word
    for kind, tools in _kinds().tools.items():
        for word in words:
            if word.partition("/")[0] in tools:
                return kind, word
    return _WORK, next((word for word in words if not _is_mere_look(word)), words[0])


def _kind_of_command(word: str) -> str | None:
    """Return the kind of the longest entry that a command begins with: `make lint` is none of `make`."""
    fitting = (
        (len(entry), kind)
        for kind, entries in _kinds().programs.items()
        for entry in entries
        if f"{word} ".startswith(f"Bash/{entry} ")
    )
    return max(fitting, default=(0, None))[1]


def _is_mere_look(word: str) -> bool:
    return any(rule.name == _LOOKING and rule.fits(frozenset({word})) for rule in Orchestration.shipped().rules)


def _head(word: str) -> str:
    tool, _, target = word.partition("/")
    return target if tool == "Bash" and target else tool


def _target(steps: Steps) -> str:
    """Return what is edited, else what is read; of several, the last."""
    for tools in (_EDITS, _READS):
        for word, _ in reversed(steps):
            tool, _, target = word.partition("/")
            if tool in tools and target:
                return target
    return _ALL


def _is_edit(word: str) -> bool:
    return word.partition("/")[0] in _EDITS


def _signature(*parts: str) -> str:
    return ":".join(part.lower().replace(" ", "-").replace(":", "-") for part in parts)


@dataclass(frozen=True, slots=True)
class _Kinds:
    programs: Mapping[str, tuple[str, ...]]
    tools: Mapping[str, frozenset[str]]


@cache
def _kinds() -> _Kinds:
    content = tomllib.loads(files(__package__).joinpath("kinds.toml").read_text(encoding="utf-8"))
    return _Kinds(
        {kind: tuple(entries) for kind, entries in content["kinds"].items()},
        {kind: frozenset(tools) for kind, tools in content["tools"].items()},
    )
