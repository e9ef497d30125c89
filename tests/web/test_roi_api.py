"""Results over HTTP: what is read, what is recorded, and the application's own shape."""

import csv
import io
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.web.conftest import Served, path_of

EXECUTIONS = "/api/roi-tracking/executions"
EXECUTION = {
    "workflow_id": 17,
    "execution_time_seconds": 41.5,
    "estimated_time_seconds": 310,
    "actual_cost": 0.25,
    "estimated_cost": 1,
    "success": True,
}


@pytest.fixture
def approved(served: Served) -> str:
    name = f"roi:api:{uuid.uuid4()}"
    path = served.queue(name)
    served.client.post(f"{path}/approve", json={"reviewer": "ann"}).raise_for_status()
    return name


def test_a_saving_is_recorded_and_told_of_its_pattern(served: Served, approved: str) -> None:
    body = {"usd": 0.41, "workflow_id": "wf-1", "baseline_tokens": 10, "actual_tokens": 1}
    receipt = served.client.post(f"{path_of(approved)}/savings", json=body)
    assert (receipt.status_code, receipt.json()) == (
        200, {"pattern_id": approved, "usd": 0.41, "workflow_id": "wf-1", "table": "cost_savings_log"},
    )  # fmt: skip
    found = served.client.get(f"/api/v1/roi/{approved}").json()
    assert (found["saved_usd"], found["runs"], found["standing"]) == (0.41, 1, "too-early")
    assert found["remark"] == "Too early: 1 run."
    everything = served.client.get("/api/v1/roi").json()
    assert approved in [each["pattern_id"] for each in everything["patterns"]]


def test_a_saving_that_is_sent_again_is_written_once(served: Served, approved: str) -> None:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"usd": 1, "workflow_id": "wf-1"}
    before = served.database.count("cost_savings_log")
    answers = [served.client.post(f"{path_of(approved)}/savings", json=body, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert served.database.count("cost_savings_log") == before + 1


def test_the_application_s_own_request_works_unchanged(served: Served, approved: str) -> None:
    answer = served.client.post(EXECUTIONS, json={"pattern_id": approved, **EXECUTION})
    assert answer.status_code == 201
    assert answer.json().keys() == {"message", "execution_id", "pattern_id"}
    assert (answer.json()["pattern_id"], answer.json()["execution_id"] > 0) == (approved, True)
    found = served.client.get(f"/api/v1/roi/{approved}").json()
    assert (found["saved_usd"], found["success_rate"]) == (0.75, 1.0)
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    again = [
        served.client.post(EXECUTIONS, json={"pattern_id": approved, **EXECUTION}, headers=headers) for _ in range(2)
    ]
    assert again[0].json() == again[1].json()


@pytest.mark.parametrize("path", [f"{path_of('no:such:pattern')}/savings", EXECUTIONS])
def test_an_unknown_pattern_is_a_404_with_its_name(served: Served, path: str) -> None:
    body = {"pattern_id": "no:such:pattern", **EXECUTION} if path == EXECUTIONS else {"usd": 1, "workflow_id": "w"}
    answer = served.client.post(path, json=body)
    assert (answer.status_code, "no:such:pattern" in answer.json()["detail"]) == (404, True)
    assert served.client.get("/api/v1/roi/no:such:pattern").status_code == 404


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"workflow_id": "w"}, "usd"),
        ({"usd": "1", "workflow_id": "w"}, "it must be a number"),
        ({"usd": True, "workflow_id": "w"}, "it must be a number"),
        ({"usd": 1e12, "workflow_id": "w"}, "less than or equal to 1000000000"),
        ({"usd": 1, "workflow_id": " "}, "workflow_id is blank"),
        ({"usd": 1, "workflow_id": "w", "cost": 3}, "cost is not known"),
        ({"usd": 1, "workflow_id": "w", "saved_at": "2026-01-01T00:00:00"}, "saved_at"),
    ],
)
def test_a_saving_that_cannot_be_is_refused_with_the_reason(
    served: Served, approved: str, body: dict[str, object], words: str
) -> None:
    answer = served.client.post(f"{path_of(approved)}/savings", json=body)
    assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text


def test_a_run_that_has_not_been_is_a_conflict(served: Served, approved: str) -> None:
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    body = {"usd": 1, "workflow_id": "w", "saved_at": later}
    answer = served.client.post(f"{path_of(approved)}/savings", json=body)
    assert (answer.status_code, "has not come" in answer.json()["detail"]) == (409, True)


def test_the_csv_has_the_sums_of_the_answer(served: Served, approved: str) -> None:
    served.client.post(f"{path_of(approved)}/savings", json={"usd": 12.5, "workflow_id": "wf-9"}).raise_for_status()
    found = served.client.get("/api/v1/roi").json()
    for query in ("", "?by=kind"):
        answer = served.client.get(f"/api/v1/roi.csv{query}")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        lines = list(csv.DictReader(io.StringIO(answer.text)))
        assert sum(float(line["saved_usd"]) for line in lines) == pytest.approx(found["totals"]["saved_usd"], abs=1e-9)


def test_of_many_patterns_the_best_and_the_worst_are_told(served: Served) -> None:
    for number in range(5):
        name = f"roi:many:{uuid.uuid4()}"
        served.client.post(f"{served.queue(name)}/approve").raise_for_status()
        served.client.post(
            f"{path_of(name)}/savings", json={"usd": number - 2.5, "workflow_id": "w"}
        ).raise_for_status()
    everything = served.client.get("/api/v1/roi").json()["patterns"]
    few = served.client.get("/api/v1/roi?limit=3").json()
    assert [each["saved_usd"] for each in few["patterns"]] == [everything[at]["saved_usd"] for at in (0, 1, -1)]
    assert few["totals"]["patterns"] == len(everything)


@pytest.mark.parametrize("signature", ["a/../b", "..", "100%", "sp ace:é"])
def test_any_signature_has_its_results(served: Served, signature: str) -> None:
    served.queue(signature)
    answer = served.client.get("/api/v1/roi/~", params={"pattern_id": signature})
    assert (answer.status_code, answer.json()["pattern_id"]) == (200, signature)
