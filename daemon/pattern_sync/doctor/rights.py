"""The check of this role's own rights."""

from collections.abc import Iterator

from pattern_sync.doctor.check import SUPERUSER, Check, Finding, Remedy, fine, problem, unknown
from pattern_sync.doctor.patient import NOT_INSTALLED, Patient

_SUPERUSERS = "ALTER ROLE "


def _rights(patient: Patient) -> Iterator[Finding]:
    if not patient.installed():
        yield unknown(NOT_INSTALLED)
        return
    role = patient.state.role
    lacking = [str(row["remedy"]) for row in patient.fetch("missing_rights")]
    if not lacking:
        yield fine(f"this role, {role}, may do all that a daemon does")
        return
    part = patient.fetch("roles_part")[0]
    if part["detects"] and not part["works"]:
        yield unknown(f"this role, {role}, writes patterns and is not a daemon's; run the doctor with the daemon's URL")
        return
    owner = patient.owner()
    yield problem(
        f"this role, {role}, lacks {len(lacking)} of the rights that a daemon needs",
        *(Remedy.sql(patient.on_path(each), SUPERUSER if each.startswith(_SUPERUSERS) else owner) for each in lacking),
    )


CHECKS = (
    Check(
        "rights",
        "the rights of the role in the URL against all that a daemon needs",
        "A daemon that lacks one does not start, or cannot queue.",
        _rights,
    ),
)
