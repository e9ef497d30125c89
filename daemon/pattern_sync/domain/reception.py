"""How changes reach the daemon, and what can prevent it."""

from dataclasses import dataclass
from enum import StrEnum

# From this share on, the triggers do not notify: a full queue would fail the commit of any writer that notifies.
FULL_ENOUGH = 0.5
# A hundred roles may lack the same right; whoever mends the first knows how to mend the others.
SHOWN_FAULTS = 5


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
    """A fault that keeps the database from notifying; `silenced` is None if nobody misses a change.

    `grants` is the SQL that helps where a role lacks a right; what helps otherwise is a migration.
    """

    relation: str | None
    fault: str
    silenced: Audience | None
    mendable: bool
    grants: str | None = None


@dataclass(frozen=True, slots=True)
class LackingRole:
    """A role that writes, or whose rights a trigger uses, without the rights for it; `remedy` is SQL."""

    role: str
    part: str
    silenced: Audience
    lacks: str
    remedy: str

    @property
    def fault(self) -> TriggerFault:
        """Return what the daemon makes of it. Only a person grants what a person may have revoked."""
        fault = f"the role {self.role} {self.part} and lacks {self.lacks}"
        return TriggerFault(None, fault, self.silenced, mendable=False, grants=self.remedy)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One check of the triggers: their faults, and the payloads that writers could not send.

    `storage` changes when rows may have arrived without a notification, `body` when the trigger was created again.
    `writers` are the transactions in progress. `queue_usage` is a share of 1, `blocker_pid` the server process that
    most likely keeps the notification queue from draining.
    """

    faults: tuple[TriggerFault, ...] = ()
    patterns: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    storage: str | None = None
    queue_usage: float = 0.0
    blocker_pid: int | None = None
    body: str | None = None
    writers: frozenset[str] = frozenset()
