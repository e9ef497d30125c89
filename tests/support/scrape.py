"""Scrapes a daemon as Prometheus does."""

import httpx
from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    """One scrape: the values by name and labels."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._values = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        """Return a value of ours; None if there is no such series."""
        return self._values.get((f"pattern_sync_{name}", frozenset(labels.items())))

    def series(self, name: str) -> dict[frozenset[tuple[str, str]], float]:
        """Return every value of one of our metrics by its labels."""
        return {labels: value for (found, labels), value in self._values.items() if found == f"pattern_sync_{name}"}

    def sum_of(self, name: str, **labels: str) -> float:
        """Return the sum of the series that have these labels, among others."""
        return sum(value for found, value in self.series(name).items() if frozenset(labels.items()) <= found)

    def names(self) -> set[str]:
        """Return the names of all series."""
        return {name for name, _ in self._values}


def scrape(url: str) -> Scrape:
    """Return what a daemon's metrics are now."""
    return Scrape(httpx.get(f"{url}/metrics", timeout=30).raise_for_status().text)
