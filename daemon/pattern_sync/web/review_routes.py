"""The review endpoints: read the queue, decide and comment."""

from dataclasses import replace
from typing import Annotated

from fastapi import Body, Depends, Request, Response

from pattern_sync.domain.entry import HistoryItem, QueueCounts, QueueEntry
from pattern_sync.review import Review
from pattern_sync.web.access import Guard
from pattern_sync.web.exception_handlers import DECISION, EVERYWHERE, ONE_PATTERN, REMARK, Responses
from pattern_sync.web.identity import Identity
from pattern_sync.web.known import KnownOnly
from pattern_sync.web.middleware.repeats import BATCH
from pattern_sync.web.parameters import PatternId, Reviewer
from pattern_sync.web.schemas.review import ENTRY_EXAMPLE, Approval, Comment, DecisionBody, Noted, Reasons, Rejection

_ONE: Responses = {200: {"content": {"application/json": {"example": ENTRY_EXAMPLE}}}}
_DECIDED: Responses = {
    200: {
        **_ONE[200],
        "headers": {
            BATCH: {
                "description": "The batch by which this decision can be undone.",
                "schema": {"type": "string"},
            }
        },
    }
}


class ReviewRoutes:
    """The review over HTTP, for the review page, the application's panel and scripts."""

    def __init__(self, review: Review, guard: Guard, identity: Identity) -> None:
        self._review = review
        self._identity = identity
        self.router = KnownOnly(
            prefix="/api/v1/patterns", tags=["review"], responses=EVERYWHERE, dependencies=[Depends(guard.reader)]
        )
        one = "/{pattern_id:path}"
        # The order matters: the last route matches every id.
        self.router.get("/statistics")(self.statistics)
        self.router.get(f"{one}/history", responses=ONE_PATTERN)(self.history)
        self.router.get(f"{one}/explain", responses=ONE_PATTERN)(self.explain)
        self.router.post(f"{one}/approve", responses=_DECIDED | DECISION)(self.approve)
        self.router.post(f"{one}/reject", responses=_DECIDED | DECISION)(self.reject)
        self.router.post(f"{one}/comment", responses=REMARK)(self.comment)
        self.router.get(one, responses=_ONE | ONE_PATTERN)(self.entry)

    async def statistics(self) -> QueueCounts:
        """Count the queue's entries by status."""
        return await self._review.counts()

    async def history(self, pattern_id: PatternId) -> list[HistoryItem]:
        """List the decisions and comments on one pattern, oldest first."""
        return await self._review.history(pattern_id)

    async def explain(self, pattern_id: PatternId) -> Reasons:
        """Explain why a pattern is in the queue, or which criteria it misses and by how much."""
        return Reasons.of(await self._review.explain(pattern_id))

    async def approve(
        self,
        request: Request,
        response: Response,
        pattern_id: PatternId,
        body: Annotated[Approval | None, Body()] = None,
        x_reviewer: Reviewer = None,
    ) -> QueueEntry:
        """Approve a pattern, and return its entry.

        The first decision wins: if the entry no longer has the status that this one replaces, the answer is 409 with
        the entry as it is now. The same decision sent again is no conflict.
        """
        return await self._decide(request, response, pattern_id, body or Approval(), x_reviewer)

    async def reject(
        self,
        request: Request,
        response: Response,
        pattern_id: PatternId,
        body: Rejection,
        x_reviewer: Reviewer = None,
    ) -> QueueEntry:
        """Reject a pattern, and return its entry.

        The first decision wins: if the entry no longer has the status that this one replaces, the answer is 409 with
        the entry as it is now. The same decision sent again is no conflict.
        """
        return await self._decide(request, response, pattern_id, body, x_reviewer)

    async def comment(
        self, request: Request, pattern_id: PatternId, body: Comment, x_reviewer: Reviewer = None
    ) -> Noted:
        """Record a comment on a pattern, whatever the status of its entry."""
        said = body.reviewer or x_reviewer
        reviewer = await self._review.comment(pattern_id, body.comment, self._identity.of(request) or said)
        return Noted(status="success", message="The comment was recorded.", pattern_id=pattern_id, reviewer=reviewer)

    async def entry(self, pattern_id: PatternId) -> QueueEntry:
        """Return one entry of the queue."""
        return await self._review.entry(pattern_id)

    async def _decide(
        self, request: Request, response: Response, pattern_id: str, body: DecisionBody, header: str | None
    ) -> QueueEntry:
        decision = body.to_decision(header)
        name = self._identity.of(request) or decision.reviewer
        decided = await self._review.decide_noting(
            pattern_id, replace(decision, reviewer=name), body.to_seen(pattern_id)
        )
        if decided.batch_id is not None:
            response.headers[BATCH] = str(decided.batch_id)
        return decided.entry
