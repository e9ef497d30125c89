"""What is wrong and has not ended."""

from collections.abc import Iterator, Mapping

from pattern_sync.domain.facts import (
    Fact,
    FilterForeign,
    FilterOwn,
    ListenerListening,
    ListenerLost,
    NotificationQueueDrained,
    NotificationQueueFull,
    TriggersFaulty,
    TriggersSeen,
    TriggersSound,
    TriggersUnseen,
)

_BEGUN_BY: Mapping[type[Fact], type[Fact]] = {
    FilterOwn: FilterForeign,
    ListenerListening: ListenerLost,
    NotificationQueueDrained: NotificationQueueFull,
    TriggersSeen: TriggersUnseen,
    TriggersSound: TriggersFaulty,
}


class Standing:
    """Keeps the latest fact of each condition that has begun and not ended."""

    def __init__(self) -> None:
        self._facts: dict[type[Fact], Fact] = {}

    def take(self, fact: Fact) -> None:
        """Take a fact."""
        kind = type(fact)
        if kind in _BEGUN_BY:
            self._facts.pop(_BEGUN_BY[kind], None)
        elif kind in _BEGUN_BY.values():
            self._facts[kind] = fact

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._facts.values())
