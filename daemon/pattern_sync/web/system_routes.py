"""Probes, and a health report for people. None of them queries the database."""

from collections.abc import Callable

from fastapi import Response

from pattern_sync.observability.health import Condition, Health, HealthReporter
from pattern_sync.web.exception_handlers import Responses
from pattern_sync.web.known import KnownOnly
from pattern_sync.web.schemas.system import Readiness

_NOT_FINE: Responses = {503: {"model": Health, "description": "Something is wrong; `reasons` says what."}}
_NOT_READY: Responses = {503: {"model": Readiness, "description": "Patterns are not being queued; `reasons` says why."}}
_HANGING: Responses = {503: {"model": Readiness, "description": "The services in `reasons` hang; restart the daemon."}}


class SystemRoutes:
    """Health, readiness and liveness; no token is needed."""

    def __init__(self, health: HealthReporter, hanging: Callable[[], list[str]]) -> None:
        self._health = health
        self._hanging = hanging
        self.router = KnownOnly(tags=["system"])
        self.router.get("/api/v1/system/health", responses=_NOT_FINE)(self.health)
        self.router.get("/readyz", responses=_NOT_READY)(self.ready)
        self.router.get("/livez", responses=_HANGING)(self.live)

    async def health(self, response: Response) -> Health:
        """Report the state of every part. The status is 200 only if all is well; degraded is 503, too."""
        report = self._health.report()
        response.status_code = 200 if report.status is Condition.OK else 503
        return report

    async def ready(self, response: Response) -> Readiness:
        """Report readiness: whether patterns are being queued. Degraded still counts as ready, with the reasons."""
        report = self._health.report()
        response.status_code = 503 if report.status is Condition.UNAVAILABLE else 200
        return Readiness(status=report.status, reasons=list(report.reasons))

    async def live(self, response: Response) -> Readiness:
        """Report liveness: whether every service makes progress. A lost database does not count against it."""
        hanging = self._hanging()
        response.status_code = 503 if hanging else 200
        return Readiness(status=Condition.UNAVAILABLE if hanging else Condition.OK, reasons=hanging)
