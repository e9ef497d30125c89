"""The canary: a qualifying pattern, inserted and rolled back, to see whether it is announced."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from pattern_sync.database.rows.filters import to_filter_in_force
from pattern_sync.doctor.check import Check, Finding, Remedy, fine, problem, unknown
from pattern_sync.doctor.patient import Patient, set_deadlines
from pattern_sync.domain.errors import DatabaseError, SchemaError
from pattern_sync.domain.filter import SyncFilter

# What the trigger counts where it could not wait for a lock.
_LOCKED = 301
_TYPE = "pattern-sync"
# Where the filter in force cannot be read: what passes any that people would set.
_HIGHEST = SyncFilter(min_confidence=100, min_occurrences=1_000_000, min_savings=10_000_000)


@dataclass(frozen=True, slots=True)
class _Flight:
    """What became of the canary: how often the transaction announced a pattern, and how its row differs; None: lost."""

    announced: int
    changed: tuple[str, ...] | None


def _canary(patient: Patient) -> Iterator[Finding]:
    role = patient.state.role
    in_force = _readable(patient)
    if in_force is None:
        yield unknown(f"this role, {role}, cannot read the filter in force; the canary has the highest figures instead")
    try:
        flight = _flown(patient, json.dumps(_qualifying(in_force or _HIGHEST, _types(patient))))
    except DatabaseError as fault:
        yield unknown(f"this role, {role}, could not insert a pattern: {fault}")
        return
    if flight.announced >= _LOCKED:
        yield unknown("another session holds a lock on pattern_approvals")
    elif flight.announced:  # a trigger of the application may write others beside it
        yield fine(f"a qualifying pattern that {role} writes is announced")
    elif flight.changed is None:
        yield unknown("the application, by a trigger or a rule of its own, did not insert the pattern")
    elif flight.changed:
        yield unknown(f"the application, by a trigger of its own, changed the pattern's {', '.join(flight.changed)}")
    else:
        yield problem(f"a qualifying pattern that {role} writes is not announced", *_remedies(patient))


def _readable(patient: Patient) -> SyncFilter | None:
    try:
        return to_filter_in_force(patient.fetch("read_filter"))
    except (DatabaseError, SchemaError):
        return None


def _types(patient: Patient) -> list[str]:
    try:
        return [row["pattern_type"] for row in patient.fetch("some_types")]
    except (DatabaseError, SchemaError):
        return []


def _flown(patient: Patient, pattern: str) -> _Flight:
    """Insert the pattern, look, and roll back. Raises DatabaseError."""
    database = patient.database
    with database.transaction(discarded=True):
        set_deadlines(database)
        inserted = bool(database.fetch("insert_canary", pattern))
        announced = int(database.fetch("announced")[0]["announced"] or 0)
        if announced or not inserted:
            return _Flight(announced, () if inserted else None)
        try:
            with database.savepoint():
                rows = database.fetch("changed_canary", pattern)
        except DatabaseError:  # a detector need not be able to read
            return _Flight(announced, ())
        return _Flight(announced, tuple(rows[0]["changed"]) if rows else ("pattern_signature",))


def _remedies(patient: Patient) -> list[Remedy]:
    grants = [patient.on_path(str(row["remedy"])) for row in patient.fetch("writers_without_rights")]
    owner = patient.owner()
    return [Remedy.sql(grant, owner) for grant in grants] or [Remedy.command("pattern-sync migrate", owner)]


def _qualifying(in_force: SyncFilter, types: list[str]) -> dict[str, object]:
    # A type that the application has passes its own constraints as well.
    passing = [each for each in types if each not in in_force.exclude_types]
    return {
        "pattern_signature": f"pattern-sync:canary:{secrets.token_hex(8)}",
        "pattern_type": next(iter([*in_force.only_types, *passing]), _TYPE),
        "confidence_score": 100,
        "occurrence_count": max(in_force.min_occurrences or 0, 1),
        "potential_monthly_savings": max(in_force.min_savings or 0, 0) + 1,
    }


CANARY = Check(
    "canary",
    "only with `--canary`: inserts a qualifying pattern, looks whether it was announced, and rolls back",
    "It proves trigger, filter and this role's rights at once. Run it as the detector's role. It leaves nothing but"
    " gaps in sequences; triggers of the application run as for any insert.",
    _canary,
)
