"""What a queue consists of: groups of entries by a key that they share, and entries that are like one."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from pattern_sync.domain.entry import QueueEntry

_LIKE_ENOUGH = 0.75
# Comparing the order of two sequences takes as long as the product of their lengths, on an event loop: a tenth of a
# second for all of this. Ordinary ones, of ten tools, do not come near it.
_MOST_STEP_PAIRS = 1_500_000


@dataclass(frozen=True, slots=True)
class EntryGroup:
    """Entries that share a key; savings are USD a month, confidence is 0 to 1.

    `flags` counts the entries with each flag. `approved_before` of `decided_before` decided entries with the same key
    were approved by a person. `evidence_usd` is None if nothing is recorded of any of them.
    """

    key: str
    count: int
    savings_usd: float
    evidence_usd: float | None
    savings_min: float
    savings_max: float
    confidence_min: float
    confidence_max: float
    flags: Mapping[str, int]
    approved_before: int
    decided_before: int


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups that are worth most, and how many there are in all."""

    groups: tuple[EntryGroup, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Selection:
    """The names of all that a list finds, as far as they may be decided at once, and what they are worth in all.

    `total` counts those that were left off, too; so do the sums. `largest` are the five with the largest savings.
    """

    ids: tuple[str, ...]
    total: int
    savings_usd: float
    evidence_usd: float | None
    largest: tuple[QueueEntry, ...]


class StepChange(StrEnum):
    """How the tools of two entries differ in one step."""

    MISSING = "missing"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Step:
    """A tool that another entry has and this one lacks, or the other way round."""

    tool: str
    change: StepChange


@dataclass(frozen=True, slots=True)
class SimilarEntry:
    """An entry of the same kind whose tools are mostly the same, and what is different about it."""

    entry: QueueEntry
    difference: tuple[Step, ...]


def tools_of(sequence: str) -> list[str]:
    """Return the tools of a sequence; the arrow is ASCII in a database that has no other."""
    return re.split("→|->", sequence)


def differences_of(
    tools: Sequence[str], others: Iterable[tuple[str, Sequence[str]]]
) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """Yield the names of those whose tools are mostly the same, in their order, each with what is different.

    Sequences of thousands of steps, as of whole sessions, are left out if comparing them would take too long; those
    that are the same never are.
    """
    left = _MOST_STEP_PAIRS
    for name, sequence in others:
        if sequence == tools:
            yield name, ()
        elif _may_be_alike(tools, sequence) and len(tools) * len(sequence) <= left:
            left -= len(tools) * len(sequence)
            if (difference := difference_of(tools, sequence)) is not None:
                yield name, difference


def difference_of(tools: Sequence[str], others: Sequence[str]) -> tuple[Step, ...] | None:
    """Return the steps by which the others differ, in their order; None if less than three quarters are the same.

    Like the edit distance: the steps that differ are counted against the longer one.
    """
    changes: list[Step] = []
    distance = 0
    for change, start, end, other_start, other_end in SequenceMatcher(
        None, tools, others, autojunk=False
    ).get_opcodes():
        if change != "equal":
            distance += max(end - start, other_end - other_start)
            changes += [Step(tool, StepChange.MISSING) for tool in tools[start:end]]
            changes += [Step(tool, StepChange.ADDED) for tool in others[other_start:other_end]]
    longest = max(len(tools), len(others), 1)
    return tuple(changes) if 1 - distance / longest >= _LIKE_ENOUGH else None


def _may_be_alike(tools: Sequence[str], others: Sequence[str]) -> bool:
    """Return whether enough tools are the same in any order: no order can have more of them in common."""
    shorter, longest = sorted((len(tools), len(others)))
    least = _LIKE_ENOUGH * longest
    return shorter >= least and (Counter(tools) & Counter(others)).total() >= least
