"""The description of the API is true and complete: requests made from it get the described responses."""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.database import TestDatabase
from tests.support.waiting import eventually, show
from tests.web.conftest import ADMIN_TOKEN, API_TOKEN

if TYPE_CHECKING:
    from tests.support.described import Described

ENTRIES = 30
# The description's example of an id.
KNOWN = "sdlc:full:all"

OPERATIONS = [
    "GET /api/v1/patterns",
    "GET /api/v1/patterns/pending",
    "GET /api/v1/patterns/groups",
    "GET /api/v1/patterns/ids",
    "GET /api/v1/patterns.csv",
    "GET /api/v1/patterns/{pattern_id}/similar",
    "GET /api/v1/patterns/statistics",
    "GET /api/v1/patterns/advice",
    "GET /api/v1/patterns/rates",
    "GET /api/v1/patterns/nearest",
    "POST /api/v1/patterns/{pattern_id}/queue",
    "GET /api/v1/patterns/{pattern_id}",
    "GET /api/v1/patterns/{pattern_id}/history",
    "GET /api/v1/patterns/{pattern_id}/explain",
    "POST /api/v1/patterns/{pattern_id}/approve",
    "POST /api/v1/patterns/{pattern_id}/reject",
    "POST /api/v1/patterns/{pattern_id}/comment",
    "POST /api/v1/patterns/decisions",
    "POST /api/v1/patterns/{pattern_id}/snooze",
    "POST /api/v1/patterns/{pattern_id}/wake",
    "POST /api/v1/patterns/batches/{batch_id}/undo",
    "GET /api/v1/patterns/batches",
    "GET /api/v1/patterns/log",
    "GET /api/v1/patterns/progress",
    "GET /api/v1/reviewer",
    "GET /api/v1/patterns/sync/statistics",
    "POST /api/v1/patterns/sync/run",
    "POST /api/v1/patterns/sync/high-priority",
    "POST /api/v1/patterns/sync/all",
    "GET /api/v1/system/health",
    "GET /readyz",
    "GET /livez",
]
# No request for these can be invalid: they take nothing, or an id, which may be any text.
NOTHING_TO_GET_WRONG = {
    "POST /api/v1/patterns/{pattern_id}/wake",
    "GET /api/v1/patterns/{pattern_id}",
    "GET /api/v1/patterns/{pattern_id}/history",
    "GET /api/v1/patterns/{pattern_id}/explain",
    "GET /api/v1/patterns/statistics",
    "GET /api/v1/patterns/advice",
    "GET /api/v1/patterns/rates",
    "GET /api/v1/reviewer",
    "GET /api/v1/patterns/sync/statistics",
    "GET /api/v1/system/health",
    "GET /readyz",
    "GET /livez",
}

Document = dict[str, Any]


@pytest.fixture(scope="module")
def daemon(module_database: TestDatabase) -> Iterator[DaemonProcess]:
    module_database.add_patterns(ENTRIES, "sdlc")
    module_database.add_pattern(KNOWN)
    module_database.add_patterns(ENTRIES, "short", potential_monthly_savings=1)
    module_database.add_entry("decided")
    module_database.execute("SELECT pattern_sync.decide('decided', 'approved', 'ann', NULL, 'pending')")
    with running_daemon(
        module_database.url, PATTERN_SYNC_API_TOKEN=API_TOKEN, PATTERN_SYNC_ADMIN_TOKEN=ADMIN_TOKEN
    ) as daemon:
        # The first batch, which the undo finds.
        eventually(lambda: module_database.entry("sdlc:1"), what="the entry")
        token = {"Authorization": f"Bearer {API_TOKEN}"}
        httpx.post(f"{daemon.http_url}/api/v1/patterns/sdlc%3A1/approve", headers=token).raise_for_status()
        yield daemon


@pytest.fixture(scope="module")
def document(daemon: DaemonProcess) -> Document:
    read: Document = httpx.get(f"{daemon.http_url}/openapi.json").raise_for_status().json()
    return read


