"""The log's handler that waits for nobody."""

import logging
import os
import threading
import time
from collections.abc import Iterator
from typing import TextIO

import pytest

from pattern_sync.observability.unblocking import LONGEST_FLUSH_SECONDS, UnblockingHandler
from tests.support.waiting import eventually

LONG = "x" * 1_000
MOST_LINES = 100
MOST_BYTES = MOST_LINES * (len(LONG) + 10)


class Journal:
    """A pipe, the handler at its one end, and a reader at the other who may take his time."""

    def __init__(self) -> None:
        read_end, self.descriptor = os.pipe()
        self.reader: TextIO = os.fdopen(read_end)
        self.lost: list[int] = []
        self.handler = UnblockingHandler(self.descriptor, self.lost.append, MOST_BYTES)

    def log(self, text: str) -> None:
        self.handler.handle(logging.makeLogRecord({"msg": text}))

    def log_many(self, lines: int) -> None:
        for number in range(lines):
            self.log(f"{number} {LONG}")

    def read_until(self, last: str) -> list[int]:
        """Return the numbers of the lines before this one."""
        return [int(line.split()[0]) for line in iter(self.reader.readline, f"{last}\n")]


@pytest.fixture
def journal() -> Iterator[Journal]:
    journal = Journal()
    yield journal
    journal.reader.close()
    os.close(journal.descriptor)


def test_lines_come_whole_and_in_order(journal: Journal) -> None:
    journal.log_many(50)
    journal.log("last")
    assert journal.read_until("last") == list(range(50))
    journal.handler.flush()
    assert journal.lost == []


def test_nobody_waits_for_a_reader_who_reads_nothing_and_what_is_lost_is_counted(journal: Journal) -> None:
    begun = time.monotonic()
    journal.log_many(5_000)
    assert time.monotonic() - begun < 5, "it would wait for ever"
    taken: list[int] = []
    reader = threading.Thread(target=lambda: taken.extend(journal.read_until("last")))
    reader.start()
    eventually(lambda: journal.lost)
    journal.log("last")
    reader.join()
    assert taken[:MOST_LINES] == list(range(MOST_LINES)), "the oldest are kept"
    assert taken == sorted(set(taken))
    assert journal.lost == [5_000 - len(taken)]


def test_the_end_waits_a_second_for_a_reader_and_not_longer(journal: Journal) -> None:
    journal.log_many(200)
    begun = time.monotonic()
    journal.handler.flush()
    assert LONGEST_FLUSH_SECONDS <= time.monotonic() - begun < LONGEST_FLUSH_SECONDS + 1


def test_a_reader_who_is_gone_costs_nothing(journal: Journal) -> None:
    journal.reader.close()
    journal.log_many(200)
    begun = time.monotonic()
    journal.handler.flush()
    assert time.monotonic() - begun < LONGEST_FLUSH_SECONDS
    assert journal.lost == [], "nobody could be told"


def test_a_pipe_that_was_made_non_blocking_gets_every_line_whole(journal: Journal) -> None:
    os.set_blocking(journal.descriptor, False)
    journal.log_many(90)
    journal.log("last")
    time.sleep(0.1)  # the pipe is full by now; only this makes the first write fail
    assert journal.read_until("last") == list(range(90))
