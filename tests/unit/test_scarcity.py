"""What happens thousands of times because of others is told once a minute, with how often it did."""

import errno
from typing import Any

from structlog.testing import capture_logs

from pattern_sync.observability.scarcity import QUIET_SECONDS, Scarcity
from tests.support.fakes import Clock

OUT_OF_FILES = {
    "message": "socket.accept() out of system resource",
    "exception": OSError(errno.EMFILE, "Too many open files"),
}


class Loop:
    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.told.append(context)


def test_a_shortage_of_files_is_told_at_once_and_then_once_a_minute() -> None:
    clock, loop = Clock(), Loop()
    scarcity = Scarcity(clock)
    with capture_logs() as lines:
        for _ in range(1_000):
            scarcity.loop_fault(loop, OUT_OF_FILES)
        assert [line["times"] for line in lines] == [1]
        assert "Too many open files" in lines[0]["reason"]
        clock.seconds += QUIET_SECONDS
        for _ in range(1_000):
            scarcity.loop_fault(loop, OUT_OF_FILES)
    assert [line["times"] for line in lines] == [1, 1_000]
    assert loop.told == []


def test_one_shortage_does_not_hide_another() -> None:
    scarcity = Scarcity(Clock())
    with capture_logs() as lines:
        scarcity.loop_fault(Loop(), OUT_OF_FILES)
        scarcity.too_many_connections()
        scarcity.too_many_connections()
    assert len(lines) == 2


def test_what_is_no_shortage_is_told_as_always() -> None:
    loop = Loop()
    fault = {"message": "Task exception was never retrieved", "exception": ValueError("x")}
    with capture_logs() as lines:
        Scarcity(Clock()).loop_fault(loop, fault)
    assert loop.told == [fault]
    assert lines == []
