"""Lines of JSON that somebody else wrote: of any length and encoding, cut off, and with anything in them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from pattern_sync.domain.moments import read_utc

# Lines with an image have some megabytes; the words and outcomes of longer ones are not worth the memory.
LONGEST_LINE = 8_000_000
_MOST_TOKENS = 1_000_000_000
_LONGEST_TEXT = 1_000
_PIECE = 1_000_000


@dataclass(slots=True)
class Skipped:
    """What could not be read, by reason. `cut` are lines that are no JSON, as the last one of a file may be."""

    lines: int = 0
    too_long: int = 0
    cut: int = 0
    strange: int = 0

    def add(self, other: "Skipped") -> None:
        """Add what was skipped elsewhere."""
        self.lines += other.lines
        self.too_long += other.too_long
        self.cut += other.cut
        self.strange += other.strange


def objects_in(file: BinaryIO, marks: Sequence[bytes], skipped: Skipped) -> Iterator[Mapping[str, Any]]:
    """Yield the objects in the lines that have one of these marks in them. Bytes that are no UTF-8 are replaced."""
    while line := file.readline(LONGEST_LINE + 1):
        skipped.lines += 1
        if len(line) > LONGEST_LINE:
            skipped.too_long += 1
            _pass_over(file, line)
        elif any(mark in line for mark in marks):
            try:
                content = json.loads(line.decode(errors="replace"))
            except (ValueError, RecursionError):
                skipped.cut += 1
                continue
            if isinstance(content, dict):
                yield content
            else:
                skipped.strange += 1


def _pass_over(file: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = file.readline(_PIECE)


def objects(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the objects in a list; nothing if it is none."""
    return (each for each in value if isinstance(each, Mapping)) if isinstance(value, list) else iter(())


def text(value: object) -> str | None:
    """Return a text that is not empty, and as short as an id, a name or a path; else None."""
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT else None


def number(value: object) -> int | None:
    """Return a number of tokens; None if it can be none."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_TOKENS:
        return None
    return value


def moment(value: object) -> datetime | None:
    """Return a moment in UTC from a text; None if it is none. Without a zone, it is taken for UTC."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        return None
    return read_utc(value)
