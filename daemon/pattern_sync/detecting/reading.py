"""Files of transcripts, found and read; the one part of the detector that touches the disk."""

import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pattern_sync.detecting import rollouts, transcripts
from pattern_sync.detecting.ledger import Ledger
from pattern_sync.detecting.lines import Skipped, objects_in
from pattern_sync.detecting.prices import Prices
from pattern_sync.detecting.rollouts import RolloutReader
from pattern_sync.detecting.transcripts import TranscriptReader
from pattern_sync.detecting.words import Words
from pattern_sync.domain.calls import Session

_SUFFIX, _COMPRESSED = ".jsonl", (".jsonl.zst", ".jsonl.gz")
_ROLLOUT = "rollout-"


@dataclass(slots=True)
class Reading:
    """What was read, and what was not. `unreadable` counts files that cannot be opened, `compressed` packed ones."""

    files: int = 0
    unreadable: int = 0
    compressed: int = 0
    skipped: Skipped = field(default_factory=Skipped)


class Library:
    """Reads transcripts of Claude Code and rollouts of Codex."""

    def __init__(self, words: Words, prices: Prices) -> None:
        self._words = words
        self._prices = prices
        self._ledger = Ledger()
        self.reading = Reading()

    def read(self, paths: Iterable[Path], progress: Callable[[int], None] | None = None) -> None:
        """Read files, and all files of transcripts in folders. `progress` hears the number of files so far.

        In the order of their paths, so that a line that several files have belongs to the same one each time.
        """
        found, compressed = transcripts_in(paths)
        self.reading.compressed += compressed
        for path in sorted(found):
            self._read(path)
            if progress is not None:
                progress(self.reading.files)

    def sessions(self) -> Iterator[Session]:
        """Yield the sessions in what was read, in the order of their ids, and forget them."""
        return self._ledger.sessions()

    def _read(self, path: Path) -> None:
        try:
            # Not a pipe, which would never end.
            if not stat.S_ISREG(path.stat().st_mode):
                return
            with path.open("rb") as file:
                is_rollout = path.name.startswith(_ROLLOUT)
                reader = (RolloutReader if is_rollout else TranscriptReader)(self._words, self._prices, self._ledger)
                marks = rollouts.MARKS if is_rollout else transcripts.MARKS
                for line in objects_in(file, marks, self.reading.skipped):
                    reader.take(line)
        except OSError:
            self.reading.unreadable += 1
        else:
            self.reading.files += 1


def transcripts_in(paths: Iterable[Path]) -> tuple[set[Path], int]:
    """Return the files among these paths and in these folders that are read, and how many are compressed."""
    found, compressed = set[Path](), 0
    for path in paths:
        for each in path.rglob("*.jsonl*") if path.is_dir() else (path,):
            if each.name.endswith(_COMPRESSED):
                compressed += 1
            elif each.name.endswith(_SUFFIX) or each == path:
                found.add(each)
    return found, compressed
