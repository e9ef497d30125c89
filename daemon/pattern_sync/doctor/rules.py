"""The check of the rules that decide for people: whether one is paused, or forbidden."""

from collections.abc import Iterator

from pattern_sync.doctor.check import Check, Finding, Remedy, fine, unknown, warning
from pattern_sync.doctor.patient import Patient
from pattern_sync.domain.rules import RuleState

_AT_WORK = (RuleState.WATCHING, RuleState.ON)


def _rules(patient: Patient) -> Iterator[Finding]:
    if patient.settings is None:
        yield unknown(patient.complaint)
        return
    rows = patient.fetch("rules", None)
    found = [row for row in rows if row["state"] == RuleState.PAUSED]
    for row in found:
        yield warning(
            f"rule {row['name']} is paused: {row['paused_because']}",
            Remedy.command(f"pattern-sync rules show {row['name']}"),
        )
    at_work = [row["name"] for row in rows if row["state"] in _AT_WORK]
    if not patient.settings.rules and at_work:
        yield warning(
            f"PATTERN_SYNC_RULES is off, and {', '.join(at_work)} would be at work: a daemon with other settings has it"
            " decide",
            *(Remedy.command(f"pattern-sync rules off {name}") for name in at_work),
        )
    elif not found:
        yield fine(f"{len(at_work)} at work, and none is paused" if rows else "there is none: people decide")


CHECKS = (
    Check(
        "rules",
        "whether a rule that decides for people has paused itself, or is forbidden",
        "People decide alone what a rule was to decide.",
        _rules,
    ),
)
