"""The description of the API is true and complete: requests made from it get the described responses."""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import jsonschema_rs
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
# As in tests/support/described.py, which takes a second to load.
RULE = "proven"

# With the names that clients are generated from: they stay.
OPERATIONS = {
    "POST /api/v1/patterns/{pattern_id}/veto": "rules_veto",  # while the others have decided nothing
    "GET /api/v1/patterns": "review_entries",
    "GET /api/v1/patterns/pending": "review_pending",
    "GET /api/v1/patterns/groups": "review_groups",
    "GET /api/v1/patterns/ids": "review_ids",
    "GET /api/v1/patterns.csv": "review_table",
    "GET /api/v1/patterns/{pattern_id}/similar": "review_similar",
    "GET /api/v1/patterns/statistics": "review_statistics",
    "GET /api/v1/patterns/advice": "advice_advice",
    "GET /api/v1/patterns/rates": "advice_rates",
    "GET /api/v1/patterns/nearest": "advice_nearest",
    "POST /api/v1/patterns/{pattern_id}/queue": "advice_queue",
    "GET /api/v1/patterns/{pattern_id}": "review_entry",
    "GET /api/v1/patterns/{pattern_id}/history": "review_history",
    "GET /api/v1/patterns/{pattern_id}/explain": "review_explain",
    "POST /api/v1/patterns/{pattern_id}/approve": "review_approve",
    "POST /api/v1/patterns/{pattern_id}/reject": "review_reject",
    "POST /api/v1/patterns/{pattern_id}/comment": "review_comment",
    "POST /api/v1/patterns/decisions": "decisions_decide",
    "POST /api/v1/patterns/{pattern_id}/snooze": "decisions_snooze",
    "POST /api/v1/patterns/{pattern_id}/wake": "decisions_wake",
    "POST /api/v1/patterns/batches/{batch_id}/undo": "decisions_undo",
    "GET /api/v1/patterns/batches": "decisions_batches",
    "GET /api/v1/patterns/log": "decisions_log",
    "GET /api/v1/patterns/progress": "decisions_progress",
    "GET /api/v1/model": "advice_model",
    "GET /api/v1/patterns/{pattern_id}/likelihood": "advice_likelihood",
    "GET /api/v1/reviewer": "review_reviewer",
    "GET /api/v1/roi": "roi_results",
    "GET /api/v1/roi.csv": "roi_table",
    "GET /api/v1/roi/{pattern_id}": "roi_one",
    "POST /api/v1/patterns/{pattern_id}/savings": "roi_record",
    "POST /api/roi-tracking/executions": "roi_record_execution",
    "GET /api/v1/notifications": "messages_latest",
    "POST /api/v1/notifications/test": "messages_test",
    "POST /api/v1/notifications/{message_id}/retry": "messages_retry",
    "POST /api/v1/events/claude-code": "events_claude_code",
    "GET /api/v1/rules": "rules_all",
    "GET /api/v1/rules/{name}": "rules_show",
    "GET /api/v1/rules/{name}/trial": "rules_trial",
    "POST /api/v1/rules/{name}": "rules_set",
    "POST /api/v1/rules/{name}/watch": "rules_watch",
    "POST /api/v1/rules/{name}/on": "rules_on",
    "POST /api/v1/rules/{name}/revert": "rules_revert",
    "POST /api/v1/rules/{name}/off": "rules_off",
    "GET /api/v1/patterns/marks": "rules_marks",
    "GET /api/v1/patterns/sync/statistics": "sync_statistics",
    "POST /api/v1/patterns/sync/run": "sync_run",
    "POST /api/v1/patterns/sync/high-priority": "sync_high_priority",
    "POST /api/v1/patterns/sync/all": "sync_all",
    "GET /api/v1/system/health": "system_health",
    "GET /readyz": "system_ready",
    "GET /livez": "system_live",
}
# No request for these can be invalid: they take nothing, or an id, which may be any text.
NOTHING_TO_GET_WRONG = {
    "POST /api/v1/patterns/{pattern_id}/wake",
    "GET /api/v1/patterns/{pattern_id}",
    "GET /api/v1/patterns/{pattern_id}/history",
    "GET /api/v1/patterns/{pattern_id}/explain",
    "GET /api/v1/patterns/statistics",
    "GET /api/v1/roi/{pattern_id}",
    "GET /api/v1/patterns/advice",
    "GET /api/v1/patterns/rates",
    "GET /api/v1/model",
    "GET /api/v1/patterns/{pattern_id}/likelihood",
    "POST /api/v1/notifications/test",
    "GET /api/v1/rules",
    "GET /api/v1/reviewer",
    "GET /api/v1/patterns/sync/statistics",
    "GET /api/v1/system/health",
    "GET /readyz",
    "GET /livez",
}

