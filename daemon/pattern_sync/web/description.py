"""The API's description: with the nulls of its examples, and with what middleware reads."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.responses import JSONResponse

from pattern_sync.web.known import KnownOnly
from pattern_sync.web.middleware.repeats import KEY, KEY_FORM, takes_key

_KEY_PARAMETER = {
    "name": KEY,
    "in": "header",
    "required": False,
    "description": "Names this request, for a day: sent again with it, it is answered as before, and done once.",
    "schema": {"type": "string", "pattern": f"^{KEY_FORM}$", "maxLength": 255},
    "example": "7c1d9e0a-52c1-4a56-9e0b-6f9d3c1f2a77",
}

_AT_WORK = {
    "description": f"The first request with this `{KEY}` is still at work. Send it again in a moment.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class DescribedApi(FastAPI):
    """An API whose examples keep their nulls: FastAPI leaves them out, and then they lack what their schemas require.

    `whole_examples` are the examples as they should be; they may be parts of others.
    """

    def __init__(self, whole_examples: Sequence[dict[str, Any]], **how: Any) -> None:  # noqa: ANN401 - as in FastAPI
        super().__init__(**how)
        self._whole = [part for example in whole_examples for part in _parts(example)]

    def openapi(self) -> dict[str, Any]:
        """Return the description."""
        if self.openapi_schema is None:
            document = _restored(super().openapi(), [(_without_nulls(each), each) for each in self._whole])
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    _say_optional(operation)
                    if takes_key(method.upper(), path):
                        _add_key(operation)
            self.openapi_schema = document
        return self.openapi_schema


class DescriptionRoutes:
    """Serves the descriptions to everybody: they hold nothing of the queue."""

    def __init__(self, openapi: Callable[[], dict[str, Any]], asyncapi: Callable[[], dict[str, Any]]) -> None:
        self._openapi = openapi
        self._asyncapi = asyncapi
        self.router = KnownOnly(tags=["system"])
        self.router.add_api_route("/openapi.json", self.http, methods=["GET"], include_in_schema=False)
        self.router.add_api_route("/asyncapi.json", self.live, methods=["GET"], include_in_schema=False)

    async def http(self) -> JSONResponse:
        """Return the description of the HTTP API, in OpenAPI."""
        return JSONResponse(self._openapi())

    async def live(self) -> JSONResponse:
        """Return the description of the WebSocket, in AsyncAPI."""
        return JSONResponse(self._asyncapi())


def _say_optional(operation: dict[str, Any]) -> None:
    # A body that may be left out is not one that may be null, though null is taken: generated clients that are told of
    # both send the word for nothing that they use themselves.
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schemas = [each for each in content["schema"].get("anyOf", []) if each != {"type": "null"}]
        if len(schemas) == 1:
            content["schema"] = schemas[0]


def _add_key(operation: dict[str, Any]) -> None:
    operation.setdefault("parameters", []).append(_KEY_PARAMETER)
    operation["responses"].setdefault("409", _AT_WORK)


def _parts(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for item in node:
            yield from _parts(item)
    elif isinstance(node, dict):
        for item in node.values():
            yield from _parts(item)
        if None in node.values():
            yield node


def _without_nulls(node: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(node, dict):
        return {name: _without_nulls(item) for name, item in node.items() if item is not None}
    return [_without_nulls(item) for item in node] if isinstance(node, list) else node


def _restored(node: Any, pairs: list[tuple[Any, Any]]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(node, list):
        return [_restored(item, pairs) for item in node]
    if not isinstance(node, dict):
        return node
    for bare, whole in pairs:
        if node == bare:
            return whole
    return {name: _restored(item, pairs) for name, item in node.items()}
