"""The endpoints that list the queue: filtered, searched, sorted, page by page."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from pattern_sync.domain.entry import Place, QueueEntry, Status
from pattern_sync.domain.errors import InvalidInput
from pattern_sync.domain.groups import EntryGroup, Selection, SimilarEntry
from pattern_sync.domain.listing import MOST_SKIPPED, Group, Grouping, Listing, Order, Snoozed, Sort
from pattern_sync.domain.query import LONGEST_QUERY, parse_query
from pattern_sync.domain.table import csv_head, csv_rows
from pattern_sync.domain.text import is_storable
from pattern_sync.review import Finding, Review
from pattern_sync.web.access import Guard
from pattern_sync.web.exception_handlers import EVERYWHERE, ONE_PATTERN, UNLEARNED, Responses
from pattern_sync.web.known import KnownOnly
from pattern_sync.web.parameters import PatternId, check_moment
from pattern_sync.web.schemas.review import ENTRY_EXAMPLE

MOST_ENTRIES = 500
TOTAL_COUNT = "Total-Count"


def _decode_cursor(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    try:
        rank, signature = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        place = Place(float(rank), str(signature))
    except (ValueError, TypeError, OverflowError, RecursionError):
        place = None
    if place is None or not is_storable(place.signature):
        raise InvalidInput("cursor is invalid; follow the Link header of the previous page instead of building one")
    return place


def _encode_cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps([place.rank, place.signature]).encode()).decode()


def _check_cursor(cursor: str | None) -> str | None:
    _decode_cursor(cursor)
    return cursor


def _check_query(query: str) -> str:
    parse_query(query)
    return query


def _check_sort(sort: str) -> str:
    Order.parse(sort)
    return sort


EntryStatus = Annotated[Status, Query(description="The status of the entries to list.")]
Limit = Annotated[int, Query(ge=1, le=MOST_ENTRIES, description="The largest number of entries to return.")]


def _narrowed(
    q: Annotated[
        str,
        Query(
            description="What to look for: words, and terms such as `type:test`, `kind:sdlc:full`, `target:all`,"
            " `shape:Read→Edit`, `by:ann`, `flag:counted-twice`, `likely:reject`, `savings:>5000`,"
            " `evidence:>=1k`, `conf:>=90`, `seen:10..100`, `workflows:<3`, `age:>7d`,"
            " `quiet:>30d`; `-` before one leaves it out.",
            max_length=LONGEST_QUERY,
            examples=["type:test savings:>5000 -lint"],
        ),
        AfterValidator(_check_query),
    ] = "",
    snoozed: Annotated[
        Snoozed,
        Query(description="Whether entries that somebody wants to see later are shown, hidden, or shown alone."),
    ] = Snoozed.SHOW,
    updated_since: Annotated[
        AwareDatetime | None,
        BeforeValidator(check_moment),
        Query(description="Leave out what has not changed since: a time with its zone. Removed entries are not told."),
    ] = None,
    group_by: Annotated[
        Grouping | None, Query(description="With `group_key`: only the entries of one group of `groups`.")
    ] = None,
    group_key: Annotated[str | None, Query(description="The group's key, as `groups` tells it.")] = None,
) -> Listing:
    if (group_by is None) is not (group_key is None):
        raise InvalidInput("group_by and group_key belong together; send both, or neither.")
    if group_key is not None and not is_storable(group_key):
        raise InvalidInput("group_key holds a character that no key has (NUL, or half of a surrogate pair).")
    group = None if group_by is None or group_key is None else Group(group_by, group_key)
    return Listing(Status.PENDING, q, snoozed=snoozed, since=updated_since, group=group)


Narrowed = Annotated[Listing, Depends(_narrowed)]


def _listing(
    narrowed: Narrowed,
    sort: Annotated[
        str,
        Query(
            description=f"One of {', '.join(f'`{each}`' for each in Sort)}: figures and times largest first, names from"
            " A on. `-` before it turns it around. Equals are in the order of their names, and what has no value comes"
            " last. `expected`: the savings by evidence, else as claimed, times the likelihood of an approval, likely"
            " rejects last; only while `/model` says that this is shown.",
            examples=["impact", "-savings"],
            json_schema_extra={"enum": [f"{sign}{each}" for each in Sort for sign in ("", "-")]},
        ),
        AfterValidator(_check_sort),
    ] = Sort.IMPACT.value,
    offset: Annotated[
        int, Query(ge=0, le=MOST_SKIPPED, description="How many entries to skip. To page, follow `Link` instead.")
    ] = 0,
    cursor: Annotated[
        str | None,
        Query(
            description="Where this page begins. Follow the `Link` header of the previous page instead of building one."
        ),
        AfterValidator(_check_cursor),
    ] = None,
) -> Listing:
    return replace(narrowed, order=Order.parse(sort), after=_decode_cursor(cursor), skipped=offset)


Wanted = Annotated[Listing, Depends(_listing)]
_MANY: Responses = {
    200: {
        "content": {"application/json": {"example": [ENTRY_EXAMPLE]}},
        "headers": {
            "Link": {"description": 'The next page, `rel="next"`; absent on the last.', "schema": {"type": "string"}},
            TOTAL_COUNT: {
                "description": "How many entries there are on all pages; absent while a long queue is being prepared.",
                "schema": {"type": "integer"},
            },
        },
    }
}


_GROUP_EXAMPLE = {
    "key": "sdlc:full",
    "count": 29,
    "savings_usd": 412000.0,
    "evidence_usd": 2300.5,
    "savings_min": 1200.0,
    "savings_max": 183844.06,
    "confidence_min": 0.7,
    "confidence_max": 0.95,
    "flags": {"counted-twice": 2},
    "approved_before": 1,
    "decided_before": 12,
}
_SELECTION_EXAMPLE = {
    "ids": ["sdlc:full:all"],
    "total": 1,
    "savings_usd": 183844.06,
    "evidence_usd": 2208.74,
    "largest": [ENTRY_EXAMPLE],
}
_SIMILAR_EXAMPLE = {"entry": ENTRY_EXAMPLE, "difference": [{"tool": "Grep", "change": "added"}]}
_TOTAL: dict[str, Any] = {
    "headers": {TOTAL_COUNT: {"description": "How many groups there are.", "schema": {"type": "integer"}}}
}
_GROUPS: Responses = {200: {"content": {"application/json": {"example": [_GROUP_EXAMPLE]}}, **_TOTAL}}
_SELECTION: Responses = {200: {"content": {"application/json": {"example": _SELECTION_EXAMPLE}}}}
_SIMILAR: Responses = {200: {"content": {"application/json": {"example": [_SIMILAR_EXAMPLE]}}}}
_TABLE: Responses = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "CSV in UTF-8."}}


class ListRoutes:
    """Lists over HTTP. `prefix` is the path under which a proxy serves the daemon."""

    def __init__(self, review: Review, finding: Finding, guard: Guard, prefix: str) -> None:
        self._review = review
        self._finding = finding
        self._prefix = prefix
        self.router = KnownOnly(
            prefix="/api/v1/patterns", tags=["review"], responses=EVERYWHERE, dependencies=[Depends(guard.reader)]
        )
        self.router.get("", responses=_MANY | UNLEARNED)(self.entries)
        self.router.get("/pending", responses=_MANY | UNLEARNED)(self.pending)
        self.router.get("/groups", responses=_GROUPS)(self.groups)
        self.router.get("/ids", responses=_SELECTION | UNLEARNED)(self.ids)
        self.router.get(".csv", response_class=StreamingResponse, responses=_TABLE | UNLEARNED)(self.table)
        self.router.get("/{pattern_id:path}/similar", responses=ONE_PATTERN | _SIMILAR)(self.similar)

    async def entries(
        self,
        request: Request,
        response: Response,
        wanted: Wanted,
        status: EntryStatus = Status.PENDING,
        limit: Limit = 20,
    ) -> tuple[QueueEntry, ...]:
        """List the entries with one status, best impact first unless another order is asked for.

        The `Link` header leads to the next page. While figures move, an entry may move from a page that was not read
        yet to one that was; with `sort=name` none is missed.
        """
        listing = replace(wanted, status=status)
        page = await self._review.page(listing, limit)
        total = await self._review.total(listing)
        if page.next:
            response.headers["Link"] = f'<{self._prefix}{_next_url(request, page.next)}>; rel="next"'
        if total is not None:
            response.headers[TOTAL_COUNT] = str(total)
        return page.entries

    async def pending(
        self, request: Request, response: Response, wanted: Wanted, limit: Limit = 20
    ) -> tuple[QueueEntry, ...]:
        """List the entries that wait for a decision, best impact first unless another order is asked for.

        The `Link` header leads to the next page.
        """
        return await self.entries(request, response, wanted, Status.PENDING, limit)

    async def groups(
        self,
        response: Response,
        narrowed: Narrowed,
        by: Annotated[Grouping, Query(description="What the entries of a group share.")],
        status: EntryStatus = Status.PENDING,
        limit: Limit = 100,
    ) -> tuple[EntryGroup, ...]:
        """List the groups of a list, those worth most first: counts, sums, ranges, and what was decided of each before.

        `Total-Count` counts the groups. The entries of one are listed with `group_by` and `group_key`.
        """
        found = await self._finding.groups(replace(narrowed, status=status), by, limit)
        response.headers[TOTAL_COUNT] = str(found.total)
        return found.groups

    async def ids(self, wanted: Wanted, status: EntryStatus = Status.PENDING) -> Selection:
        """Return the ids of all that a list finds, in its order, as `decisions` takes them: at most 10,000.

        `total` and the sums are of all.
        """
        return await self._finding.selection(replace(wanted, status=status))

    async def table(self, wanted: Wanted, status: EntryStatus = Status.PENDING) -> StreamingResponse:
        """Return all that a list finds as CSV, in its order.

        A cell that a spreadsheet would take for a formula has an apostrophe before it.
        """
        listing = replace(wanted, status=status)
        pages = self._finding.everything(listing)
        first = await anext(pages)  # what goes wrong before the first line gets an answer of its own

        async def lines() -> AsyncIterator[str]:
            yield csv_head()
            yield csv_rows(first)
            async for page in pages:
                yield csv_rows(page)

        attachment = {"Content-Disposition": 'attachment; filename="patterns.csv"'}
        return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=attachment)

    async def similar(
        self,
        pattern_id: PatternId,
        limit: Annotated[int, Query(ge=1, le=100, description="The largest number of entries to return.")] = 20,
    ) -> list[SimilarEntry]:
        """List the pending entries of the same kind whose tools are mostly the same, with what is different.

        Three quarters of the steps have to be the same.
        """
        return await self._finding.similar(pattern_id, limit)


def _next_url(request: Request, place: Place) -> str:
    asked = {name: value for name, value in request.query_params.items() if name not in {"offset", "cursor"}}
    return f"{request.url.path}?{urlencode({**asked, 'cursor': _encode_cursor(place)})}"
