"""Do something again and again, in a thread, while a fault lasts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# What is repeated may rewrite a table of a million rows.
PATIENCE_SECONDS = 300.0


@contextmanager
def repeated(action: Callable[[], object], *, every_seconds: float) -> Iterator[None]:
    """Act at once and then again and again; the last action is finished at the end. What it raises, this raises."""
    stopping = threading.Event()
    faults: list[BaseException] = []

    def act() -> None:
        try:
            action()
            while not stopping.wait(every_seconds):
                action()
        except BaseException as fault:  # noqa: BLE001 - for the thread that waits
            faults.append(fault)

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive(), "the last action hangs"
    if faults:
        raise faults[0]
