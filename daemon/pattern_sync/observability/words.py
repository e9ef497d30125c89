"""Words that the log and the health report share."""

from collections.abc import Sequence

from pattern_sync.domain.reception import SHOWN_FAULTS, TriggerFault

REMEDY = "pattern-sync migrate"


def shown_faults(faults: Sequence[TriggerFault]) -> list[str]:
    """Return the first faults in words, and how many more there are."""
    left_out = len(faults) - SHOWN_FAULTS
    return [*(fault.fault for fault in faults[:SHOWN_FAULTS]), *([f"and {left_out:,} more"] if left_out > 0 else [])]


def remedies(faults: Sequence[TriggerFault]) -> list[str]:
    """Return what helps against the faults that are shown, each remedy once."""
    return list(dict.fromkeys(fault.grants or REMEDY for fault in faults[:SHOWN_FAULTS]))


def queue_is_full(usage: float, blocker_pid: int | None) -> str:
    """Return why the notification queue is full, as far as that is known."""
    which = "" if blocker_pid is None else f", most likely process {blocker_pid}"
    return f"The notification queue is {usage:.0%} full: a session listens but does not read{which}"
