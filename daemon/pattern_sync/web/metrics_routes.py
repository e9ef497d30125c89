"""The metrics, for Prometheus. A scrape costs no statement, and works while the database is away."""

from typing import Annotated

from fastapi import Depends, Header, Response

from pattern_sync.observability.metrics.exposition import Metrics
from pattern_sync.web.access import Guard
from pattern_sync.web.known import KnownOnly


class MetricsRoutes:
    """Serves the metrics to whoever may scrape."""

    def __init__(self, metrics: Metrics, guard: Guard) -> None:
        self._metrics = metrics
        self.router = KnownOnly(tags=["system"])
        # Not in the API's description: its answer is no JSON, and its readers bring a description of their own.
        self.router.get("/metrics", dependencies=[Depends(guard.scraper)], include_in_schema=False)(self.metrics)

    async def metrics(self, accept: Annotated[str, Header()] = "") -> Response:
        """Return all metrics in the format that the scraper accepts."""
        text, content_type = self._metrics.scrape(accept)
        return Response(text, headers={"Content-Type": content_type})
