"""The program with other timings than production's: `python -m tests.support.entry TIMINGS [ARGUMENT...]`."""

import asyncio
import functools
import json
import os
import signal
import sys
from collections.abc import Mapping

from pattern_sync.cli.main import main as program
from pattern_sync.runtime import life
from pattern_sync.services.timings import Timings


def main(timings: Mapping[str, float]) -> None:
    """Run the command line; its daemon takes production's timings where these name none."""
    if timings:
        # Where the command looks for it: there is no setting for what nobody should have to set.
        vars(life)["run_daemon"] = functools.partial(life.run_daemon, timings=Timings(**timings))
    signal.signal(signal.SIGUSR2, _count_tasks)
    program()


def _count_tasks(*_: object) -> None:
    """Write how many tasks the event loop has, so that a test can see one that was leaked."""
    names = sorted(_described(task) for task in asyncio.all_tasks())
    # Not through the log: its lock may be held by what this interrupts.
    os.write(
        sys.stderr.fileno(), f"{json.dumps({'event': 'test.tasks', 'count': len(names), 'names': names})}\n".encode()
    )


def _described(task: "asyncio.Task[object]") -> str:
    """Return a task's name, and the line that it waits in."""
    coroutine = task.get_coro()
    while (awaited := getattr(coroutine, "cr_await", None)) is not None and hasattr(awaited, "cr_frame"):
        coroutine = awaited
    frame = getattr(coroutine, "cr_frame", None)
    return f"{task.get_name()} in {frame.f_code.co_filename}:{frame.f_lineno}" if frame else task.get_name()


if __name__ == "__main__":
    main(json.loads(sys.argv.pop(1)))
