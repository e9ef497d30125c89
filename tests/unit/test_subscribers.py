"""Facts and who takes them."""

import json

import pytest

from pattern_sync.domain.facts import DatabaseLost, Fact, ListenerListening, ListenerLost
from pattern_sync.observability.logs import configure_logging
from pattern_sync.observability.subscribers import Subscribers
from pattern_sync.observability.writer import LogWriter
from tests.support.fakes import RecordedFacts

FACTS: list[Fact] = [ListenerLost("lost"), DatabaseLost("down"), ListenerListening(1.0), DatabaseLost("down again")]


class Broken:
    """Fails on one kind of fact."""

    def __call__(self, fact: Fact) -> None:
        assert not isinstance(fact, DatabaseLost), "cannot be counted"


def test_every_subscriber_gets_each_fact_in_order() -> None:
    first, second = RecordedFacts(), RecordedFacts()
    emit = Subscribers([first, second], LogWriter())
    for fact in FACTS:
        emit(fact)
    assert first == second == FACTS


def test_a_subscriber_that_fails_holds_up_neither_the_others_nor_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    others = RecordedFacts()
    emit = Subscribers([Broken(), others], LogWriter())
    for fact in FACTS:
        emit(fact)
    assert others == FACTS
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert (line["event"], line["level"]) == ("observer.failed", "error")
    assert (line["observer"], line["fact"]) == ("Broken", "DatabaseLost")
    assert line["exception"][0]["exc_type"] == "AssertionError"
