"""The endpoint to which agents report their calls."""

from fastapi import Depends, Response

from pattern_sync.detecting import Reporting
from pattern_sync.web.access import Guard
from pattern_sync.web.exception_handlers import EVERYWHERE
from pattern_sync.web.known import KnownOnly
from pattern_sync.web.schemas.events import HookBody


class EventRoutes:
    """The hook of coding agents, for the reference detector."""

    def __init__(self, reporting: Reporting, guard: Guard) -> None:
        self._reporting = reporting
        self.router = KnownOnly(
            prefix="/api/v1/events", tags=["events"], responses=EVERYWHERE, dependencies=[Depends(guard.reader)]
        )
        self.router.post("/claude-code", status_code=204, response_class=Response)(self.claude_code)

    async def claude_code(self, body: HookBody) -> None:
        """Take the body of an HTTP hook of Claude Code: a call begins, has ended, or has failed.

        The tool and what it acts on are kept in words of a fixed vocabulary, never what it was given or answered. What
        was reported before changes nothing. `pattern-sync detect` finds routines in what is reported.
        """
        await self._reporting.report(body.model_dump())