# Fields and parameters that hold one of a few words, wherever they are.
FIXED_WORDS = {
    *("status", "entry_status", "outcome", "decision", "replaces", "replaced", "action"),
    *("sort", "snoozed", "group_by", "listener", "database"),
}
# Fields of a common name that do so in these schemas.
WORDS_OF = [("Criterion", "name"), ("Flag", "name"), ("Step", "change")]

Document = dict[str, Any]


@pytest.fixture(scope="module")
def daemon(module_database: TestDatabase) -> Iterator[DaemonProcess]:
    module_database.add_patterns(ENTRIES, "sdlc")
    module_database.add_pattern(KNOWN)
    module_database.add_patterns(ENTRIES, "short", potential_monthly_savings=1)
    module_database.add_entry("decided")
    module_database.execute("SELECT pattern_sync.decide('decided', 'approved', 'ann', NULL, 'pending')")
    module_database.execute(
        "INSERT INTO pattern_sync.messages (channel, kind, state, due_at) VALUES ('c', 'high_value', 'dead', now())"
    )
    add_rules(module_database)
    with running_daemon(
        module_database.url,
        PATTERN_SYNC_API_TOKEN=API_TOKEN,
        PATTERN_SYNC_ADMIN_TOKEN=ADMIN_TOKEN,
        PATTERN_SYNC_NOTIFY_URLS="slack+http://127.0.0.1:1/nobody-listens",
    ) as daemon:
        # The first batch, which the undo finds.
        eventually(lambda: module_database.entry("sdlc:1"), what="the entry")
        token = {"Authorization": f"Bearer {API_TOKEN}"}
        httpx.post(f"{daemon.http_url}/api/v1/patterns/sdlc%3A1/approve", headers=token).raise_for_status()
        marks = f"{daemon.http_url}/api/v1/patterns/marks"
        eventually(lambda: len(httpx.get(marks, headers=token).json()) > ENTRIES / 2, seconds=20, what="the marks")
        yield daemon


def add_rules(database: TestDatabase) -> None:
    """Add a rule that has people's agreement, and has decided something, and one that marks what the others ask for."""
    words: dict[str, list[str]] = {name: [] for name in ("only_kinds", "exclude_kinds", "needs_tools", "without_tools")}
    guards = {"wait_hours": 24, "per_day": 20, "check_share": 0.1, "agreement": 0.95}
    terms = {"verdict": "approve", "max_savings": 1e6, "allow_flags": ["nothing-recorded", "no-steps"]}
    for name, bounds in ((RULE, {"max_confidence": 60}), ("marking", {"min_confidence": 80})):
        database.execute(
            "SELECT pattern_sync.set_rule(%s, 0, %s, 'ann')", name, json.dumps(words | guards | terms | bounds)
        )
        database.execute("SELECT pattern_sync.switch_rule(%s, 1, 'watching', 'ann')", name)
    for number in range(60):
        database.add_entry(f"past:{number}")
        database.execute("SELECT pattern_sync.decide(%s, 'approved', 'ann', NULL, 'pending')", f"past:{number}")
    database.add_entry("decided by a rule")
    database.execute(
        "INSERT INTO pattern_sync.rule_log (rule, version, act, pattern_id, batch_id)"
        " SELECT %s, 1, 'decided', d.pattern_id, d.batch_id FROM pattern_sync.decide_many("
        "  ARRAY['decided by a rule'], 'auto-approved', 'approved', 'approved', %s, 'so', 'pending', NULL, true, false"
        " ) AS d",
        RULE,
        f"rule:{RULE}@1",
    )


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
    done = [described.answered[f"{operation} {status}"] for status in (200, 201, 204)]
    assert sum(done) > 0, described.answered


@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - NOTHING_TO_GET_WRONG))
def test_an_invalid_request_is_refused_as_described(described: "Described", operation: str) -> None:
    described.ask_otherwise(operation)


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
        assert re.fullmatch(r"(advice|review|decisions|events|messages|roi|rules|sync|system)_[a-z_]+", name)
        assert "api_v1" not in name
    for operation in found.values():
        assert operation["summary"]
        assert operation["description"].endswith(".")
        assert len(operation["tags"]) == 1


