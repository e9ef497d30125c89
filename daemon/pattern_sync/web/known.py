"""Refuses what a request has and its route does not know: a misspelt name would do something else than was meant."""

from collections.abc import Callable, Collection, Iterator
from difflib import get_close_matches
from typing import Any, get_args

from fastapi import APIRouter, Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends as Dependency
from starlette.requests import HTTPConnection

# The kind of fault, as Pydantic calls it.
UNKNOWN_NAME = "extra_forbidden"
# A longer name is cut in the sentence.
_LONGEST_NAME = 100
_NOTHING = {b"", b"{}", b"null"}


class KnownOnly(APIRouter):
    """A router all of whose routes, and its WebSockets, refuse unknown query parameters; and a body, if they take none.

    Unknown fields of a body are refused by its schema, see `schemas.bodies`.
    """

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **how: Any) -> None:  # noqa: ANN401 - as in APIRouter
        """Add a route. Its guards come first, so that nobody without a token learns more than that."""
        super().add_api_route(path, endpoint, **{**how, "dependencies": _last(how, _refuse_what_is_unknown)})

    def add_api_websocket_route(self, path: str, endpoint: Callable[..., Any], *args: Any, **how: Any) -> None:  # noqa: ANN401 - as in APIRouter
        """Add a WebSocket."""
        super().add_api_websocket_route(path, endpoint, *args, **{**how, "dependencies": _last(how, _refuse_query)})


def is_known_only(dependant: Dependant) -> bool:
    """Return whether a route refuses what it does not know."""
    return any(each.call in {_refuse_what_is_unknown, _refuse_query} for each in dependant.dependencies)


def query_names(dependant: Dependant) -> Iterator[str]:
    """Yield the names of the query parameters that a route takes."""
    yield from (field.alias for field in dependant.query_params)
    for each in dependant.dependencies:
        yield from query_names(each)


def body_names(field: Any) -> list[str]:  # noqa: ANN401 - FastAPI's field of a body, which has no public name
    """Return the names of the fields of a route's body."""
    annotated = field.field_info.annotation
    models = [each for each in (annotated, *get_args(annotated)) if hasattr(each, "model_fields")]
    return [name for model in models for name in model.model_fields]


def unknown_sentence(name: str, known: Collection[str]) -> str:
    """Return what is wrong with a name, which one is probably meant, and which ones there are."""
    nearest = get_close_matches(name, known, n=1)
    hint = f" Did you mean {nearest[0]}?" if nearest else ""
    allowed = f" Known here: {', '.join(sorted(known))}." if known else " None is known here."
    return f"{name[:_LONGEST_NAME]} is not known.{hint}{allowed}"


def _last(how: dict[str, Any], check: Callable[..., object]) -> list[Dependency]:
    return [*(how.get("dependencies") or ()), Depends(check)]


async def _refuse_what_is_unknown(request: Request) -> None:
    faults = list(_unknown_parameters(request))
    if request.scope["route"].body_field is None and (await request.body()).strip() not in _NOTHING:
        faults.append(_fault(["body"], "This takes no body. Leave it out."))
    if faults:
        raise RequestValidationError(faults)


async def _refuse_query(connection: HTTPConnection) -> None:
    if faults := list(_unknown_parameters(connection)):
        raise RequestValidationError(faults)


def _unknown_parameters(connection: HTTPConnection) -> Iterator[dict[str, object]]:
    if not connection.query_params:
        return
    known = set(query_names(connection.scope["route"].dependant))
    for name in connection.query_params:
        if name not in known:
            yield _fault(["query", name], unknown_sentence(name, known))


def _fault(place: list[str], sentence: str) -> dict[str, object]:
    return {"type": UNKNOWN_NAME, "loc": place, "msg": sentence}
