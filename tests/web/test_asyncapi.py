"""The description of the WebSocket is true: what is really sent, and what may be sent, is as it says."""

import json
from typing import Any, get_args

import jsonschema_rs
import pytest
from websockets.sync.client import connect

from pattern_sync.web.messages import Message
from tests.support.websocket import Page, live_url
from tests.web.conftest import Served

Document = dict[str, Any]


@pytest.fixture(scope="module")
def document(served: Served) -> Document:
    read: Document = served.client.get("/asyncapi.json").raise_for_status().json()
    return read


def resolved(document: Document, reference: str) -> Any:  # noqa: ANN401 - JSON
    node: Any = document
    for name in reference.removeprefix("#/").split("/"):
        node = node[name]
    return node


def validator(document: Document, message: str) -> jsonschema_rs.Validator:
    payload = document["components"]["messages"][message]["payload"]
    return jsonschema_rs.validator_for({**payload, "components": document["components"]})


def references(node: object) -> list[str]:
    if isinstance(node, list):
        return [found for item in node for found in references(item)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [found for item in node.values() for found in references(item)]


def test_it_is_whole(document: Document) -> None:
    assert document["asyncapi"].startswith("3.")
    assert document["channels"]["patterns"]["address"] == "/api/v1/ws/patterns"
    found = references(document)
    assert len(found) > 20
    for reference in found:
        resolved(document, reference)


def test_every_type_of_message_is_described(document: Document) -> None:
    types = {get_args(each.__annotations__["type"])[0] for each in get_args(Message)}
    operations = document["operations"]
    sent = {reference["$ref"].split("/")[-1] for reference in operations["sendUpdates"]["messages"]}
    assert sent == types
    read = {reference["$ref"].split("/")[-1] for reference in operations["receiveReading"]["messages"]}
    assert read == {"reading"}
    assert set(document["components"]["messages"]) == sent | read == set(document["channels"]["patterns"]["messages"])


def test_every_example_is_what_its_schema_allows(document: Document) -> None:
    for name, message in document["components"]["messages"].items():
        for example in message["examples"]:
            validator(document, name).validate(example["payload"])
            assert example["payload"]["type"] == name


def test_what_is_sent_in_a_session_is_as_described(served: Served, document: Document) -> None:
    reading = document["components"]["messages"]["reading"]["examples"][0]["payload"]
    with Page(served.daemon.http_url) as page, connect(live_url(served.daemon.http_url)) as other:
        page.wait_for_type("state")
        served.queue("asyncapi:described")
        served.client.post("/api/v1/patterns/asyncapi:described/approve", json={"reviewer": "ann"}).raise_for_status()
        served.database.execute("DELETE FROM pattern_approvals WHERE pattern_id = 'asyncapi:described'")
        page.wait_for_change("asyncapi:described", "removed")
        other.send(json.dumps(reading))
        page.wait_for_type("readers")
        kinds = set()
        for received in page.documents():
            validator(document, received["type"]).validate(received)
            kinds.add(received["type"])
    assert {"state", "changes", "readers"} <= kinds


def test_a_message_of_another_form_is_not_as_described(document: Document) -> None:
    assert not validator(document, "changes").is_valid({"type": "changes", "counts": {}, "changes": []})
    assert not validator(document, "reading").is_valid({"type": "reading", "pattern_id": 5, "reviewer": None})


@pytest.mark.parametrize("path", ["/asyncapi.json", "/openapi.json"])
def test_a_description_takes_nothing(served: Served, path: str) -> None:
    answer = served.client.get(path, params={"version": "2"})
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith("version is not known. None is known here.")
