"""The examples of the API's description satisfy their own schemas, and its tags are described."""

from collections.abc import Iterator
from typing import Any, cast

import jsonschema_rs
import pytest

from pattern_sync.web.access import Guard, Tokens
from pattern_sync.web.app import Access, Parts, create_api


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    nothing = cast("Any", None)
    parts = Parts(**dict.fromkeys(Parts.__dataclass_fields__, nothing))
    return create_api(parts, Access(Tokens(), [], []), Guard(Tokens()), "0").openapi()


def examples(node: object, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield each example with its place and its schema."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from examples(item, f"{place}/{number}")
    if not isinstance(node, dict):
        return
    schema = node.get("schema", node)
    if "example" in node:
        yield place, schema, node["example"]
    if isinstance(node.get("examples"), list):
        for example in node["examples"]:
            yield place, schema, example
    for name, item in node.items():
        if name not in {"example", "examples"}:
            yield from examples(item, f"{place}/{name}")


def test_every_example_satisfies_its_schema(document: dict[str, Any]) -> None:
    found = list(examples(document))
    assert len(found) > 15
    for place, schema, example in found:
        whole = {**schema, "components": document["components"]}
        faults = [fault.message for fault in jsonschema_rs.validator_for(whole).iter_errors(example)]
        assert faults == [], place


def test_every_tag_is_described(document: dict[str, Any]) -> None:
    used = {tag for methods in document["paths"].values() for each in methods.values() for tag in each["tags"]}
    described = {tag["name"]: tag["description"] for tag in document["tags"]}
    assert described.keys() == used
    assert all(sentence.endswith(".") for sentence in described.values())
