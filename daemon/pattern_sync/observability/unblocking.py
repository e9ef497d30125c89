"""A handler of the log that never waits for whoever reads it: a journal may be frozen, a pipe full."""

import logging
import os
import queue
import select
import threading
from collections.abc import Callable

MOST_BYTES = 4_000_000
# How long an exit waits for the last lines to be taken.
LONGEST_FLUSH_SECONDS = 1.0


class UnblockingHandler(logging.Handler):
    """Writes to a file descriptor in a thread of its own, behind a bounded queue.

    `on_lost` gets how many records were lost as soon as lines are taken again. It is called in that thread.
    """

    def __init__(self, descriptor: int, on_lost: Callable[[int], None], most_bytes: int = MOST_BYTES) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._on_lost = on_lost
        self._most_bytes = most_bytes
        self._waiting: queue.Queue[bytes] = queue.Queue()
        self._waiting_bytes = 0
        self._lost = 0
        self._counting = threading.Lock()
        # A daemon thread, as one that is stuck in a write must not hold up the exit. For the same reason it writes to
        # the descriptor: a thread that holds the lock of sys.stderr at the exit lets Python abort.
        threading.Thread(target=self._write_for_ever, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Hand over the lines of a record, or count it as lost."""
        try:
            lines = f"{self.format(record)}\n".encode(errors="backslashreplace")
        except Exception:  # noqa: BLE001 - what logging asks of a handler
            self.handleError(record)
            return
        with self._counting:
            fits = self._waiting_bytes + len(lines) <= self._most_bytes
            self._waiting_bytes += len(lines) if fits else 0
            self._lost += 0 if fits else 1
        if fits:
            self._waiting.put(lines)

    def flush(self) -> None:
        """Wait until everything is written, but not for long."""
        with self._waiting.all_tasks_done:
            self._waiting.all_tasks_done.wait_for(lambda: not self._waiting.unfinished_tasks, LONGEST_FLUSH_SECONDS)

    def _write_for_ever(self) -> None:
        while True:
            lines = self._waiting.get()
            is_written = self._write(lines)
            with self._counting:
                self._waiting_bytes -= len(lines)
                self._lost += 0 if is_written else 1
            if is_written and self._waiting.empty():
                self._report_lost()
            self._waiting.task_done()

    def _write(self, left: bytes) -> bool:
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:  # whoever shares the descriptor has made it so
                select.select([], [self._descriptor], [])
            except OSError:  # nobody is left to read; there is no other place to say so
                return False
        return True

    def _report_lost(self) -> None:
        with self._counting:
            lost, self._lost = self._lost, 0
        if lost:
            self._on_lost(lost)
