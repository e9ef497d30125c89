"""Checks of the daemons: that some listen, that they agree, and how the one on this machine is."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from pattern_sync.config import Settings
from pattern_sync.database.naming import release
from pattern_sync.database.rows.filters import to_filter
from pattern_sync.database.rows.overview import to_publication
from pattern_sync.doctor.check import Check, Finding, Remedy, fine, problem, unknown, warning
from pattern_sync.doctor.patient import Patient
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.sync.in_force import FilterInForce

_HEALTH_SECONDS = 3.0
_MOST_BYTES = 65_536
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - nothing is bound here


def _daemons(patient: Patient) -> Iterator[Finding]:
    if patient.state.in_recovery:
        yield unknown("daemons listen on the primary; this is a standby")
        return
    rows = patient.fetch("connected_daemons")
    if not rows:
        yield problem("no daemon listens: none runs, or it can only poll", Remedy.command("pattern-sync run"))
        return
    others = [row for row in rows if row["version"] != release()]
    for row in others:
        yield warning(
            f"the daemon with the server process {row['pid']} ({row['host']}) is version {row['version'] or 'unknown'};"
            f" this is {release()}",
            Remedy.advice(f"install version {release()} on that machine, and restart its daemon"),
        )
    if not others:
        yield fine(f"{len(rows)} listening, of version {release()}")


def _health(patient: Patient) -> Iterator[Finding]:
    if patient.settings is None:
        yield unknown(patient.complaint)
        return
    url = health_url(patient.settings)
    report = _report(url)
    if report is None:
        yield unknown(f"no daemon answers at {url}")
        return
    reasons = " ".join(map(str, report.get("reasons", ())))
    match report.get("status"):
        case "ok":
            yield fine(f"{url}: ok, {report.get('listener')}, version {report.get('version')}")
        case "degraded":
            yield warning(
                f"{url}: degraded. {reasons}", Remedy.advice("do what the reasons name; see the daemon's log")
            )
        case "unavailable":
            yield problem(f"{url}: unavailable. {reasons}", Remedy.advice("see the daemon's log"))
        case _:
            yield unknown(f"what answers at {url} is not Pattern Sync")


def health_url(settings: Settings) -> str:
    """Return where the daemon with these settings reports its health."""
    host = _EVERYWHERE.get(settings.http_host, settings.http_host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.http_port}/api/v1/system/health"


def _report(url: str) -> Mapping[str, Any] | None:
    try:
        body = _body(url)
    except (OSError, HTTPException):
        return None
    try:
        report = json.loads(body)
    except ValueError:
        return {}
    return report if isinstance(report, dict) else {}


def _body(url: str) -> bytes:
    """Return what answers, whatever its status, as a refusal has the report, too. Raises OSError and HTTPException."""
    place = urlsplit(url)
    with closing(HTTPConnection(place.hostname or "", place.port, timeout=_HEALTH_SECONDS)) as connection:
        connection.connect()
        # What sends a byte now and then never meets the deadline of a read.
        end = threading.Timer(_HEALTH_SECONDS, _end, [connection.sock])
        end.start()
        try:
            connection.request("GET", place.path)
            return connection.getresponse().read(_MOST_BYTES)
        finally:
            end.cancel()


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # it has ended by itself
        connection.shutdown(socket.SHUT_RDWR)


def _filter(patient: Patient) -> Iterator[Finding]:
    rows = patient.fetch("read_filter")
    if not rows:
        yield problem(
            "the filter in force is lost: pattern_sync.settings has no row",
            Remedy.command("pattern-sync migrate", patient.owner()),
        )
        return
    in_force = to_filter(rows[0])
    if patient.settings is None:
        yield unknown(f"in force: {in_force}; {patient.complaint}")
    elif not FilterInForce(ours := patient.settings.sync_filter()).is_foreign(in_force):
        yield fine(f"in force, as in the settings: {in_force}")
    else:
        publication = to_publication(patient.fetch("publication"))
        whose = f", published by {publication.published_by}" if publication and publication.published_by else ""
        yield warning(
            f"in force: {in_force}{whose}. The settings here: {ours}",
            Remedy.setting(_as_settings(in_force)),
            Remedy.advice("or restart a daemon that has the settings of here, to put them in force"),
        )


def _as_settings(in_force: SyncFilter) -> str:
    criteria = {
        "MIN_CONFIDENCE": in_force.min_confidence,
        "MIN_OCCURRENCES": in_force.min_occurrences,
        "MIN_SAVINGS": in_force.min_savings,
        "ONLY_TYPES": ",".join(in_force.only_types),
        "EXCLUDE_TYPES": ",".join(in_force.exclude_types),
        "MAX_AGE_DAYS": in_force.max_age_days,
        "MIN_WORKFLOWS": in_force.min_workflows,
    }
    return "\n".join(f"PATTERN_SYNC_{name}={value}" for name, value in criteria.items() if value not in (None, ""))


CHECKS = (
    Check(
        "daemons",
        "the daemons that listen, and their versions",
        "Without one, nothing is queued. Two versions side by side are for an upgrade only.",
        _daemons,
    ),
    Check(
        "health",
        "the health report of the daemon at this machine's address and port",
        "It knows what the database does not show: whether it listens or polls, and what it waits for.",
        _health,
    ),
    Check(
        "filter",
        "the filter in force against this machine's settings",
        "The last daemon that starts puts its own filter in force, for the triggers and for all others.",
        _filter,
    ),
)
