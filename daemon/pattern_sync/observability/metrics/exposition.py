"""What a scrape gets: the metrics of one daemon in the format that the scraper accepts."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector

from pattern_sync.domain.facts import Fact
from pattern_sync.observability.metrics.gauges import Build, Gauges, Sources
from pattern_sync.observability.metrics.instruments import Instruments
from pattern_sync.observability.view import View


class Metrics:
    """The metrics of one daemon, in a registry of its own."""

    def __init__(self) -> None:
        # The library's one switch for the process: the time at which each series was created is a series of its own.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._instruments = Instruments(self.registry)
        ProcessCollector(registry=self.registry)

    def __call__(self, fact: Fact) -> None:
        """Take a fact."""
        self._instruments(fact)

    def watch(self, view: View, build: Build, sources: Sources, now: Callable[[], float]) -> None:
        """Show the state of a daemon as well; its parts are built later than the subscribers of its facts."""
        self.registry.register(Gauges(view, build, sources, now))

    def scrape(self, accept: str) -> tuple[bytes, str]:
        """Return the text and its content type; `accept` is the scraper's header."""
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # the library takes every version for a number
            encode, content_type = choose_encoder("")
        return encode(self.registry), content_type
