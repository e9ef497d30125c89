"""Checks of the server itself: its version, its clock, and the connections that it has left."""

from collections.abc import Iterator

from pattern_sync.database.pool import MOST_CONNECTIONS
from pattern_sync.database.session_settings import OLDEST_SERVER
from pattern_sync.doctor.check import SUPERUSER, Check, Finding, Remedy, fine, problem, warning
from pattern_sync.doctor.patient import Patient

_NEWEST_SERVER = 18
# The first minor versions in which VACUUM keeps what LISTEN still has to read; before, LISTEN may fail with 58P01.
_SOUND_MINORS = {14: 21, 15: 16, 16: 12, 17: 8, 18: 2}
_MOST_SKEW_SECONDS = 2.0
# A daemon at rest: the LISTEN session and two of the pool.
_LEAST_CONNECTIONS = 3


def _versions(patient: Patient) -> Iterator[Finding]:
    for each in patient.reached:
        major, minor = divmod(each.state.version_number, 10_000)
        named = f"{each.host} is PostgreSQL {each.state.server_version}"
        sound = _SOUND_MINORS.get(major, 0)
        if major < OLDEST_SERVER:
            yield problem(
                f"{named}, older than {OLDEST_SERVER}",
                Remedy.advice(f"upgrade the server to PostgreSQL {OLDEST_SERVER} or newer"),
            )
        elif major > _NEWEST_SERVER:
            yield warning(
                f"{named}, newer than {_NEWEST_SERVER}, the newest that this version was tried with",
                Remedy.advice("look for a newer version of Pattern Sync"),
            )
        elif minor < sound:
            yield warning(
                f"{named}: before {major}.{sound}, VACUUM may remove what LISTEN still has to read; it then fails with"
                " `could not access status of transaction` until the server restarts",
                Remedy.advice(f"update the server to {major}.{sound} or newer"),
            )
        else:
            yield fine(named)


def _clock(patient: Patient) -> Iterator[Finding]:
    for each in patient.reached:
        skew = each.state.skew_seconds
        if skew > _MOST_SKEW_SECONDS:
            yield warning(
                f"the clocks of {each.host} and of this machine differ by {skew:,.1f} s",
                Remedy.advice("synchronize both clocks, for example with chrony or systemd-timesyncd"),
            )
        else:
            yield fine(f"{each.host}: the clocks agree")


def _connections(patient: Patient) -> Iterator[Finding]:
    needed = MOST_CONNECTIONS + 1
    for row in patient.fetch("connection_limits"):
        found = f"{row['scope']}: {row['used']} of {row['most']} connections are used"
        if row["left_over"] >= needed:
            yield fine(found)
            continue
        restart = Remedy.advice("raise max_connections and restart the server, or end sessions")
        yield (problem if row["left_over"] < _LEAST_CONNECTIONS else warning)(
            f"{found}; a daemon uses {_LEAST_CONNECTIONS}, and up to {needed} at its busiest",
            Remedy.sql(row["remedy"], SUPERUSER) if row["remedy"] else restart,
        )


CHECKS = (
    Check(
        "server-version",
        f"PostgreSQL {OLDEST_SERVER} to {_NEWEST_SERVER}, with the minor version in which LISTEN survives VACUUM",
        "Other versions were not tried. Before that minor version, a listener may fail until the server restarts.",
        _versions,
    ),
    Check(
        "clock",
        f"whether the clocks of the server and of this machine differ by more than {_MOST_SKEW_SECONDS:g} seconds",
        "Times in the log, on the page and in the metrics would contradict each other.",
        _clock,
    ),
    Check(
        "connections",
        "the limits of the server, the database and the role, and how many connections they leave",
        "A daemon that gets no connection waits, and so does every page.",
        _connections,
    ),
)
