"""Marks: what may have changed and was not looked at yet."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Taken(Generic[Key, Value]):
    """Marks that were taken; `everything` where there were too many to keep, or something was missed."""

    marks: Mapping[Key, Value]
    everything: bool

    def __bool__(self) -> bool:
        return bool(self.marks) or self.everything


class Marks(Generic[Key, Value]):
    """Coalesces marks: the latest value a key, and more than `most` of them become one mark for everything.

    They are taken before the rows are read, never after: what commits during the read is a new mark. When the read
    fails they are put back. `wake` is set while there are any.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._marks: dict[Key, Value] = {}
        self.everything = False
        self.wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._marks)

    def add(self, marks: Mapping[Key, Value]) -> None:
        """Mark some keys."""
        self._marks.update(marks)
        self._bound()

    def add_new(self, marks: Mapping[Key, Value]) -> None:
        """Mark some keys; one that is marked keeps its value."""
        for key, value in marks.items():
            self._marks.setdefault(key, value)
        self._bound()

    def values(self) -> Collection[Value]:
        """Return the values of all marks."""
        return self._marks.values()

    def add_everything(self) -> None:
        """Mark everything."""
        self.everything = True
        self.wake.set()

    def take(self) -> Taken[Key, Value]:
        """Return what is marked, and unmark it."""
        taken = Taken(self._marks, self.everything)
        self._marks, self.everything = {}, False
        self.wake.clear()
        return taken

    def put_back(self, taken: Taken[Key, Value]) -> None:
        """Mark again what was taken; what was marked meanwhile is newer."""
        self._marks = {**taken.marks, **self._marks}
        self.everything |= taken.everything
        self._bound()

    def _bound(self) -> None:
        if len(self._marks) > self._most:
            self._marks = {}
            self.everything = True
        if self._marks or self.everything:
            self.wake.set()
