"""Opens a session to each host and runs the checks, each one whatever became of the others."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace

from pattern_sync.database.address import DatabaseAddress, Host
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.doctor.check import Check, Diagnosis, Finding, Result, unknown
from pattern_sync.doctor.patient import NOT_REACHED, Clocks, HostState, Patient, Reached, Unreached, reading
from pattern_sync.domain.errors import DatabaseError, PatternSyncError
from pattern_sync.observability.lines import Line
from pattern_sync.observability.writer import LogWriter


def examine(patient: Patient, checks: Iterable[Check]) -> Diagnosis:
    """Return what the checks find."""
    with ExitStack() as sessions:
        examined = replace(patient, hosts=tuple(_reach(patient, sessions)))
        return Diagnosis(tuple(Result(check, _findings(check, examined)) for check in checks))


def _reach(patient: Patient, sessions: ExitStack) -> Iterator[Reached | Unreached]:
    address = patient.address
    if address is None:
        return
    for host in address.hosts:
        try:
            yield _reached(address, host, patient.clocks, sessions)
        except DatabaseError as fault:
            yield Unreached(host, fault)


def _reached(address: DatabaseAddress, host: Host, clocks: Clocks, sessions: ExitStack) -> Reached:
    database = sessions.enter_context(BlockingDatabase.connect_to(address, host))
    with reading(database):
        asked_at = clocks.now()
        (row,) = database.fetch("host_state")
        answered_at = clocks.now()
    return Reached(host, database, HostState(**row, asked_at=asked_at, answered_at=answered_at))


def _findings(check: Check, patient: Patient) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    try:
        for finding in check.run(patient):
            findings.append(finding)  # noqa: PERF402 - what came before a fault is kept
    except PatternSyncError as fault:
        findings.append(unknown(str(fault)))
    except Exception as fault:  # noqa: BLE001 - a bug of one check takes nothing from the others
        LogWriter()(Line.CHECK_FAILED, check=check.name, exc_info=fault)
        findings.append(unknown(f"the check failed itself ({type(fault).__name__}: {fault}): this is a bug; report it"))
    return tuple(findings) or (unknown(patient.complaint or NOT_REACHED),)
