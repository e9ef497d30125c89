"""What an assistant does in any case: kept in orchestration.toml, and left out with the reason."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of orchestration.toml: which sequences are left out, and why."""

    name: str
    because: str
    only: frozenset[str]
    anywhere: frozenset[str]
    most_kinds: int | None

    def fits(self, words: frozenset[str]) -> bool:
        """Return whether a sequence of these words is left out."""
        if self.most_kinds is not None and len(words) > self.most_kinds:
            return False
        if self.only and not all(_is_among(word, self.only) for word in words):
            return False
        return not self.anywhere or any(_is_among(word, self.anywhere) for word in words)


@dataclass(frozen=True, slots=True)
class Orchestration:
    """The rules, and the calls that are left out of sequences before anything is counted."""

    bookkeeping: frozenset[str]
    rules: tuple[Rule, ...]

    @classmethod
    def shipped(cls) -> "Orchestration":
        """Return the rules that come with the package."""
        return _shipped()

    @classmethod
    def off(cls) -> Self:
        """Return no rules, so that nothing is left out."""
        return cls(frozenset(), ())

    def is_bookkeeping(self, word: str) -> bool:
        """Return whether a call only keeps the assistant's books."""
        return word in self.bookkeeping

    def rule_for(self, words: Iterable[str]) -> Rule | None:
        """Return the first rule by which a sequence is left out; None if it is not."""
        different = frozenset(words)
        return next((rule for rule in self.rules if rule.fits(different)), None)


def _is_among(word: str, entries: frozenset[str]) -> bool:
    return word in entries or word.partition("/")[0] in entries


@cache
def _shipped() -> Orchestration:
    content = tomllib.loads(files(__package__).joinpath("orchestration.toml").read_text(encoding="utf-8"))
    rules: dict[str, Rule] = {}
    for entry in content["rules"]:
        also = rules[entry["and_what"]].only if "and_what" in entry else frozenset[str]()
        rules[entry["name"]] = _rule(entry, also)
    return Orchestration(frozenset(content["bookkeeping"]), tuple(rules.values()))


def _rule(entry: Mapping[str, Any], also: frozenset[str]) -> Rule:
    return Rule(
        name=entry["name"],
        because=entry["because"],
        only=also.union(entry.get("only", ())),
        anywhere=frozenset(entry.get("any", ())),
        most_kinds=entry.get("most_kinds"),
    )
