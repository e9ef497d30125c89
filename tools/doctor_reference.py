"""The table of the doctor's checks, from the checks themselves."""

from pattern_sync.doctor.checks import WITH_CANARY
from tools.markdown import table


def check_table() -> str:
    """Return every check with what it looks at and why that matters."""
    rows = [(f"`{check.name}`", check.looks_at, check.why) for check in WITH_CANARY]
    return table(("check", "looks at", "why"), rows)
