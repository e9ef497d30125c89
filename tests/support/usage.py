"""What a daemon uses: descriptors, threads, tasks, memory, sessions. After a fault it must be what it was before."""

import signal
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from tests.support.daemon import DaemonProcess
from tests.support.waiting import eventually

# A pool opens connections as they are needed, and closes what was idle for a minute.
MOST_SESSIONS = 14
ROOM_MEGABYTES = 25.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process; `tasks` of its event loop."""

    descriptors: int
    threads: int
    tasks: int
    megabytes: float

    @classmethod
    def of(cls, daemon: DaemonProcess) -> "Usage":
        process = Path(f"/proc/{daemon.pid}")
        return cls(
            descriptors=_count(process / "fd"),
            threads=_count(process / "task"),
            tasks=_tasks(daemon),
            megabytes=daemon.resident_kilobytes() / 1024,
        )

    def exceeds(self, before: "Usage", *, room: "Usage") -> list[str]:
        """Return what is more than before by more than there is room for."""
        return [
            f"{each.name}: {getattr(self, each.name):g} after {getattr(before, each.name):g}"
            for each in fields(self)
            if getattr(self, each.name) > getattr(before, each.name) + getattr(room, each.name)
        ]


# A pool may have opened its connections meanwhile; each has a descriptor and, while it is in use, a task.
ROOM = Usage(descriptors=MOST_SESSIONS, threads=4, tasks=4, megabytes=ROOM_MEGABYTES)


def until_as_before(
    daemon: DaemonProcess, before: Usage, on_leak: Callable[[], str] = str, *, room: Usage = ROOM
) -> None:
    """Wait until the daemon uses no more than before, and room."""
    excess: list[str] = []

    def is_back() -> bool:
        excess[:] = Usage.of(daemon).exceeds(before, room=room)
        return not excess

    try:
        eventually(is_back)
    except AssertionError:
        raise AssertionError(f"process {daemon.pid} uses more than before: {excess} {on_leak()}") from None


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def _tasks(daemon: DaemonProcess) -> int:
    # See tests/support/entry.py: the process counts its tasks when it is asked.
    times = len(daemon.lines("test.tasks")) + 1
    daemon.send(signal.SIGUSR2)
    return int(daemon.wait_for("test.tasks", times=times)["count"])
