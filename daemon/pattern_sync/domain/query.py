"""The query language of the search field: words, and terms such as `type:test savings:>5000 -flag:counted-twice`."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from pattern_sync.domain.errors import InvalidInput
from pattern_sync.domain.evidence import FlagName
from pattern_sync.domain.text import is_storable

LONGEST_QUERY = 1_000
_MOST_TERMS = 50
_LONGEST_SHOWN = 60
# A flag that is relative to the whole queue, and the word for any flag at all.
_CARRIES, _ANY_FLAG = FlagName.CARRIES_QUEUE, "any"
# The one thing that can be sought of what is foretold: what the order `expected` folds away.
_FOLDED = "reject"
FLAGS = tuple(each.value for each in FlagName)
_TEXTS = ("type", "kind", "target", "shape", "by", "flag", "likely")


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure that can be compared: its name in the object that SQL reads, and what a typed number is divided by."""

    name: str
    divisor: float = 1.0
    is_duration: bool = False


_FIGURES: Mapping[str, _Figure] = {
    "savings": _Figure("savings"),
    "evidence": _Figure("evidence"),
    "conf": _Figure("confidence", 100.0),
    "seen": _Figure("occurrences"),
    "workflows": _Figure("workflows"),
    "age": _Figure("age", is_duration=True),
    "quiet": _Figure("quiet", is_duration=True),
}
_ALIASES = {"confidence": "conf", "occurrences": "seen"}
FIELDS = (*_TEXTS, *_FIGURES)
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6}
_SECONDS = {"h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_NUMBER = re.compile(r"(\d{1,15}(?:,\d{3}){0,4}(?:\.\d{1,6})?)\s?([km%]?)", re.IGNORECASE)
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s?([hdw])", re.IGNORECASE)
_COMPARED = re.compile(r"(>=|<=|>|<|=)?(.+)", re.DOTALL)
# A term is a word, or a field with a value; either may be quoted, and a minus before it means: not.
_TERM = re.compile(r'(?P<minus>-)?(?:(?P<field>[A-Za-z][A-Za-z-]*):)?(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]\S*))')
# A quotation mark that nothing closes: the term would be read as words that begin with it.
_OPENED = re.compile(r'-?(?:[A-Za-z][A-Za-z-]*:)?"')
_FLIPPED = {">": "<=", "<=": ">", "<": ">=", ">=": "<"}


@dataclass(slots=True)
class _Wanted:
    """What the terms read so far ask for, as SQL reads it."""

    document: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, value: str) -> None:
        self.document.setdefault(name, []).append(value)

    def at_least(self, name: str, bound: float) -> None:
        self.document[f"min_{name}"] = max(bound, self.document.get(f"min_{name}", bound))

    def at_most(self, name: str, bound: float) -> None:
        self.document[f"max_{name}"] = min(bound, self.document.get(f"max_{name}", bound))


def parse_query(text: str) -> Mapping[str, Any] | None:
    """Return what a query asks for, as the SQL function `matching` reads it; None if it asks for nothing.

    Words have to be found in the name, the tools or the context. Several values of one field are alternatives, except
    flags, which have to be there together. Raises InvalidInput, which names the term and what is allowed.
    """
    if len(text) > LONGEST_QUERY:
        raise InvalidInput(f"the query has {len(text):,} characters; at most {LONGEST_QUERY:,} are allowed.")
    if not is_storable(text):
        raise InvalidInput("the query holds a character that cannot be searched (NUL, or half of a surrogate pair).")
    wanted = _Wanted()
    for number, term in enumerate(_terms(text), start=1):
        if number > _MOST_TERMS:
            raise InvalidInput(f"the query has more than {_MOST_TERMS} terms.")
        _read(term, wanted)
    return wanted.document or None


def _terms(text: str) -> Iterator[re.Match[str]]:
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        found = _TERM.match(text, place)
        if found is None or (found["quoted"] is None and _OPENED.match(found[0])):
            raise InvalidInput(f"{_shown(text[place:].strip())} has no end; close the quotation mark.")
        yield found
        place = found.end()


