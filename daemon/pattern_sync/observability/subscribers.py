"""Passes facts to subscribers."""

from collections.abc import Sequence

from pattern_sync.domain.facts import Emit, Fact
from pattern_sync.observability.lines import Line
from pattern_sync.observability.writer import LogWriter


class Subscribers:
    """Passes each fact to every subscriber, in order. What one of them fails on is written to the log once.

    Facts are emitted in the middle of the work: it goes on, whoever cannot observe it.
    """

    def __init__(self, subscribers: Sequence[Emit], write: LogWriter) -> None:
        self._subscribers = tuple(subscribers)
        self._write = write
        self._failed: set[tuple[str, str]] = set()

    def __call__(self, fact: Fact) -> None:
        """Take a fact."""
        for subscriber in self._subscribers:
            try:
                subscriber(fact)
            except Exception:  # noqa: BLE001 - a bug of an observer, of whatever kind
                self._report(subscriber, fact)

    def _report(self, subscriber: Emit, fact: Fact) -> None:
        observer, name = which = type(subscriber).__name__, type(fact).__name__
        if which not in self._failed:
            self._failed.add(which)
            self._write(Line.OBSERVER_FAILED, observer=observer, fact=name, exc_info=True)
