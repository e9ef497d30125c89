"""Decisions on many entries, their undo, and the record, over HTTP."""

from typing import Annotated

from fastapi import Body, Depends, Path, Query, Request
from pydantic import AwareDatetime, BeforeValidator

from pattern_sync.domain.batches import LARGEST_ID, Batch, LoggedDecision, Progress
from pattern_sync.domain.facts import Emit, RequestFailed, RequestFault
from pattern_sync.review import Decisions
from pattern_sync.web.access import Guard
from pattern_sync.web.exception_handlers import EVERYWHERE, TOGETHER, UNDO, Responses
from pattern_sync.web.identity import Identity
from pattern_sync.web.known import KnownOnly
from pattern_sync.web.middleware.request_ids import request_id_of
from pattern_sync.web.parameters import Reviewer, check_moment
from pattern_sync.web.schemas.decisions import (
    MANY_EXAMPLE,
    DecidedMany,
    DecisionOnMany,
    UndoneBatch,
    UndoRequest,
)
from pattern_sync.web.schemas.texts import STORABLE

MOST_LISTED = 500

BatchId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="The batch's id.", examples=[17])]
By = Annotated[
    str | None,
    Query(max_length=255, description="Only those of this reviewer.", examples=["ann"], json_schema_extra=STORABLE),
]
Since = Annotated[
    AwareDatetime | None,
    BeforeValidator(check_moment),
    Query(description="Only those from this moment on: a time with its zone.", examples=["2026-11-26T00:00:00+01:00"]),
]
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED, description="The largest number to return.")]
Offset = Annotated[int, Query(ge=0, le=LARGEST_ID, description="How many of the newest to leave out.")]
_MANY: Responses = {200: {"content": {"application/json": {"example": MANY_EXAMPLE}}}}


class DecisionRoutes:
    """Many decisions at once, for the review page and for scripts."""

    def __init__(self, decisions: Decisions, guard: Guard, identity: Identity, emit: Emit) -> None:
        self._decisions = decisions
        self._identity = identity
        self._emit = emit
        self.router = KnownOnly(
            prefix="/api/v1/patterns", tags=["decisions"], responses=EVERYWHERE, dependencies=[Depends(guard.reader)]
        )
        self.router.post("/decisions", responses=_MANY | TOGETHER)(self.decide)
        self.router.post("/batches/{batch_id}/undo", responses=UNDO)(self.undo)
        self.router.get("/batches")(self.batches)
        self.router.get("/log")(self.log)
        self.router.get("/progress")(self.progress)

    async def decide(self, request: Request, body: DecisionOnMany, x_reviewer: Reviewer = None) -> DecidedMany:
        """Decide many entries at once: exactly those that are named.

        One transaction decides all that can be decided, and each entry has an outcome. What somebody else has decided,
        or has locked, stays as it is.
        """
        name = self._identity.of(request)
        body = body if name is None else body.model_copy(update={"reviewer": name})
        made = await self._decisions.decide_many(
            body.pattern_ids, body.to_decision(x_reviewer), body.to_seen(), dry_run=body.dry_run
        )
        self._report(request, [item.detail for item in made.outcomes])
        return DecidedMany.of(made)

    async def undo(
        self,
        request: Request,
        batch_id: BatchId,
        body: Annotated[UndoRequest | None, Body()] = None,
        x_reviewer: Reviewer = None,
    ) -> UndoneBatch:
        """Take back the decisions of a batch, for seven days.

        Only what nobody has touched since is undone: the entry gets back what the decision replaced, and so does the
        mark on its pattern. What is left over can be asked for again.
        """
        said = (body.reviewer if body else None) or x_reviewer
        undone = await self._decisions.undo(batch_id, self._identity.of(request) or said)
        self._report(request, [item.detail for item in undone.outcomes])
        return UndoneBatch.of(undone)

    async def batches(self, by: By = None, limit: Limit = 20) -> list[Batch]:
        """List the last batches, newest first. A single decision is a batch of one. They are kept for 30 days."""
        return await self._decisions.batches(by, limit)

    async def log(
        self, by: By = None, since: Since = None, limit: Limit = 50, offset: Offset = 0
    ) -> list[LoggedDecision]:
        """List the last decisions of the record, newest first.

        An answer shorter than `limit` is the last one; those before it are found with a larger `offset`.
        """
        return await self._decisions.log(by, since, limit, offset)

    async def progress(self, by: By = None, since: Since = None) -> Progress:
        """Count the decisions of today, or since a moment, and the entries that wait.

        Today begins at midnight of the database's time zone. What was undone does not count.
        """
        return await self._decisions.progress(by, since)

    def _report(self, request: Request, details: list[str | None]) -> None:
        # Once for a request: the same trigger refuses many.
        words = [detail for detail in dict.fromkeys(details) if detail is not None]
        if words:
            reason, name = "; ".join(words[:3]), request_id_of(request.scope)
            self._emit(RequestFailed(RequestFault.REFUSED, request.method, request.url.path, reason, name))
