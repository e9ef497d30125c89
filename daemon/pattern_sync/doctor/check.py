"""What a check is, and what it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pattern_sync.doctor.patient import Patient

SUPERUSER = "a superuser"


class State(StrEnum):
    """From best to worst. Only a problem makes the doctor discontent."""

    OK = "ok"
    UNKNOWN = "cannot check"
    WARNING = "warning"
    PROBLEM = "problem"


class Means(StrEnum):
    """How a remedy is applied."""

    SQL = "sql"
    COMMAND = "command"
    SETTING = "setting"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What mends a fault; `role` may run it (None: any role, or nobody has to)."""

    means: Means
    text: str
    role: str | None = None

    @classmethod
    def sql(cls, text: str, role: str | None) -> "Remedy":
        """Return statements that the role runs as they are."""
        return cls(Means.SQL, text, role)

    @classmethod
    def command(cls, text: str, role: str | None = None) -> "Remedy":
        """Return a command for a shell; the role is the one that the database URL names."""
        return cls(Means.COMMAND, text, role)

    @classmethod
    def setting(cls, text: str) -> "Remedy":
        """Return a line for the environment of the daemon, which is then restarted."""
        return cls(Means.SETTING, text)

    @classmethod
    def advice(cls, text: str) -> "Remedy":
        """Return what a person has to do."""
        return cls(Means.ADVICE, text)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check saw."""

    state: State
    text: str
    remedies: tuple[Remedy, ...] = ()


def fine(text: str) -> Finding:
    """Return what is as it should be."""
    return Finding(State.OK, text)


def unknown(reason: str, *remedies: Remedy) -> Finding:
    """Return what could not be seen, and why."""
    return Finding(State.UNKNOWN, reason, remedies)


def warning(text: str, *remedies: Remedy) -> Finding:
    """Return what works, and would work better otherwise."""
    return Finding(State.WARNING, text, remedies)


def problem(text: str, *remedies: Remedy) -> Finding:
    """Return what keeps patterns from being queued, or will."""
    return Finding(State.PROBLEM, text, remedies)


@dataclass(frozen=True, slots=True)
class Check:
    """One question to an installation.

    `name` is stable, for programs. `looks_at` and `why` are for people. `run` yields nothing, or raises
    PatternSyncError, where it could not look.
    """

    name: str
    looks_at: str
    why: str
    run: Callable[["Patient"], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Result:
    """A check with its findings, of which there is at least one."""

    check: Check
    findings: tuple[Finding, ...]

    @property
    def state(self) -> State:
        """Return the worst state of the findings."""
        return max((finding.state for finding in self.findings), key=list(State).index)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All results, in the order of the checks."""

    results: tuple[Result, ...]

    @property
    def content(self) -> bool:
        """Return whether nothing is wrong."""
        return all(result.state is not State.PROBLEM for result in self.results)

    def count(self, state: State) -> int:
        """Return how many checks ended in a state."""
        return sum(result.state is state for result in self.results)