@pytest.fixture(scope="module")
def described(daemon: DaemonProcess) -> "Described":
    # Imported here, as it takes a second to load and every worker collects every file.
    from tests.support.described import Described  # noqa: PLC0415

    # Half of them have an entry, half do not qualify; each name stands twice, as only every second one is asked for.
    names = [name for number in range(1, ENTRIES + 1) for name in (f"sdlc:{number}", f"short:{number}")]
    return Described(daemon.http_url, ADMIN_TOKEN, [name for name in names for _ in range(2)])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_valid_request_gets_a_response_as_described(described: "Described", operation: str) -> None:
    described.ask_as_described(operation)
    assert described.answered[f"{operation} 200"] > 0, described.answered


@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - NOTHING_TO_GET_WRONG))
def test_an_invalid_request_is_refused_as_described(described: "Described", operation: str) -> None:
    described.ask_otherwise(operation)


def test_the_description_lists_exactly_the_operations(document: Document) -> None:
    found = [f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods]
    assert sorted(found) == sorted(OPERATIONS)


def operations(document: Document) -> dict[str, Document]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_operation_has_a_name_a_summary_and_a_description(document: Document) -> None:
    found = operations(document)
    names = [operation["operationId"] for operation in found.values()]
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch(r"(advice|review|decisions|sync|system)_[a-z_]+", name)
        assert "api_v1" not in name
    for operation in found.values():
        assert operation["summary"]
        assert operation["description"].endswith(".")
        assert len(operation["tags"]) == 1


def test_every_operation_on_entries_shows_an_example(document: Document) -> None:
    for name, operation in operations(document).items():
        answer = operation["responses"]["200"]["content"].get("application/json", {})
        if "QueueEntry" in json.dumps(answer):
            example = answer["example"]
            entry = example[0] if isinstance(example, list) else example
            assert entry["pattern_id"] == KNOWN, name
        if body := operation.get("requestBody"):
            schema = json.dumps(body["content"]["application/json"]["schema"])
            (reference,) = re.findall(r"#/components/schemas/(\w+)", schema)
            assert document["components"]["schemas"][reference]["examples"], name


def test_the_example_of_an_entry_is_plausible(document: Document, daemon: DaemonProcess) -> None:
    example = operations(document)["GET /api/v1/patterns/{pattern_id}"]["responses"]["200"]["content"]
    entry = httpx.get(
        f"{daemon.http_url}/api/v1/patterns/{KNOWN}", headers={"Authorization": f"Bearer {API_TOKEN}"}
    ).json()
    shown = example["application/json"]["example"]
    assert shown.keys() <= entry.keys()
    product = shown["confidence_score"] * shown["occurrence_count"] * shown["estimated_savings_usd"]
    assert shown["impact_score"] == pytest.approx(product)


def test_the_description_says_where_a_token_is_needed_and_shows_the_refusal(
    document: Document, daemon: DaemonProcess
) -> None:
    (scheme,) = document["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert "PATTERN_SYNC_API_TOKEN" in scheme["description"]
    for name, operation in operations(document).items():
        method, path = name.split()
        answer = httpx.request(method, daemon.http_url + path.replace("{pattern_id}", KNOWN))
        is_open = operation["tags"] == ["system"]
        assert ("security" not in operation) is is_open, name
        assert (answer.status_code != 401) is is_open, name
        assert ("401" in operation["responses"]) is not is_open, name


def test_the_live_updates_are_described_in_words(document: Document) -> None:
    for word in ("/api/v1/ws/patterns", "pattern-sync.v1", "bearer.", "state", "changes", "outage"):
        assert word in document["info"]["description"]


def test_no_request_made_the_daemon_log_a_bug(daemon: DaemonProcess, described: "Described") -> None:
    show(f"{described.answered.total()} requests made from the description")
    assert not [line for line in daemon.lines() if line["level"] in {"error", "critical"}]
    assert "Traceback" not in daemon.text
