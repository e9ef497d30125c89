"""The endpoints of the advice: rates, the price list, what is nearest to qualifying, and queueing by hand."""

from typing import Annotated

from fastapi import Body, Depends, Query, Request

from pattern_sync.advising import MOST_NEAREST, Advising
from pattern_sync.domain.advice import Advice
from pattern_sync.web.access import Guard
from pattern_sync.web.exception_handlers import EVERYWHERE, REMARK
from pattern_sync.web.identity import Identity
from pattern_sync.web.known import KnownOnly
from pattern_sync.web.parameters import PatternId, Reviewer
from pattern_sync.web.schemas.advice import KindRates, Queued, Wanted
from pattern_sync.web.schemas.review import Reasons


class AdviceRoutes:
    """What past decisions say about the filter. None of these changes it."""

    def __init__(self, advising: Advising, guard: Guard, identity: Identity) -> None:
        self._advising = advising
        self._identity = identity
        self.router = KnownOnly(
            prefix="/api/v1/patterns", tags=["advice"], responses=EVERYWHERE, dependencies=[Depends(guard.reader)]
        )
        self.router.get("/advice")(self.advice)
        self.router.get("/rates")(self.rates)
        self.router.get("/nearest")(self.nearest)
        self.router.post("/{pattern_id:path}/queue", responses=REMARK)(self.queue)

    async def advice(self) -> Advice:
        """List what higher bounds would have shown and lost of the decisions so far: a price list, not a promise."""
        return await self._advising.advice()

    async def rates(
        self,
        id: Annotated[str, Query(description="The pattern's signature.", examples=["sdlc:full:all"])],  # noqa: A002 - the parameter's name
    ) -> KindRates:
        """Count how often patterns of the same kind were approved, beside all patterns."""
        return KindRates.of(await self._advising.rate(id))

    async def nearest(
        self,
        limit: Annotated[
            int, Query(ge=1, le=MOST_NEAREST, description="The largest number of patterns to return.")
        ] = 5,
    ) -> list[Reasons]:
        """List the patterns without an entry that miss the filter in force by least, each with what it misses."""
        return [Reasons.of(explanation) for explanation in await self._advising.nearest(limit)]

    async def queue(
        self,
        request: Request,
        pattern_id: PatternId,
        body: Annotated[Wanted | None, Body()] = None,
        x_reviewer: Reviewer = None,
    ) -> Queued:
        """Put a pattern into the queue although it does not qualify.

        The answer is 409 if it has an entry, was rejected before, or is not eligible.
        """
        said = (body.reviewer if body else None) or x_reviewer
        reviewer = await self._advising.queue(pattern_id, self._identity.of(request) or said)
        return Queued(pattern_id=pattern_id, reviewer=reviewer)
