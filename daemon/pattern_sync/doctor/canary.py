"""The canary: a qualifying pattern, inserted and rolled back, to see whether it is announced."""

import json
import secrets
from collections.abc import Iterator

from pattern_sync.database.rows.filters import to_filter_in_force
from pattern_sync.doctor.check import Check, Finding, Remedy, fine, problem, unknown
from pattern_sync.doctor.patient import Patient, set_deadlines
from pattern_sync.domain.errors import DatabaseError
from pattern_sync.domain.filter import SyncFilter

_ANNOUNCED, _LOCKED = "1", "301"


def _canary(patient: Patient) -> Iterator[Finding]:
    in_force = to_filter_in_force(patient.fetch("read_filter"))
    database = patient.database
    try:
        with database.transaction(discarded=True):
            set_deadlines(database)
            database.fetch("insert_canary", json.dumps(_qualifying(in_force)))
            announced = database.fetch("announced")[0]["announced"]
    except DatabaseError as fault:
        yield unknown(f"this role, {patient.state.role}, could not insert a pattern: {fault}")
        return
    if announced == _ANNOUNCED:
        yield fine(f"a qualifying pattern that {patient.state.role} writes is announced")
    elif announced == _LOCKED:
        yield unknown("another session holds a lock on pattern_approvals")
    else:
        yield problem(f"a qualifying pattern that {patient.state.role} writes is not announced", *_remedies(patient))


def _remedies(patient: Patient) -> list[Remedy]:
    grants = [str(row["remedy"]) for row in patient.fetch("writers_without_rights")]
    owner = patient.owner()
    return [Remedy.sql(grant, owner) for grant in grants] or [Remedy.command("pattern-sync migrate", owner)]


def _qualifying(in_force: SyncFilter) -> dict[str, object]:
    return {
        "pattern_signature": f"pattern-sync:canary:{secrets.token_hex(8)}",
        "pattern_type": next(iter(in_force.only_types), "pattern-sync"),
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
