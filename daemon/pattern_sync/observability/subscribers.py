"""Passes facts to subscribers."""

from collections.abc import Sequence

from pattern_sync.domain.facts import Emit, Fact


class Subscribers:
    """Passes each fact to every subscriber, in order."""

    def __init__(self, subscribers: Sequence[Emit]) -> None:
        self._subscribers = tuple(subscribers)

    def __call__(self, fact: Fact) -> None:
        """Take a fact."""
        for subscriber in self._subscribers:
            subscriber(fact)
