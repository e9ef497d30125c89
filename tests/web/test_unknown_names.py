"""What a route does not know is refused, with its name: nothing is done that was meant differently."""

import json
from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Mount, Route
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from pattern_sync.web.access import Guard, Tokens
from pattern_sync.web.app import Access, Parts, create_api
from pattern_sync.web.known import body_names, is_known_only, query_names
from pattern_sync.web.schemas.bodies import RequestBody
from pattern_sync.web.schemas.events import HookBody
from tests.web.conftest import Served

# The page's files run nothing, and their query is the page's own.
WITHOUT_NAMES = {""}
# Agents write this body, and add to it with each version.
OF_OTHERS = HookBody


@pytest.fixture(scope="module")
def api() -> FastAPI:
    nothing = cast("Any", None)
    parts = Parts(**dict.fromkeys(Parts.__dataclass_fields__, nothing))
    return create_api(parts, Access(Tokens(), [], []), Guard(Tokens()), "0")


def test_every_route_refuses_what_it_does_not_know(api: FastAPI) -> None:
    walked = 0
    for route in iter_route_contexts(api.routes):
        if isinstance(route.original_route, (Mount, Route)) and not isinstance(route.original_route, APIRoute):
            assert route.path in WITHOUT_NAMES
            continue
        walked += 1
        assert is_known_only(route.dependant), route.path
    assert walked > 25


def test_every_body_refuses_fields_that_it_does_not_know(api: FastAPI) -> None:
    bodies = [
        route.body_field for route in iter_route_contexts(api.routes) if getattr(route, "body_field", None) is not None
    ]
    assert len(bodies) > 5
    for field in bodies:
        assert body_names(field), field
        assert _is_strict(field.field_info.annotation) or field.field_info.annotation is OF_OTHERS, field


def _is_strict(annotated: object) -> bool:
    models = [each for each in (annotated, *getattr(annotated, "__args__", ())) if each is not type(None)]
    return any(isinstance(each, type) and issubclass(each, RequestBody) for each in models)


def test_what_is_known_is_what_is_described(api: FastAPI) -> None:
    described = api.openapi()["paths"]
    for route in iter_route_contexts(api.routes):
        if not isinstance(route.original_route, APIRoute) or not route.include_in_schema:
            continue
        for method in route.methods or ():
            parameters = described[route.path_format][method.lower()].get("parameters", [])
            names = {each["name"] for each in parameters if each["in"] == "query"}
            assert set(query_names(route.dependant)) == names, route.path


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("POST", "/api/v1/patterns/sync/run?dryrun=true", "dryrun is not known. Did you mean dry_run?"),
        ("POST", "/api/v1/patterns/sync/high-priority?dry-run=true", "Did you mean dry_run?"),
        ("GET", "/api/v1/patterns?limits=3", "limits is not known. Did you mean limit?"),
        ("GET", "/api/v1/patterns/pending?status=approved", "status is not known. "),
        ("GET", "/api/v1/patterns/statistics?verbose", "verbose is not known. None is known here."),
        ("GET", "/api/v1/patterns/named%3Aentry?pattern_id=another", "pattern_id is not known."),
        ("GET", "/api/v1/patterns/~?pattern_id=named:entry&pattern_id=another", "pattern_id is not known."),
        ("POST", "/api/v1/patterns/named%3Aentry/approve?notes=lost", "notes is not known."),
        ("GET", "/livez?x=1", "x is not known."),
        ("GET", "/metrics?x=1", "x is not known."),
    ],
)
def test_an_unknown_parameter_is_named(served: Served, method: str, path: str, words: str) -> None:
    answer = served.client.request(method, path)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert answer.json()["fields"][0]["loc"][0] == "query"
    assert answer.json()["fields"][0]["type"] == "extra_forbidden"


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("approve", {"reason": "lost"}, "reason is not known."),
        ("approve", {"reviewr": "ann"}, "reviewr is not known. Did you mean reviewer?"),
        ("reject", {"reason": "x", "note": "y"}, "note is not known."),
        ("comment", {"comment": "x", "text": "y"}, "Known here: comment, reviewer."),
    ],
)
def test_an_unknown_field_is_named_and_nothing_is_written(
    served: Served, path: str, body: dict[str, str], words: str
) -> None:
    entry = served.queue(f"named:{words}")
    answer = served.client.post(f"{entry}/{path}", json=body)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert served.client.get(entry).json()["status"] == "pending"
    assert served.client.get(f"{entry}/history").json() == []


def test_a_body_is_refused_where_none_is_taken(served: Served) -> None:
    path = "/api/v1/patterns/sync/high-priority"
    answer = served.client.post(path, json={"dry_run": True})
    assert (answer.status_code, answer.json()["detail"]) == (422, "This takes no body. Leave it out.")
    for nothing in (b"", b"{}", b" null\n"):
        assert served.client.post(f"{path}?dry_run=true", content=nothing).status_code == 200


def test_a_socket_with_an_unknown_parameter_is_refused(served: Served) -> None:
    url = f"{served.daemon.http_url.replace('http', 'ws')}/api/v1/ws/patterns?since=yesterday"
    with pytest.raises(InvalidStatus) as refusal, connect(url, proxy=None):
        pass
    response = refusal.value.response
    assert response.status_code == 422
    assert "since is not known" in json.loads(response.body)["detail"]