def test_every_operation_on_entries_shows_an_example(document: Document) -> None:
    for name, operation in operations(document).items():
        answer = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
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


def test_the_live_updates_are_described_elsewhere(document: Document) -> None:
    assert "/asyncapi.json" in document["info"]["description"]


def test_the_names_that_clients_are_generated_from_stay(document: Document) -> None:
    found = {name: operation["operationId"] for name, operation in operations(document).items()}
    assert found == OPERATIONS


def test_bodies_are_of_one_type_as_generated_clients_need(document: Document) -> None:
    bodies = [each["requestBody"] for each in operations(document).values() if "requestBody" in each]
    assert len(bodies) > 5
    for body in bodies:
        reference = body["content"]["application/json"]["schema"]["$ref"]
        schema = document["components"]["schemas"][reference.split("/")[-1]]
        assert not {"anyOf", "oneOf", "allOf"} & schema.keys()
    assert all("__" not in name for name in document["components"]["schemas"])


def test_whatever_is_written_says_that_it_takes_a_key(document: Document) -> None:
    for name, operation in operations(document).items():
        keys = [each for each in operation.get("parameters", []) if each["name"] == "Idempotency-Key"]
        written = name.startswith("POST") and (
            name.endswith(" /api/roi-tracking/executions") or ("/patterns/" in name and "/sync/" not in name)
        )
        assert len(keys) == written, name
        assert all(each["in"] == "header" and not each["required"] for each in keys)


def examples_of(schema: Document) -> Iterator[tuple[Document, Any]]:
    yield from ((schema, example) for example in schema.get("examples", []))
    for part in schema.get("properties", {}).values():
        yield from examples_of(part)


def described_values(document: Document) -> Iterator[tuple[Document, Any]]:
    """Yield every example with its schema."""
    for operation in operations(document).values():
        for parameter in operation.get("parameters", []):
            yield from examples_of(parameter["schema"])
            yield from ((parameter["schema"], parameter[name]) for name in ("example",) if name in parameter)
        for body in (operation.get("requestBody", {}), *operation["responses"].values()):
            content = body.get("content", {}).get("application/json", {})
            yield from ((content["schema"], content[name]) for name in ("example",) if name in content)
    for schema in document["components"]["schemas"].values():
        yield from examples_of(schema)


def test_every_example_is_what_its_schema_allows(document: Document) -> None:
    count = 0
    for schema, example in described_values(document):
        jsonschema_rs.validator_for({**schema, "components": document["components"]}).validate(example)
        count += 1
    assert count > 40


def allowed_words(document: Document, schema: Document) -> set[str] | None:
    """Return the words that a schema names; None if it names none."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].split("/")[-1]]
    if "const" in schema or "enum" in schema:
        return {schema["const"]} if "const" in schema else set(schema["enum"])
    named = [allowed_words(document, each) for each in schema.get("anyOf", [])]
    return set().union(*(each for each in named if each is not None)) or None


def test_statuses_and_other_fixed_words_are_named_wherever_they_stand(document: Document) -> None:
    walked = set()
    for name, schema in document["components"]["schemas"].items():
        for field, part in schema.get("properties", {}).items():
            if field in FIXED_WORDS:
                walked.add(field)
                assert allowed_words(document, part), f"{name}.{field}"
    for name, operation in operations(document).items():
        for parameter in operation.get("parameters", []):
            if parameter["name"] in FIXED_WORDS:
                walked.add(parameter["name"])
                assert allowed_words(document, parameter["schema"]), f"{name} {parameter['name']}"
    assert walked == FIXED_WORDS
    for name, field in WORDS_OF:
        assert allowed_words(document, document["components"]["schemas"][name]["properties"][field]), f"{name}.{field}"


def test_every_parameter_says_what_it_is(document: Document) -> None:
    for name, operation in operations(document).items():
        for parameter in operation.get("parameters", []):
            assert parameter.get("description", "").endswith("."), f"{name} {parameter['name']}"


def test_no_request_made_the_daemon_log_a_bug(daemon: DaemonProcess, described: "Described") -> None:
    show(f"{described.answered.total()} requests made from the description")
    assert not [line for line in daemon.lines() if line["level"] in {"error", "critical"}]
    assert "Traceback" not in daemon.text
