"""Putting entries off, over HTTP."""

from dataclasses import replace

from fastapi import Depends, Request

from pattern_sync.domain.entry import QueueEntry
from pattern_sync.review import Snoozing
from pattern_sync.web.access import Guard
from pattern_sync.web.exception_handlers import DECISION, EVERYWHERE, REMARK, Responses
from pattern_sync.web.identity import Identity
from pattern_sync.web.known import KnownOnly
from pattern_sync.web.parameters import PatternId, Reviewer
from pattern_sync.web.schemas.review import ENTRY_EXAMPLE
from pattern_sync.web.schemas.snoozing import SnoozeRequest

_ONE: Responses = {200: {"content": {"application/json": {"example": ENTRY_EXAMPLE}}}}


class SnoozeRoutes:
    """The way out of a hard case, for the review page and for scripts."""

    def __init__(self, snoozing: Snoozing, guard: Guard, identity: Identity) -> None:
        self._snoozing = snoozing
        self._identity = identity
        self.router = KnownOnly(
            prefix="/api/v1/patterns", tags=["decisions"], responses=EVERYWHERE, dependencies=[Depends(guard.reader)]
        )
        one = "/{pattern_id:path}"
        self.router.post(f"{one}/snooze", responses=_ONE | DECISION)(self.snooze)
        self.router.post(f"{one}/wake", responses=_ONE | REMARK)(self.wake)

    async def snooze(
        self, request: Request, pattern_id: PatternId, body: SnoozeRequest, x_reviewer: Reviewer = None
    ) -> QueueEntry:
        """Put a pending entry off, until a time or until its savings have doubled, whichever comes first.

        It stays pending: neighbours see it, and anybody may decide it, which ends the snooze. Lists with
        `snoozed=hide` leave it out.
        """
        wish = body.to_wish(x_reviewer)
        name = self._identity.of(request) or wish.reviewer
        return await self._snoozing.snooze(pattern_id, replace(wish, reviewer=name))

    async def wake(self, request: Request, pattern_id: PatternId) -> QueueEntry:
        """End the snooze of an entry, if there is one."""
        self._identity.of(request)  # whoever is not named may change nothing
        return await self._snoozing.wake(pattern_id)
