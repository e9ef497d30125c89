"""What a soak found, as a table for docs/faults.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from tests.support.traffic import Ledger


@dataclass(frozen=True, slots=True)
class Soak:
    """How many seconds after each fault nothing was missing any more, by the fault's name."""

    recovered: Mapping[str, list[float]]

    def table(self, ledger: Ledger) -> str:
        """Return a Markdown table of the faults, and the counts in a line below."""
        faults = sum(len(each) for each in self.recovered.values())
        rows = [
            f"| {name} | {len(took)} | {median(took):.2f} | {max(took):.2f} |"
            for name, took in sorted(self.recovered.items())
        ]
        head = ["| fault | times | median, s | longest, s |", "|---|---|---|---|"]
        counts = (
            f"{faults:,} faults; {ledger.qualifying_total:,} patterns that qualify, all queued, each once;"
            f" {len(ledger.short):,} that do not, none queued; {len(ledger.decided):,} decisions, none undone."
        )
        return "\n".join([*head, *rows, "", counts])
