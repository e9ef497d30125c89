"""Words that the log and the health report share."""

REMEDY = "pattern-sync migrate"
UPGRADE = "install the newer Pattern Sync on this machine, too"


def queue_is_full(usage: float, blocker_pid: int | None) -> str:
    """Return why the notification queue is full, as far as that is known."""
    which = "" if blocker_pid is None else f", most likely process {blocker_pid}"
    return f"The notification queue is {usage:.0%} full: a session listens but does not read{which}"
