"""Checks of the way to the database: hosts, encryption, notifications."""

import ipaddress
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager

from pattern_sync.database.address import Host
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.session import ROUND_TRIP_SECONDS
from pattern_sync.doctor.check import SUPERUSER, Check, Finding, Remedy, fine, problem, unknown, warning
from pattern_sync.doctor.patient import RELOAD, URL_VARIABLE, Patient, Reached, Unreached
from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable, StatementFailed

CHANNEL = "pattern_sync_doctor"
_ON = ("on", "true", "yes", "1")
_READ_ONLY = "default_transaction_read_only"


def _hosts(patient: Patient) -> Iterator[Finding]:
    works = any(each.accepts_writes for each in patient.reached)
    # A host that is of no use is a problem only where no other one works.
    wrong = warning if works else problem
    for each in patient.hosts:
        if isinstance(each, Unreached):
            yield wrong(f"{each.host}: {each.fault}", _way_to(each))
        elif each.accepts_writes:
            yield fine(f"{each.host} accepts writes, as {each.state.role}")
        elif not each.state.in_recovery:
            yield wrong(f"{each.host} accepts no writes: default_transaction_read_only is on", *_writable(each))
        elif works:
            yield fine(f"{each.host} is a standby")
        else:
            yield problem(
                f"{each.host} is a standby, and no other host accepts writes",
                Remedy.advice(f"name the primary in {URL_VARIABLE}, too, or promote this server: SELECT pg_promote();"),
            )


def _way_to(each: Unreached) -> Remedy:
    if isinstance(each.fault, AccessRefused):
        return Remedy.advice(f"correct the user, the password, the database or the certificates in {URL_VARIABLE}")
    return Remedy.advice(
        f"start the server at {each.host} or free a connection there, or name another host in {URL_VARIABLE}"
    )


def _writable(each: Reached) -> Iterator[Remedy]:
    database = each.database
    (setting,) = database.fetch("setting_source", _READ_ONLY)
    if setting["source"] == "client":
        yield Remedy.advice(f"remove {_READ_ONLY} from the options of {URL_VARIABLE}, and from PGOPTIONS")
        return
    stored = [row for row in database.fetch("stored_settings", [_READ_ONLY]) if row["ours"] and row["value"] in _ON]
    for row in stored:
        # The one who mends it may have the same setting.
        yield Remedy.sql(f"BEGIN READ WRITE; {row['remedy']} COMMIT;", SUPERUSER)
    if not stored:
        # It also wins over a line in postgresql.conf.
        for statement in (f"ALTER SYSTEM SET {_READ_ONLY} = off;", RELOAD):
            yield Remedy.sql(statement, SUPERUSER)


def _encryption(patient: Patient) -> Iterator[Finding]:
    for each in patient.reached:
        if each.database.encrypted:
            yield fine(f"{each.host}: the connection is encrypted")
        elif is_this_machine(each.host):
            yield fine(f"{each.host} is this machine")
        else:
            yield warning(
                f"{each.host} is reached over the network without encryption",
                Remedy.advice(f"enable ssl on the server, and add sslmode=verify-full to {URL_VARIABLE}"),
            )


def is_this_machine(host: Host) -> bool:
    """Return whether nothing leaves this machine on the way to a host."""
    if host.is_socket:
        return True
    try:
        return ipaddress.ip_address(host.address).is_loopback
    except ValueError:
        return host.address == "localhost"


def _notifications(patient: Patient) -> Iterator[Finding]:
    if patient.state.in_recovery:
        yield unknown("a standby has neither LISTEN nor NOTIFY")
        return
    with _another_session(patient) as listener, _another_session(patient) as sender:
        if listener.in_transactions:  # what it listened to would be another client's
            yield _pooled("the session does not keep our settings")
            return
        listener.listen(CHANNEL)
        kept = listener.fetch("listens", CHANNEL)[0]["listening"]
        payload = secrets.token_hex(8)
        try:
            sender.fetch("ping", CHANNEL, payload)
        except StatementFailed as fault:
            yield unknown(f"nothing can be sent: {fault}")
            return
        if kept and listener.hears(payload, within_seconds=ROUND_TRIP_SECONDS):
            yield fine("a notification of another session arrives")
        else:
            yield _pooled("notifications do not arrive")


def _pooled(found: str) -> Finding:
    return problem(
        f"{found}: a pooler in transaction mode shares the session; the daemon can only poll",
        Remedy.advice(f"point {URL_VARIABLE} at the server's own port, or at a pool in session mode"),
    )


def _another_session(patient: Patient) -> AbstractContextManager[BlockingDatabase]:
    address = patient.address
    if address is None:
        raise DatabaseUnavailable(patient.complaint)
    return BlockingDatabase.connect_to(address, patient.main.host)


CHECKS = (
    Check(
        "hosts",
        "each host of the URL: whether it answers, lets this role in, and accepts writes",
        "The daemon needs one host that accepts writes; the others are for a fail-over.",
        _hosts,
    ),
    Check(
        "encryption",
        "whether a connection to another machine uses TLS",
        "Passwords, patterns and decisions would be readable on the network.",
        _encryption,
    ),
    Check(
        "notifications",
        "LISTEN, whether the next transaction still listens, and a notification from a second session",
        "Behind a pooler in transaction mode, LISTEN succeeds and nothing ever arrives.",
        _notifications,
    ),
)
