"""How changes reach the daemon, and what can keep them from doing so."""

from dataclasses import dataclass
from enum import StrEnum

# From this share on, the triggers do not notify: a full queue would fail the commit of any writer that notifies.
FULL_ENOUGH = 0.5


class Mode(StrEnum):
    """How changes reach the daemon."""

    STARTING = "starting"
    LISTENING = "listening"
    POLLING = "polling"


class Audience(StrEnum):
    """Who misses a change that is not notified."""

    DAEMONS = "patterns"
    PAGES = "pages"


@dataclass(frozen=True, slots=True)
class TriggerFault:
    """Something that keeps changes from being notified; `silenced` is None where nobody misses anything."""

    relation: str | None
    fault: str
    silenced: Audience | None
    mendable: bool


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look at the triggers: their faults, and the payloads that writers could not notify.

    `storage` differs from look to look when rows may have come in unseen, `body` when the trigger was created anew;
    `writers` are the transactions that write. `queue_usage` is a share of 1, `blocker_pid` the server process that most
    likely keeps the notification queue from being emptied.
    """

    faults: tuple[TriggerFault, ...] = ()
    patterns: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    storage: str | None = None
    queue_usage: float = 0.0
    blocker_pid: int | None = None
    body: str | None = None
    writers: frozenset[str] = frozenset()