def _read(term: re.Match[str], wanted: _Wanted) -> None:
    whole, value = term[0], term["quoted"] if term["quoted"] is not None else term["bare"]
    negated, name = (
        term["minus"] is not None,
        _ALIASES.get((term["field"] or "").lower(), (term["field"] or "").lower()),
    )
    if name in _FIGURES:
        _read_figure(whole, _FIGURES[name], value, wanted, negated=negated)
    elif name in _TEXTS:
        _read_text(whole, name, value, wanted, negated=negated)
    else:
        # Names of patterns have colons, too: a field that does not exist is part of a word, unless it looks misspelt.
        if name and (close := get_close_matches(name, FIELDS, 1, 0.75)):
            raise InvalidInput(f"{_shown(whole)}: there is no field {name}; {close[0]} is meant? {_allowed()}")
        if name and value[:1] in "<>=" and term["quoted"] is None:
            raise InvalidInput(f"{_shown(whole)}: there is no field {name}. {_allowed()}")
        word = whole.removeprefix("-").replace('"', "") if name else value
        if word == "-":
            raise InvalidInput("`-` stands alone; put it before a word or a term that is to be left out.")
        if word.endswith(":") and word[:-1].lower() in FIELDS:
            raise InvalidInput(f"{_shown(whole)} has no value.")
        if word.strip():
            wanted.add("without_words" if negated else "words", word)


def _read_text(whole: str, name: str, value: str, wanted: _Wanted, *, negated: bool) -> None:
    stripped = value.strip()
    lowered = stripped.lower()
    if not stripped:
        raise InvalidInput(f"{_shown(whole)} has no value.")
    if name == "likely":
        if lowered != _FOLDED:
            raise InvalidInput(f"{_shown(whole)}: only likely:{_FOLDED} can be sought.")
        wanted.document["folded"] = not negated
    elif name != "flag":
        # In ASCII, as a database may have no other arrow.
        sought = stripped.replace("→", "->") if name == "shape" else stripped
        wanted.add(f"not_{name}" if negated else name, sought)
    elif lowered == _ANY_FLAG:
        wanted.document["flagged"] = not negated
    elif lowered == _CARRIES:
        wanted.document["carries"] = not negated
    elif lowered in FLAGS:
        wanted.add("not_flag" if negated else "flag", lowered)
    else:
        raise InvalidInput(f"{_shown(whole)}: there is no such flag. Flags are {_ANY_FLAG}, {', '.join(FLAGS)}.")


def _read_figure(whole: str, figure: _Figure, value: str, wanted: _Wanted, *, negated: bool) -> None:
    if ".." in value:
        low, high = (_number(whole, figure, part) for part in value.split("..", 1))
        if negated:
            raise InvalidInput(f"{_shown(whole)}: a range cannot be left out; use < or > instead.")
        if low > high:
            raise InvalidInput(f"{_shown(whole)}: the range ends before it begins.")
        wanted.at_least(figure.name, low)
        wanted.at_most(figure.name, high)
        return
    compared = _COMPARED.fullmatch(value)
    sign, number = (compared[1] or "=", compared[2]) if compared else ("=", value)
    bound = _number(whole, figure, number)
    if negated:
        if sign == "=":
            raise InvalidInput(f"{_shown(whole)}: one value cannot be left out; use < or > instead.")
        sign = _FLIPPED[sign]
    if sign in {">", ">=", "="}:
        wanted.at_least(figure.name, math.nextafter(bound, math.inf) if sign == ">" else bound)
    if sign in {"<", "<=", "="}:
        wanted.at_most(figure.name, math.nextafter(bound, -math.inf) if sign == "<" else bound)


def _number(whole: str, figure: _Figure, text: str) -> float:
    if figure.is_duration:
        found = _DURATION.fullmatch(text.strip())
        if found is None:
            raise InvalidInput(f"{_shown(whole)}: {_shown(text)} is no duration; write 12h, 7d or 2w.")
        return float(found[1]) * _SECONDS[found[2].lower()]
    found = _NUMBER.fullmatch(text.strip())
    if found is None or (found[2] == "%" and figure.divisor == 1.0):
        raise InvalidInput(
            f"{_shown(whole)}: {_shown(text)} is no number; write 5000, 5k, >5000, <=5000 or 1000..5000."
        )
    # The quotient of the text's number, not a product: 85 % is what 0.85 is.
    return float(found[1].replace(",", "")) * _UNITS.get(found[2].lower(), 1.0) / figure.divisor


def _allowed() -> str:
    return f"Fields are {', '.join(FIELDS)}. Put a name that looks like a field in quotation marks."


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")
