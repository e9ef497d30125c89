"""Print what the daemon and the review page exchange as one OpenAPI document: python -m tests.page.describe.

OpenAPI does not cover WebSockets, so the live messages are added to the schemas. Descriptions are left out: a better
sentence changes no type.
"""

import asyncio
import dataclasses
import json
import sys
from typing import Any, cast
from unittest.mock import MagicMock

import httpx
from pydantic import TypeAdapter

from pattern_sync.web.access import Tokens
from pattern_sync.web.app import Access, Parts, create_app
from pattern_sync.web.messages import Message

# Of every other response the page reads only the detail.
ANSWERS = ("200", "409")
# What the page speaks.
TAGS = (["review"], ["decisions"], ["advice"], ["roi"], ["rules"])
DESCRIPTIONS = {"title", "description", "summary", "example", "examples"}

Document = dict[str, Any]


def main() -> None:
    """Print the document."""
    document = asyncio.run(_served())
    _keep_what_the_page_uses(document["paths"])
    _add_messages(document["components"]["schemas"])
    json.dump(_without_descriptions(document), sys.stdout)


async def _served() -> Document:
    parts = Parts(*(MagicMock() for _ in dataclasses.fields(Parts)))  # the description needs none of these
    app = create_app(parts, Access(Tokens(), [], ["localhost"]), version="0")
    transport = httpx.ASGITransport(cast("Any", app))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        document: Document = (await client.get("/openapi.json")).raise_for_status().json()
    return document


def _keep_what_the_page_uses(paths: Document) -> None:
    for path, operations in list(paths.items()):
        if any(operation["tags"] not in TAGS for operation in operations.values()):
            del paths[path]
        for operation in operations.values():
            answers = operation["responses"]
            operation["responses"] = {status: answers[status] for status in ANSWERS if status in answers}


def _add_messages(schemas: Document) -> None:
    message = TypeAdapter[Any](Message).json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    for name, schema in message.pop("$defs").items():
        if schemas.setdefault(name, schema) != schema:
            sys.exit(f"{name} differs between the API and the live messages; give one of them another name.")
    schemas["Message"] = message


def _without_descriptions(node: object, *, names: bool = False) -> object:
    if isinstance(node, list):
        return [_without_descriptions(each) for each in node]
    if isinstance(node, dict):
        # A property may have this name, too.
        kept = {key: value for key, value in node.items() if names or key not in DESCRIPTIONS}
        return {key: _without_descriptions(value, names=key == "properties") for key, value in kept.items()}
    return node


if __name__ == "__main__":
    main()
