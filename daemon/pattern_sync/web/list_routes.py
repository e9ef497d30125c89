"""The endpoints that list the queue: filtered, searched, sorted, page by page."""

import base64
import json
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime

from pattern_sync.domain.entry import Place, QueueEntry, Status
from pattern_sync.domain.errors import InvalidInput
from pattern_sync.domain.listing import MOST_SKIPPED, Listing, Order, Snoozed, Sort
from pattern_sync.domain.query import LONGEST_QUERY, parse_query
from pattern_sync.domain.text import is_storable
from pattern_sync.review import Review
from pattern_sync.web.access import Guard
from pattern_sync.web.exception_handlers import EVERYWHERE, Responses
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


def _listing(
    q: Annotated[
        str,
        Query(
            description="What to look for: words, and terms such as `type:test`, `kind:sdlc:full`, `target:all`,"
            " `shape:Read→Edit`, `by:ann`, `flag:counted-twice`, `savings:>5000`, `evidence:>=1k`, `conf:>=90`,"
            " `seen:10..100`, `workflows:<3`, `age:>7d`, `quiet:>30d`; `-` before one leaves it out.",
            max_length=LONGEST_QUERY,
            examples=["type:test savings:>5000 -lint"],
        ),
        AfterValidator(_check_query),
    ] = "",
    sort: Annotated[
        str,
        Query(
            description=f"One of {', '.join(f'`{each}`' for each in Sort)}: figures and times largest first, names from"
            " A on. `-` before it turns it around. Equals are in the order of their names, and what has no value comes"
            " last.",
            examples=["impact", "-savings"],
            json_schema_extra={"enum": [f"{sign}{each}" for each in Sort for sign in ("", "-")]},
        ),
        AfterValidator(_check_sort),
    ] = Sort.IMPACT.value,
    snoozed: Annotated[
        Snoozed,
        Query(description="Whether entries that somebody wants to see later are shown, hidden, or shown alone."),
    ] = Snoozed.SHOW,
    updated_since: Annotated[
        AwareDatetime | None,
        Query(description="Leave out what has not changed since: a time with its zone. Removed entries are not told."),
    ] = None,
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
    return Listing(Status.PENDING, q, Order.parse(sort), snoozed, updated_since, _decode_cursor(cursor), offset)


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


class ListRoutes:
    """Lists over HTTP. `prefix` is the path under which a proxy serves the daemon."""

    def __init__(self, review: Review, guard: Guard, prefix: str) -> None:
        self._review = review
        self._prefix = prefix
        self.router = APIRouter(
            prefix="/api/v1/patterns", tags=["review"], responses=EVERYWHERE, dependencies=[Depends(guard.reader)]
        )
        self.router.get("", responses=_MANY)(self.entries)
        self.router.get("/pending", responses=_MANY)(self.pending)

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


def _next_url(request: Request, place: Place) -> str:
    asked = {name: value for name, value in request.query_params.items() if name not in {"offset", "cursor"}}
    return f"{request.url.path}?{urlencode({**asked, 'cursor': _encode_cursor(place)})}"
