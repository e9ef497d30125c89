"""How often the services do what they do: one object, so that a test need not wait for production's patience."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timings:
    """Every period of the daemon, in seconds. Deadlines of single statements are the database room's."""

    # After a fault. The cap is short, as a daemon must have caught up 2 s after its server accepts connections again.
    retry_base_seconds: float = 0.1
    retry_cap_seconds: float = 1.5
    # A LISTEN session proves itself this often, and its round trip that often.
    heartbeat_seconds: float = 3.0
    round_trip_seconds: float = 60.0
    # A pooler does not go away, and polling covers for it. But a link that stalled for a moment looks like one.
    deaf_base_seconds: float = 5.0
    deaf_cap_seconds: float = 300.0
    poll_seconds: float = 3.0
    # The figures of a pending entry may be 5 s old.
    refresh_seconds: float = 4.0
    # A marked row must be found in seconds, a broken trigger within 15.
    watch_seconds: float = 5.0
    # An outage is for the other services to report. That only the watch is blind is worth a line of its own.
    blind_after_seconds: float = 10.0
    # A pattern that somebody has locked is tried again after this long: the owner of the lock must not be pressed.
    held_seconds: float = 1.0
    # A refused pattern is due after 5 s at the earliest. Another daemon's refusals are shown here after `idle`.
    quarantine_seconds: float = 2.0
    quarantine_idle_seconds: float = 30.0
    # A notification of what a catch-up or a sweep has queued arrives within this time, or never.
    settle_seconds: float = 5.0
    # The interval of sweeps while they find patterns that were not notified.
    recovering_seconds: float = 60.0
    # Live updates: how often they look for work, and how often they compare the queue without having been notified.
    live_tick_seconds: float = 0.5
    live_poll_seconds: float = 1.0
    live_safety_net_seconds: float = 30.0
    # What entries are found by is compared with the queue without having been notified.
    traits_seconds: float = 300.0
    # A page that hears nothing for a few of these knows that its connection is dead.
    live_heartbeat_seconds: float = 15.0
    # A burst becomes one message: at most ten a second.
    debounce_seconds: float = 0.1
    http_retry_seconds: float = 3.0
    watchdog_seconds: float = 10.0
    # How often the service manager hears of a start that goes on, and how long an outage may hold the start up.
    start_tick_seconds: float = 1.0
    start_outage_seconds: float = 20.0
    # Whoever asks for a reload waits this long for the database at most.
    reload_seconds: float = 2.0
    supervision_seconds: float = 0.5
    # People are told of what was queued within this time in one message, and of what nobody announced after a minute.
    telling_wait_seconds: float = 30.0
    telling_seconds: float = 60.0
    # Looks for what is to be told are at least so far apart: a busy queue must not make a busy teller.
    telling_pace_seconds: float = 0.5
    # Longer than an attempt can take, so that no other daemon begins one meanwhile.
    telling_lease_seconds: float = 60.0
    # What rules would decide is looked for when something was queued, and what is due after a minute at the latest.
    ruling_seconds: float = 60.0
    ruling_pace_seconds: float = 5.0
    # What is foretold of entries is looked at without a change of the queue, too; and so far apart at least.
    learning_seconds: float = 300.0
    learning_pace_seconds: float = 1.0
    # The log repeats what others can provoke at most this often.
    log_interval_seconds: float = 60.0
