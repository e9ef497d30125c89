"""Settings that our sessions depend on, set whatever the role or the database has.

`search_path` and `TimeZone` are left alone: the application's triggers run in our sessions and rely on its values.
"""

from collections.abc import Mapping
from dataclasses import dataclass

OLDEST_SERVER = 14


@dataclass(frozen=True, slots=True)
class SessionSetting:
    """One setting; `since` is the first major version of PostgreSQL that has it."""

    name: str
    value: str
    since: int = OLDEST_SERVER


SETTINGS = (
    SessionSetting("default_transaction_isolation", "read committed"),
    # We set our own deadlines; any other could end the same scan again and again.
    SessionSetting("statement_timeout", "0"),
    SessionSetting("lock_timeout", "0"),
    SessionSetting("idle_in_transaction_session_timeout", "0"),
    SessionSetting("idle_session_timeout", "0"),
    SessionSetting("transaction_timeout", "0", since=17),
    # Hidden rows then raise an error, instead of making a database look empty and healthy.
    SessionSetting("row_security", "off"),
    SessionSetting("DateStyle", "ISO"),
    SessionSetting("IntervalStyle", "postgres"),
    SessionSetting("extra_float_digits", "1"),
    SessionSetting("bytea_output", "hex"),
    SessionSetting("standard_conforming_strings", "on"),
    SessionSetting("plan_cache_mode", "auto"),
    SessionSetting("jit", "off"),
)
AT_STARTUP: Mapping[str, str] = {each.name: each.value for each in SETTINGS if each.since <= OLDEST_SERVER}


def known_to(server_major: int) -> tuple[list[str], list[str]]:
    """Return the names and the values of the settings that a server of this version has."""
    known = [each for each in SETTINGS if each.since <= server_major]
    return [each.name for each in known], [each.value for each in known]


def as_options(given: str) -> str:
    """Return libpq's `options` with ours after the given ones: the last one of a name wins."""
    ours = [f"-c {name}=" + value.replace(" ", "\\ ") for name, value in AT_STARTUP.items()]
    return " ".join([given, *ours]).strip()
