"""Threads for what cannot be cancelled, such as the lookup of a host's name."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class UnjoinedThreads(ThreadPoolExecutor):
    """An event loop's executor that nothing waits for: neither the loop's end nor the interpreter's.

    A name server that does not answer holds a thread for half a minute. A pool would make a stop wait for that, and the
    next lookups too when the server is back. So each call has a thread of its own.
    """

    def submit(
        self, function: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Result]:
        """Run a function in a new thread."""
        future: Future[Result] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function(*args, **kwargs))
            except BaseException as fault:  # noqa: BLE001 - whoever awaits the future gets it
                future.set_exception(fault)

        threading.Thread(target=work, daemon=True).start()
        return future
