"""A handler of the log that never waits for whoever reads it: a journal may be frozen, a pipe full."""

import logging
import os
import queue
import threading
from collections.abc import Callable

MOST_LINES = 10_000
# How long an exit waits for the last lines to be taken.
LONGEST_FLUSH_SECONDS = 1.0


class UnblockingHandler(logging.Handler):
    """Writes to a file descriptor in a thread of its own, behind a bounded queue.

    `on_lost` gets how many records were lost as soon as lines are taken again. It is called in that thread.
    """

    def __init__(self, descriptor: int, on_lost: Callable[[int], None], most_lines: int = MOST_LINES) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._on_lost = on_lost
        self._texts: queue.Queue[str] = queue.Queue(most_lines)
        self._lost = 0
        self._counting = threading.Lock()
        # A daemon thread, as one that is stuck in a write must not hold up the exit. For the same reason it writes to
        # the descriptor: a thread that holds the lock of sys.stderr at the exit lets Python abort.
        threading.Thread(target=self._write_for_ever, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Hand over the lines of a record, or count it as lost."""
        try:
            self._texts.put_nowait(f"{self.format(record)}\n")
        except queue.Full:
            self._count_lost()
        except Exception:  # noqa: BLE001 - what logging asks of a handler
            self.handleError(record)

    def flush(self) -> None:
        """Wait until everything is written, but not for long."""
        with self._texts.all_tasks_done:
            self._texts.all_tasks_done.wait_for(lambda: not self._texts.unfinished_tasks, LONGEST_FLUSH_SECONDS)

    def _write_for_ever(self) -> None:
        while True:
            is_written = self._write(self._texts.get().encode(errors="backslashreplace"))
            if is_written and self._texts.empty():
                self._report_lost()
            self._texts.task_done()

    def _write(self, left: bytes) -> bool:
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:  # nobody is left to read; there is no other place to say so
            self._count_lost()
            return False
        return True

    def _count_lost(self) -> None:
        with self._counting:
            self._lost += 1

    def _report_lost(self) -> None:
        with self._counting:
            lost, self._lost = self._lost, 0
        if lost:
            self._on_lost(lost)
