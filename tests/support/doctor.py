"""The doctor in this process, its findings as `--json` prints them, and its remedies carried out as written."""

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg

from pattern_sync.cli.diagnosis import diagnosis_document
from pattern_sync.config import Settings
from pattern_sync.database.naming import LISTENER, session_name
from pattern_sync.doctor.admission import admitted
from pattern_sync.doctor.check import SUPERUSER
from pattern_sync.doctor.checks import CHECKS, WITH_CANARY
from pattern_sync.doctor.examination import examine
from pattern_sync.doctor.patient import Clocks
from tests.support.command import run_command
from tests.support.database import TestDatabase

QUICK = Clocks(second_look_seconds=0.1)
# Nobody listens on it.
NO_PORT = "1"


class Examined:
    """One document of the doctor, by the names of the checks."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.content: bool = document["content"]
        self._checks = {each["check"]: each for each in document["checks"]}

    def state(self, check: str) -> str:
        return str(self._checks[check]["state"])

    def text(self, check: str) -> str:
        return "\n".join(each["text"] for each in self._checks[check]["findings"])

    def remedies(self, check: str) -> list[dict[str, str]]:
        return [remedy for finding in self._checks[check]["findings"] for remedy in finding["remedies"]]

    def in_state(self, *states: str) -> dict[str, str]:
        """Return the checks in some states with what they found."""
        return {name: self.text(name) for name, each in self._checks.items() if each["state"] in states}


def examined(
    url: str | None,
    settings: Mapping[str, str] | None = None,
    *,
    canary: bool = False,
    clocks: Clocks = QUICK,
) -> Examined:
    """Return what the doctor finds as it connects to a URL."""

    def load() -> Settings:
        return Settings.load(database_url=url)

    given = {"PATTERN_SYNC_HTTP_PORT": NO_PORT, **(settings or {})}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        with admitted(load, clocks) as patient:
            return Examined(diagnosis_document(examine(patient, WITH_CANARY if canary else CHECKS)))
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def carry_out(remedies: list[dict[str, str]], database: TestDatabase) -> None:
    """Do what the remedies say, each as the role that it names."""
    assert remedies, "there is no remedy"
    for remedy in remedies:
        match remedy["means"]:
            case "sql":
                _run(remedy["text"], remedy["role"], database)
            case "command":
                program, *arguments = shlex.split(remedy["text"])
                assert program == "pattern-sync"
                done = run_command(*arguments, PATTERN_SYNC_DATABASE_URL=_url_of(remedy["role"], database))
                assert done.code == 0, done.err
            case means:
                raise AssertionError(f"the test has to do it: {means} {remedy['text']}")


def _run(sql: str, role: str | None, database: TestDatabase) -> None:
    with psycopg.connect(_url_of(role, database), autocommit=True) as session:
        session.execute(sql.encode())


def _url_of(role: str | None, database: TestDatabase) -> str:
    return database.url if role in (None, SUPERUSER) else database.url_as(role)


@contextmanager
def listening_daemon(database: TestDatabase) -> Iterator[None]:
    """Hold a session that looks like a daemon's of this version."""
    with psycopg.connect(database.url, application_name=session_name(LISTENER), autocommit=True):
        yield


def set_as_told(remedies: list[dict[str, str]]) -> dict[str, str]:
    """Return the settings that the remedies name."""
    lines = [line for remedy in remedies if remedy["means"] == "setting" for line in remedy["text"].splitlines()]
    return dict(line.split("=", 1) for line in lines)
