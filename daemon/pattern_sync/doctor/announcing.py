"""Checks of the way from a writer's statement to a notification."""

from collections.abc import Iterator

from pattern_sync.database.rows import Row
from pattern_sync.database.rows.overview import to_lacking_roles
from pattern_sync.doctor.check import SUPERUSER, Check, Finding, Remedy, fine, problem, unknown, warning
from pattern_sync.doctor.patient import NOT_INSTALLED, RELOAD, URL_VARIABLE, Patient
from pattern_sync.domain.reception import Audience

_MIGRATE = "pattern-sync migrate"
# From half full on, pattern_sync.send() leaves marks instead of notifying.
_CROWDED, _MUTE = 0.1, 0.5
# A reconcile sets it for its own transaction, and notifies the pages afterwards.
_LATER = "pattern_sync.announced_later"
_REPLICA = "session_replication_role"
_QUIET = "pattern_sync.quiet"
_EFFECTS = {
    _LATER: "the review pages are not notified of its changes",
    _REPLICA: "only triggers that are ENABLE ALWAYS, as ours are, fire in its sessions",
    # Of a role or a database it is as documented; of a whole server nobody needs it.
    _QUIET: "every writer leaves marks, which are found seconds later, instead of notifying",
}
_ON = ("on", "true", "yes", "1")
_LATE_SUBSCRIPTIONS = 14


def _triggers(patient: Patient) -> Iterator[Finding]:
    faults = patient.fetch("trigger_faults")
    for row in faults:
        mending = (row["mending"] or "").strip()
        sql = Remedy.sql(patient.on_path(mending), row["owner"])
        remedy = sql if mending else Remedy.command(_MIGRATE, patient.owner())
        yield (warning if row["silenced"] is None else problem)(row["fault"], remedy)
    if not faults:
        yield fine("every table, child and partition has its triggers, and they are enabled")


def _writers(patient: Patient) -> Iterator[Finding]:
    if not patient.installed():
        yield unknown(NOT_INSTALLED)
        return
    owner = patient.owner()
    lacking = to_lacking_roles(patient.fetch("writers_without_rights"))
    for role in lacking:
        of_patterns = role.silenced is Audience.DAEMONS
        unheard = "its patterns are not announced" if of_patterns else "the review pages do not hear of its changes"
        grant = Remedy.sql(patient.on_path(role.remedy), owner)
        yield (problem if of_patterns else warning)(f"{role.fault.fault}: {unheard}", grant)
    if not lacking:
        yield fine("every role that writes may do what the triggers do in its name")


def _bypass(patient: Patient) -> Iterator[Finding]:
    found = [*_stored(patient), *_server_wide(patient), *_subscribed(patient)]
    yield from found or [fine("no setting and no subscription writes past the triggers")]


def _stored(patient: Patient) -> Iterator[Finding]:
    for row in patient.fetch("stored_settings", [_REPLICA, _LATER]):
        if _bypasses(row):
            stored = f"{row['whose']} has {row['name']} = {row['value']}"
            yield warning(f"{stored}: {_EFFECTS[row['name']]}", Remedy.sql(row["remedy"], SUPERUSER))


def _server_wide(patient: Patient) -> Iterator[Finding]:
    for row in patient.fetch("unstored_settings", list(_EFFECTS)):
        if _bypasses(row):
            yield warning(
                f"the server's configuration, or {URL_VARIABLE}, has {row['name']} = {row['value']}:"
                f" {_EFFECTS[row['name']]}",
                *(Remedy.sql(each, SUPERUSER) for each in (row["remedy"], RELOAD)),
                Remedy.advice(f"and if {URL_VARIABLE} has it among its options, remove it there"),
            )


def _bypasses(row: Row) -> bool:
    if row["name"] == _REPLICA:
        return bool(row["value"] == "replica")
    return str(row["value"]).lower() in _ON


def _subscribed(patient: Patient) -> Iterator[Finding]:
    if not patient.fetch("subscribed")[0]["subscribed"]:
        return
    if patient.state.version_number // 10_000 <= _LATE_SUBSCRIPTIONS:
        yield warning(
            "a subscription writes operation_patterns; on PostgreSQL 14, its notifications may arrive late",
            Remedy.advice("upgrade the server to PostgreSQL 15 or newer"),
        )
    else:
        yield fine("a subscription writes operation_patterns; the triggers fire for it, too")


def _queue_usage(patient: Patient) -> Iterator[Finding]:
    usage = float(patient.fetch("notification_queue")[0]["usage"])
    found = f"the notification queue is {usage:.0%} full"
    if usage < _CROWDED:
        yield fine(found)
        return
    suspects = patient.fetch("queue_suspect")
    cause = "a session listens and does not read"
    if suspects:
        cause += f"; most likely {named(suspects[0])}"
    remedies = [ending(row) for row in suspects]
    if usage < _MUTE:
        yield warning(f"{found}: {cause}", *remedies)
    else:
        yield problem(f"{found}, and writers leave marks instead of notifying: {cause}", *remedies)
    if not suspects and (blind := unseen(patient)):
        yield blind


def _transactions(patient: Patient) -> Iterator[Finding]:
    long = patient.fetch("long_transactions", patient.clocks.long_transaction_seconds)
    for row in long:
        yield warning(f"{named(row)} has been in a transaction for {row['seconds'] / 60:,.0f} min", ending(row))
    if not long:
        yield unseen(patient) or fine("no transaction has been open for long")


def unseen(patient: Patient) -> Finding | None:
    """Return that this role does not see what others' sessions do, with what mends it; None if it does."""
    grant = patient.state.grant_to_see_sessions
    if grant is None:
        return None
    return unknown(f"this role, {patient.state.role}, sees its own sessions only", Remedy.sql(grant, SUPERUSER))


def named(row: Row) -> str:
    """Return how people find a session, or a transaction that was prepared and forgotten."""
    if row["prepared"] is not None:
        return f"the prepared transaction {row['prepared']!r} ({row['role']})"
    return f"process {row['pid']} ({row['role']}, {row['application'] or 'without a name'})"


def ending(row: Row) -> Remedy:
    """Return the statement that ends a session or a prepared transaction."""
    return Remedy.sql(row["remedy"], SUPERUSER)


CHECKS = (
    Check(
        "triggers",
        "the triggers on every table, child and partition: there, enabled, unchanged, and the functions behind them",
        "Without them nothing is announced, and patterns wait for the next sweep.",
        _triggers,
    ),
    Check(
        "writers",
        "every role that may write the patterns or the queue: whether it may use what the triggers use in its name",
        "The trigger never fails a writer, so a role without these rights writes in silence.",
        _writers,
    ),
    Check(
        "bypass",
        "settings of roles, of the database and of the server, and subscriptions, that keep triggers from firing or"
        " announcing",
        "What such a session writes is found by the next sweep only.",
        _bypass,
    ),
    Check(
        "notification-queue",
        f"whether the server's notification queue is {_CROWDED:.0%} full (warning) or {_MUTE:.0%} (problem)",
        "A full queue would fail every commit that notifies, so ours stop notifying when it is half full.",
        _queue_usage,
    ),
    Check(
        "transactions",
        "transactions, prepared ones included, that have been open for more than an hour",
        "They hold locks, keep VACUUM from cleaning up, and fill the notification queue where they listen.",
        _transactions,
    ),
)
