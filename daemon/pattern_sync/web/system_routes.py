"""Probes for machines, and the state of every part for people; none of it asks the database."""

from collections.abc import Callable

from fastapi import APIRouter, Response

from pattern_sync.observability.health import Condition, Health, HealthReporter
from pattern_sync.web.exception_handlers import Responses
from pattern_sync.web.schemas import Readiness

_NOT_FINE: Responses = {503: {"model": Health, "description": "Something is wrong, and the reasons"}}
_NOT_READY: Responses = {503: {"model": Readiness, "description": "Not ready, and why"}}
_HANGING: Responses = {503: {"model": Readiness, "description": "A service hangs: restart"}}


class SystemRoutes:
    """Health, readiness and liveness; open to probes that hold no token."""

    def __init__(self, health: HealthReporter, hanging: Callable[[], list[str]]) -> None:
        self._health = health
        self._hanging = hanging
        self.router = APIRouter(tags=["system"])
        self.router.get("/api/v1/system/health", responses=_NOT_FINE)(self.health)
        self.router.get("/readyz", responses=_NOT_READY)(self.ready)
        self.router.get("/livez", responses=_HANGING)(self.live)

    async def health(self, response: Response) -> Health:
        """Show every part; 503 with the reasons unless all is well."""
        report = self._health.report()
        response.status_code = 200 if report.status is Condition.OK else 503
        return report

    async def ready(self, response: Response) -> Readiness:
        """Say whether patterns are being queued; degraded is still ready, with the reasons."""
        report = self._health.report()
        response.status_code = 503 if report.status is Condition.UNAVAILABLE else 200
        return Readiness(status=report.status, reasons=list(report.reasons))

    async def live(self, response: Response) -> Readiness:
        """Say whether the process gets anywhere; the state of the database does not matter."""
        hanging = self._hanging()
        response.status_code = 503 if hanging else 200
        return Readiness(status=Condition.UNAVAILABLE if hanging else Condition.OK, reasons=hanging)
