"""What a person cannot see in a text, shown for what it is, and what makes a name easy to take for another one.

By Unicode's properties, as on the page: a list of characters would be incomplete with the next version of Unicode.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

# Nothing to be seen: controls, formats (joiners, directions, tags that can carry a hidden text), line and paragraph
# separators, halves of pairs, and what Unicode has not assigned.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
# What fonts ignore beyond these (Default_Ignorable_Code_Point, which Python does not know): selectors and fillers.
_IGNORED = frozenset(
    map(
        chr,
        (
            *(0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
            *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)),
        ),
    )
)
# In running text, scripts and emoji need them beside what is not ASCII.
_NEEDED_BESIDE = frozenset("\u200c\u200d\ufe0e\ufe0f")
# More than two marks on one letter are written over the lines around them.
_MARKS_OF_A_LETTER = 2
# Blanks at the ends, and all but the first between words.
_LOST_BLANKS = re.compile(r"\A +| +\Z|(?<= ) +")
# Letters above the line, whose names leave out that they are Latin.
_SMALL_LATIN = re.compile("MODIFIER LETTER (SMALL|CAPITAL) |(FEMININE|MASCULINE) ORDINAL")
_PLAIN = re.compile(r"[!-~]*")
_ARROWS = {"\n": "↵", "\t": "⇥"}
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class NameSign:
    """What makes a name easy to take for another one: in short, for a row, and in words."""

    short: str
    words: str


def shown_name(text: str) -> str:
    """Return a name on one line, in which everything can be seen."""
    if _PLAIN.fullmatch(text):
        return text
    blanks = _LOST_BLANKS.sub(lambda found: "␣" * len(found[0]), text)
    return "".join(_mark(character) if is_odd else character for character, is_odd in _rated(blanks))


def shown_text(text: str) -> str:
    """Return running text, whose lines and tabs are kept, and what its scripts and emoji need."""
    shown: list[str] = []
    before = ""
    for character, is_odd in _rated(text.replace("\r\n", "\n")):
        is_needed = character in _NEEDED_BESIDE and before > "\x7f"
        shown.append(_mark(character) if is_odd and character not in _ARROWS and not is_needed else character)
        before = character
    return "".join(shown)


def strange_letters(name: str) -> tuple[str, ...]:
    """Return the letters of another script than the Latin letters beside them in the same word, each with its code."""
    strange: list[str] = []
    for is_word, letters in groupby(name, key=_is_of_a_word):
        word = list(letters)
        if is_word and any(map(_is_latin, word)):
            strange += [letter for letter in word if _is_foreign(letter)]
    return tuple(f"{letter} ({_code_of(letter)})" for letter in dict.fromkeys(strange))


def name_signs(name: str, alike: Sequence[str] = ()) -> tuple[NameSign, ...]:
    """Return the signs of a name; `alike` are the names of others that look like it."""
    if _PLAIN.fullmatch(name) and not alike:
        return ()
    signs: list[NameSign] = []
    if strange := strange_letters(name):
        signs.append(NameSign("mixed letters", f"mixes alphabets: {', '.join(strange)}"))
    if shown_name(name) != name:
        signs.append(NameSign("unseen characters", "holds unseen characters"))
    if alike:
        signs.append(NameSign("look-alike", f"looks like {', '.join(f'“{shown_name(other)}”' for other in alike)}"))
    return tuple(signs)


def look_alikes(names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the names that look like another of them, each with at most three others."""
    skeletons = {name: _skeleton(name) for name in names}
    by_skeleton: defaultdict[str, list[str]] = defaultdict(list)
    by_outline: defaultdict[str, list[str]] = defaultdict(list)
    # Only these can look like a name whose skeleton is another: all others of an outline differ in Latin letters.
    crossed: defaultdict[str, list[str]] = defaultdict(list)
    for name, skeleton in skeletons.items():
        by_skeleton[skeleton].append(name)
        by_outline[_outline(skeleton)].append(name)
        if any(map(_is_foreign, skeleton)):
            crossed[_outline(skeleton)].append(name)
    found = {}
    for name, skeleton in skeletons.items():
        others = (by_outline if any(map(_is_foreign, skeleton)) else crossed).get(_outline(skeleton), ())
        alike = [
            other
            for other in dict.fromkeys([*by_skeleton[skeleton], *others])
            if other != name and _look_alike(skeleton, skeletons[other])
        ]
        if alike:
            found[name] = tuple(alike[:_MOST_NAMED])
    return found


def _rated(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each character, and whether it cannot be seen or taken for what it is."""
    marks = 0
    for character in text:
        is_mark = unicodedata.category(character)[0] == "M"
        yield character, _is_odd(character) or (is_mark and marks >= _MARKS_OF_A_LETTER)
        marks = marks + 1 if is_mark else 0


def _is_odd(character: str) -> bool:
    category = unicodedata.category(character)
    return category in _UNSEEN or character in _IGNORED or (category == "Zs" and character != " ")


def _skeleton(name: str) -> str:
    """Return what names share that look alike: compatible forms, case, and what cannot be seen make no difference."""
    if _PLAIN.fullmatch(name):
        return name.lower()
    compatible = unicodedata.normalize("NFKC", name)
    seen = (character for character, is_odd in _rated(compatible) if not is_odd)
    return re.sub(" +", " ", "".join(seen)).strip().lower()


def _outline(skeleton: str) -> str:
    """Return what is left of a skeleton without regard to its letters: skeletons that look alike have the same."""
    return "".join("x" if unicodedata.category(character)[0] == "L" else character for character in skeleton)


def _look_alike(one: str, other: str) -> bool:
    """Return whether every letter in which two skeletons differ is Latin in one and not in the other."""
    return one == other or (
        len(one) == len(other)
        and all(a == b or _crosses(a, b) or _crosses(b, a) for a, b in zip(one, other, strict=True))
    )


def _crosses(letter: str, beside: str) -> bool:
    return _is_latin(letter) and _is_foreign(beside)


def _is_of_a_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM"


def _is_latin(character: str) -> bool:
    # Python does not know the script, but a letter's name says it. Kelvin's sign is the letter itself.
    letter = unicodedata.normalize("NFC", character)[0]
    name = unicodedata.name(letter, "")
    return unicodedata.category(letter)[0] == "L" and ("LATIN" in name.split() or bool(_SMALL_LATIN.match(name)))


def _is_foreign(character: str) -> bool:
    return unicodedata.category(character)[0] == "L" and not _is_latin(character)


def _mark(character: str) -> str:
    return _ARROWS.get(character) or f"[{_code_of(character)}]"


def _code_of(character: str) -> str:
    return f"U+{ord(character):04X}"
