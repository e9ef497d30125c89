"""The application's own panel: a page of another origin, in a browser, that uses our paths and field names."""

import httpx
import pytest

from tests.support.contract import ENTRY_FIELDS, REPORT_FIELDS
from tests.web.conftest import Served

ORIGIN = "http://localhost:9213"
API = "/api/v1/patterns"


class Panel:
    """Acts as a browser does for a page of another origin: sends preflights, and reads only what CORS allows."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str) -> httpx.Response:
        # What fetch() sends for a GET without headers of its own: a simple request, no preflight.
        answer = self._client.get(
            path, headers={"Origin": ORIGIN, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-site"}
        )
        return self._readable(answer)

    def post(self, path: str, body: object = None) -> httpx.Response:
        asked = self._client.options(
            path,
            headers={
                "Origin": ORIGIN,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type",
                "Sec-Fetch-Mode": "cors",
                "Sec-Fetch-Site": "same-site",
            },
        )
        assert asked.is_success, asked.text
        self._readable(asked)
        assert "POST" in _listed(asked, "access-control-allow-methods")
        assert "content-type" in _listed(asked, "access-control-allow-headers")
        answer = self._client.post(path, json=body, headers={"Origin": ORIGIN, "Content-Type": "application/json"})
        return self._readable(answer)

    @staticmethod
    def _readable(answer: httpx.Response) -> httpx.Response:
        assert answer.headers.get_list("access-control-allow-origin") == [ORIGIN]
        assert answer.headers["access-control-allow-credentials"] == "true"
        return answer


def _listed(answer: httpx.Response, name: str) -> set[str]:
    listed = {item.strip() for item in answer.headers[name].split(",")}
    return listed | {item.lower() for item in listed}


@pytest.fixture
def panel(served: Served) -> Panel:
    return Panel(served.client)


def test_the_panel_lists_pending_entries(served: Served, panel: Panel) -> None:
    for number in range(22):
        served.queue(f"panel:list:{number:02}", occurrence_count=1_000 + number)
    answer = panel.get(f"{API}/pending?limit=20")
    assert answer.status_code == 200
    entries = answer.json()
    assert len(entries) == 20
    assert all(set(entry) == ENTRY_FIELDS for entry in entries)
    assert [entry["pattern_id"] for entry in entries] == [f"panel:list:{number:02}" for number in range(21, 1, -1)]
    entry = entries[0]
    assert isinstance(entry["tool_sequence"], str)
    assert isinstance(entry["occurrence_count"], int)
    assert all(isinstance(entry[name], float) for name in ("confidence_score", "estimated_savings_usd", "impact_score"))
    assert isinstance(entry["example_sessions"], list)
    assert "Link" in answer.headers["access-control-expose-headers"]
    assert "next" in answer.links


def test_the_panel_reads_the_counts(served: Served, panel: Panel) -> None:
    served.queue("panel:count")
    counts = panel.get(f"{API}/statistics").json()
    statuses = {"pending", "approved", "rejected", "auto_approved", "auto_rejected"}
    assert set(counts) == {*statuses, "total", "claimed_usd", "shown_usd"}
    assert counts["total"] == sum(counts[name] for name in statuses)


def test_the_panel_approves(served: Served, panel: Panel) -> None:
    path = served.queue("panel:approve:all")
    entry = panel.post(f"{path}/approve", {"notes": "worth it"}).json()
    assert set(entry) == ENTRY_FIELDS
    assert (entry["status"], entry["approval_notes"], entry["reviewed_by"]) == ("approved", "worth it", "system")
    assert panel.get(path).json() == entry


def test_the_panel_rejects(served: Served, panel: Panel) -> None:
    path = served.queue("panel:reject:all")
    entry = panel.post(f"{path}/reject", {"reason": "a one-off"}).json()
    assert set(entry) == ENTRY_FIELDS
    assert (entry["status"], entry["approval_notes"]) == ("rejected", "REJECTED: a one-off")
    assert [item["notes"] for item in panel.get(f"{path}/history").json()] == ["a one-off"]


def test_the_panel_comments(served: Served, panel: Panel) -> None:
    path = served.queue("panel:comment")
    answer = panel.post(f"{path}/comment", {"comment": "who owns this?"})
    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "message", "pattern_id", "reviewer"}
    assert answer.json()["status"] == "success"
    assert answer.json()["pattern_id"] == "panel:comment"
    assert [item["notes"] for item in panel.get(f"{path}/history").json()] == ["who owns this?"]


@pytest.mark.parametrize(
    ("ending", "body", "status"),
    [("/approve", {"notes": "late"}, 409), ("/reject", {"reason": " "}, 422), ("/comment", {}, 422)],
)
def test_the_panel_can_read_why_a_request_was_refused(
    served: Served, panel: Panel, ending: str, body: dict[str, str], status: int
) -> None:
    path = served.queue(f"panel:refused{ending}")
    served.client.post(f"{path}/approve")
    answer = panel.post(path + ending, body)
    assert answer.status_code == status
    assert isinstance(answer.json()["detail"], str)


def test_the_panel_can_read_that_a_pattern_is_unknown(panel: Panel) -> None:
    assert panel.get(f"{API}/panel%3Anobody").json().keys() == {"detail", "request_id"}
    assert panel.post(f"{API}/panel%3Anobody/approve").status_code == 404


def test_the_panel_syncs(served: Served, panel: Panel) -> None:
    counts = panel.get(f"{API}/sync/statistics").json()
    assert {"patterns_in_source", "patterns_in_review", "pending_sync", "sync_percentage"} <= set(counts)
    served.database.add_pattern("panel:fair", confidence_score=60, occurrence_count=2, potential_monthly_savings=0)
    preview = panel.post(f"{API}/sync/run?dry_run=true", {"min_confidence": 60}).json()
    assert (preview["synced_pattern_ids"], preview["dry_run"]) == (["panel:fair"], True)
    assert panel.post(f"{API}/sync/high-priority?dry_run=false").json()["synced_count"] == 0
    report = panel.post(f"{API}/sync/run").json()
    assert report["synced_pattern_ids"] == ["panel:fair"]
    assert set(report) == REPORT_FIELDS
