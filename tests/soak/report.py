"""What a soak found, as a table for docs/what-happens-when.md."""

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median

from tests.support.traffic import Ledger


@dataclass(frozen=True, slots=True)
class Soak:
    """How many seconds after each fault nothing was missing any more, by the fault's name."""

    recovered: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[str] = field(default_factory=list)

    def table(self) -> str:
        """Return a Markdown table of the faults."""
        rows = [
            f"| {name} | {len(took)} | {median(took):.2f} | {max(took):.2f} |"
            for name, took in sorted(self.recovered.items())
        ]
        return "\n".join(["| fault | times | median, s | longest, s |", "|---|---|---|---|", *rows])

    def counts(self, ledger: Ledger) -> str:
        """Return what was survived, in one line. What came of it is for the checks to say."""
        faults = sum(len(each) for each in self.recovered.values())
        return (
            f"{faults:,} faults survived, {len(self.failures)} not; {ledger.qualifying_total:,} patterns that qualify,"
            f" {len(ledger.short):,} that do not; {len(ledger.decided):,} decisions; {len(ledger.complaints()):,}"
            " complaints of writers."
        )
