"""Evidence in tables."""

from rich.table import Table
from rich.text import Text

from pattern_sync.domain.evidence import Evidence
from pattern_sync.domain.evidence_wording import savings_of, sightings_of


def evidence_table(evidence: Evidence) -> Table:
    """Return what is recorded of a pattern, as a table of two columns."""
    table = Table(title="Evidence", title_justify="left", show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    add_evidence(table, evidence)
    return table


def add_evidence(table: Table, evidence: Evidence) -> None:
    """Add what is recorded of a pattern to a table of two columns, with each flag and its rule."""
    table.add_row("recorded", sightings_of(evidence))
    if evidence.recorded:
        table.add_row("savings by evidence", savings_of(evidence))
    for flag in evidence.flags:
        table.add_row(flag.name, Text(flag.rule))


def flags_cells(evidence: Evidence) -> tuple[str, str]:
    """Return the cells of a list: the savings by evidence, and the names of the flags."""
    shown = evidence.savings_by_evidence
    return "-" if shown is None else f"{shown:,.2f}", ", ".join(flag.name for flag in evidence.flags)
