"""The endpoints about results: what approved patterns have saved, and the recording of it."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from pattern_sync.accounting import Accounting
from pattern_sync.domain.roi import PatternRoi, Roi
from pattern_sync.domain.roi_table import Grouped, roi_csv
from pattern_sync.web.access import Guard
from pattern_sync.web.exception_handlers import EVERYWHERE, ONE_PATTERN, REMARK, Responses
from pattern_sync.web.identity import Identity
from pattern_sync.web.known import KnownOnly
from pattern_sync.web.middleware.repeats import EXECUTIONS
from pattern_sync.web.parameters import PatternId
from pattern_sync.web.schemas.roi import (
    PATTERN_ROI_EXAMPLE,
    ROI_EXAMPLE,
    ExecutionBody,
    RecordedExecution,
    RecordedSaving,
    SavingBody,
)

MOST_PATTERNS = 10_000
_ALL: Responses = {200: {"content": {"application/json": {"example": ROI_EXAMPLE}}}}
_ONE: Responses = {200: {"content": {"application/json": {"example": PATTERN_ROI_EXAMPLE}}}}
_TABLE: Responses = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "CSV in UTF-8."}}


class RoiRoutes:
    """Results over HTTP, for the review page, the application and scripts."""

    def __init__(self, accounting: Accounting, guard: Guard, identity: Identity) -> None:
        self._accounting = accounting
        self._identity = identity
        self.router = APIRouter()
        readers = [Depends(guard.reader)]
        routes = KnownOnly(prefix="/api/v1", tags=["roi"], responses=EVERYWHERE, dependencies=readers)
        routes.get("/roi", responses=_ALL)(self.results)
        routes.get("/roi.csv", response_class=Response, responses=_TABLE)(self.table)
        routes.get("/roi/{pattern_id:path}", responses=_ONE | ONE_PATTERN)(self.one)
        routes.post("/patterns/{pattern_id:path}/savings", responses=REMARK)(self.record)
        application = KnownOnly(tags=["roi"], responses=EVERYWHERE, dependencies=readers)
        application.post(EXECUTIONS, status_code=201, responses=REMARK)(self.record_execution)
        self.router.include_router(routes)
        self.router.include_router(application)

    async def results(
        self,
        limit: Annotated[
            int,
            Query(
                ge=2,
                le=MOST_PATTERNS,
                description="The largest number of patterns to return. Of more, half are those that saved most, and"
                " half those that saved least.",
            ),
        ] = 500,
    ) -> Roi:
        """Tell what approved patterns have saved, beside what they promised: each, by kind, by week and in total.

        An interval is where the figure lies in nine cases of ten. Figures for a month are there from 5 runs over 14
        days on.
        """
        found = await self._accounting.roi()
        if len(found.patterns) > limit:
            half = limit // 2
            found = replace(found, patterns=(*found.patterns[: limit - half], *found.patterns[-half:]))
        return found

    async def table(
        self, by: Annotated[Grouped, Query(description="Of what a line is.")] = Grouped.PATTERN
    ) -> Response:
        """Tell the same as CSV, for a spreadsheet: all approved patterns, or their kinds."""
        found = await self._accounting.roi()
        attachment = {"Content-Disposition": 'attachment; filename="roi.csv"'}
        return Response(roi_csv(found, by), media_type="text/csv; charset=utf-8", headers=attachment)

    async def one(self, pattern_id: PatternId) -> PatternRoi:
        """Tell the results of one pattern, and what its estimate is worth by those of its kind.

        It may have any status: what a pending pattern is expected to save is in `expected`.
        """
        return await self._accounting.roi_of(pattern_id)

    async def record(self, request: Request, pattern_id: PatternId, body: SavingBody) -> RecordedSaving:
        """Record what one run of an automated pattern has saved.

        The same workflow (and tool call) in the same second counts once, however often it is recorded.
        """
        self._identity.of(request)  # whoever is not named may change nothing
        made = await self._accounting.record(pattern_id, body.to_saving())
        return RecordedSaving.of(made.pattern_id, made.usd, made.workflow_id, made.table)

    async def record_execution(self, request: Request, body: ExecutionBody) -> RecordedExecution:
        """Record one execution of an automated pattern, in the application's own words.

        A pattern that the queue does not have is answered with 404.
        """
        self._identity.of(request)
        execution = body.to_execution()
        execution_id = await self._accounting.record_execution(execution)
        return RecordedExecution(
            message="Execution recorded successfully", execution_id=execution_id, pattern_id=execution.pattern_id
        )
