"""The review endpoints: what they show, what they write, and whose decision wins."""

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.support.contract import ENTRY_FIELDS
from tests.support.database import QUALIFYING, TestDatabase, snapshot
from tests.support.seed import BY_EVIDENCE, OBSERVED, SIGNATURE, WORKFLOWS, add_seed
from tests.support.waiting import eventually
from tests.web.conftest import Served, path_of

API = "/api/v1/patterns"
TABLES = ("operation_patterns", "pattern_approvals", "pattern_review_history", "pattern_sync.runs")
STATUSES = ("pending", "approved", "rejected", "auto-approved", "auto-rejected")
UTC_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
ODD_SIGNATURES = [
    "odd:colons::all:",
    "odd/slash",
    "odd/a/history",
    "odd/explain",
    "odd/approve",
    "sync/run",
    "sync/statistics",
    "ws/patterns",
    "odd space  two",
    " odd blanks around ",
    "odd 100%",
    "odd%2Fencoded twice",
    "odd%",
    "odd é 日本 🚀👩‍💻",
    "odd \"double\" 'single' `back`",
    "<img src=x onerror=alert(1)>",
    "odd?query=1&b=2#fragment",
    "odd+plus;semi,comma=equals",
    "odd\\back\\slash",
    "odd\nnew line\tand tab",
    "odd {curly} [square]",
    "'; DROP TABLE pattern_approvals; --",
    "//odd//double//",
    "x" * 255,
]


def insert_entry(database: TestDatabase, signature: str, status: str = "pending", **columns: object) -> str:
    database.add_entry(signature, status, **columns)
    return path_of(signature)


def source_of(database: TestDatabase, signature: str) -> dict[str, Any]:
    return database.execute("SELECT * FROM operation_patterns WHERE pattern_signature = %s", signature)[0]


def walk(client: httpx.Client, first: str) -> Iterator[list[dict[str, Any]]]:
    url: str | None = first
    asked = set()
    while url:
        assert url not in asked, "the pages form a cycle"
        asked.add(url)
        answer = client.get(url)
        assert answer.status_code == 200, answer.text
        yield answer.json()
        url = answer.links["next"]["url"] if "next" in answer.links else None


def assert_invalid(answer: httpx.Response, *loc: str) -> str:
    assert answer.status_code == 422, answer.text
    detail, faults = answer.json()["detail"], answer.json()["fields"]
    assert all(set(fault) == {"loc", "msg", "type"} for fault in faults)
    assert list(loc) in [fault["loc"] for fault in faults]
    assert isinstance(detail, str)
    assert faults[0]["msg"].removesuffix(".") in detail
    return str(faults[0]["msg"])


def test_an_entry_has_the_fields_and_the_figures_of_the_contract(served: Served) -> None:
    path = served.queue("sdlc:figures", typical_input_pattern="context")
    entry = served.client.get(path).json()
    assert set(entry) == ENTRY_FIELDS
    assert entry["pattern_id"] == "sdlc:figures"
    assert entry["status"] == "pending"
    assert (entry["confidence_score"], entry["occurrence_count"]) == (0.85, 78_167)
    assert entry["estimated_savings_usd"] == 183_844.06
    assert entry["impact_score"] == pytest.approx(0.85 * 78_167 * 183_844.06)
    assert entry["pattern_context"] == "context"
    assert entry["example_sessions"] == []
    assert entry["reviewed_by"] is entry["reviewed_at"] is entry["approval_notes"] is None
    assert UTC_MOMENT.fullmatch(entry["created_at"])
    assert datetime.now(UTC) - datetime.fromisoformat(entry["created_at"]) < timedelta(minutes=1)


def test_the_sessions_in_which_a_pattern_was_seen_are_a_list(served: Served) -> None:
    with served.database.another_connection(autocommit=False) as detector:
        found = detector.execute(
            "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
            " potential_monthly_savings) VALUES ('sdlc:seen', 'sdlc', 90, 100, 5000) RETURNING id"
        ).fetchone()
        assert found
        for workflow in ("wf-1", 'wf "2"'):
            detector.execute(
                "INSERT INTO pattern_occurrences (pattern_id, workflow_id) VALUES (%s, %s)", [found["id"], workflow]
            )
        detector.commit()
    eventually(lambda: served.database.entry("sdlc:seen"))
    assert sorted(served.client.get(path_of("sdlc:seen")).json()["example_sessions"]) == ['wf "2"', "wf-1"]


def test_without_a_limit_twenty_entries_come_best_impact_first(served: Served) -> None:
    for number in range(25):
        insert_entry(served.database, f"twenty:{number}", occurrence_count=number)
    answer = served.client.get(f"{API}/pending")
    impacts = [entry["impact_score"] for entry in answer.json()]
    assert len(impacts) == 20
    assert impacts == sorted(impacts, reverse=True)
    assert all(set(entry) == ENTRY_FIELDS for entry in answer.json())
    assert all(entry["status"] == "pending" for entry in answer.json())


@pytest.mark.parametrize("limit", ["0", "-1", "501", "1.5", "many", "", "9" * 40])
@pytest.mark.parametrize("listing", ["/pending", ""])
def test_a_limit_out_of_range_is_refused(served: Served, listing: str, limit: str) -> None:
    assert_invalid(served.client.get(f"{API}{listing}", params={"limit": limit}), "query", "limit")


@pytest.mark.parametrize("limit", [1, 500])
def test_the_bounds_of_the_limit_are_allowed(served: Served, limit: int) -> None:
    insert_entry(served.database, f"bound:{limit}")
    insert_entry(served.database, f"bound:{limit}:more")
    entries = served.client.get(f"{API}/pending", params={"limit": limit}).json()
    assert len(entries) == min(limit, served.client.get(f"{API}/statistics").json()["pending"])


@pytest.mark.parametrize("limit", [1, 7, 500])
def test_the_cursor_walks_the_whole_list_without_gaps_or_duplicates(served: Served, limit: int) -> None:
    for number in range(9):
        insert_entry(served.database, f"equal:{limit}:{number}")
        insert_entry(served.database, f"better:{limit}/{number} é", occurrence_count=100 + number)
    insert_entry(served.database, f"nothing:{limit}", occurrence_count=0)
    insert_entry(served.database, f"less than nothing:{limit}", occurrence_count=-3)
    pages = list(walk(served.client, f"{API}/pending?limit={limit}"))
    found = [entry for page in pages for entry in page]
    assert all(len(page) == limit for page in pages[:-1])
    assert pages[-1]
    order = [(-entry["impact_score"], entry["pattern_id"].encode()) for entry in found]
    assert order == sorted(order)
    expected = served.database.execute("SELECT pattern_id FROM pattern_approvals WHERE status = 'pending'")
    assert Counter(entry["pattern_id"] for entry in found) == Counter(row["pattern_id"] for row in expected)


def test_a_decision_between_two_pages_hides_nobody_else(served: Served) -> None:
    names = [f"between:{number}" for number in range(6)]
    for name in names:
        insert_entry(served.database, name, occurrence_count=2_000_000_000, estimated_savings_usd=9e9)
    pages = walk(served.client, f"{API}/pending?limit=3")
    first = [entry["pattern_id"] for entry in next(pages)]
    for name in first:
        assert served.client.post(f"{path_of(name)}/approve").status_code == 200
    second = [entry["pattern_id"] for entry in next(pages)]
    assert first + second == names


def test_the_last_page_has_no_link_even_when_it_is_full(served: Served) -> None:
    for number in range(4):
        insert_entry(served.database, f"full:{number}", "auto-rejected")
    listing = f"{API}?status=auto-rejected"
    total = served.client.get(f"{API}/statistics").json()["auto_rejected"]
    assert "link" not in served.client.get(f"{listing}&limit={total}").headers
    more = served.client.get(f"{listing}&limit={total - 1}")
    assert more.links["next"]["url"].startswith(f"{API}?status=auto-rejected&limit={total - 1}&cursor=")
    assert len(served.client.get(more.links["next"]["url"]).json()) == 1


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_can_be_listed(served: Served, status: str) -> None:
    for number in range(3):
        insert_entry(served.database, f"listed:{status}:{number}", status)
    found = [entry for page in walk(served.client, f"{API}?status={status}&limit=20") for entry in page]
    assert {entry["status"] for entry in found} == {status}
    expected = served.database.execute("SELECT count(*) AS n FROM pattern_approvals WHERE status = %s", status)
    assert len(found) == expected[0]["n"]


def test_an_unknown_status_is_refused(served: Served) -> None:
    assert_invalid(served.client.get(f"{API}?status=in_review"), "query", "status")


def test_the_statistics_count_each_status(served: Served) -> None:
    before = served.client.get(f"{API}/statistics").json()
    assert set(before) == {
        *("pending", "approved", "rejected", "auto_approved", "auto_rejected", "total"),
        *("claimed_usd", "shown_usd"),
    }
    for number, status in enumerate(STATUSES, start=1):
        for copy in range(number):
            insert_entry(served.database, f"counted:{status}:{copy}", status)
    after = served.client.get(f"{API}/statistics").json()
    more = {name: after[name] - before[name] for name in before if name != "shown_usd"}
    assert more == {
        "pending": 1,
        "approved": 2,
        "rejected": 3,
        "auto_approved": 4,
        "auto_rejected": 5,
        "total": 15,
        "claimed_usd": 100.0,
    }


def test_what_is_recorded_is_shown_beside_what_is_claimed(served: Served) -> None:
    add_seed(served.database, entered=False)
    eventually(lambda: SIGNATURE in served.database.queue())
    entry = served.client.get(path_of(SIGNATURE)).json()
    evidence = entry["evidence"]
    assert entry["estimated_savings_usd"] == 183_844.06
    assert (evidence["savings_observed"], evidence["savings_by_evidence"]) == (OBSERVED, BY_EVIDENCE)
    assert (evidence["workflows"], evidence["last_seen"]) == (WORKFLOWS, "2025-11-20T18:24:00Z")
    assert evidence["flags"][0] == {
        "name": "counted-twice",
        "rule": "78,167 occurrences are claimed; 24 distinct workflows are recorded: each was counted 3,257 times.",
    }
    assert served.client.get(f"{path_of(SIGNATURE)}/explain").json()["evidence"] == evidence
    listed = served.client.get(f"{API}/pending?limit=500").json()
    assert {each["pattern_id"]: each["evidence"] for each in listed}[SIGNATURE] == evidence


@pytest.mark.parametrize("signature", ODD_SIGNATURES)
def test_a_pattern_may_have_any_name(served: Served, signature: str) -> None:
    path = served.queue(signature)
    assert served.client.get(path).json()["pattern_id"] == signature
    noted = served.client.post(f"{path}/comment", json={"comment": "seen", "reviewer": "ann"})
    assert noted.json()["pattern_id"] == signature
    assert served.client.get(f"{path}/explain").json()["pattern_id"] == signature
    decided = served.client.post(f"{path}/approve", json={"reviewer": "ann"}).json()
    assert (decided["pattern_id"], decided["status"]) == (signature, "approved")
    shown = served.client.get(f"{path}/history").json()
    assert [item["action"] for item in shown] == ["commented", "approved"]
    assert [item["action"] for item in served.database.history_of(signature)] == ["commented", "approved"]


def test_an_encoded_slash_is_part_of_the_name_and_a_plain_slash_before_an_endpoint_is_not(served: Served) -> None:
    for name in ("tree", "tree/history", "tree/history/history"):
        insert_entry(served.database, name)
    base = f"{API}/tree"
    assert served.client.get(f"{base}%2Fhistory").json()["pattern_id"] == "tree/history"
    assert served.client.get(f"{base}%2fhistory").json()["pattern_id"] == "tree/history"
    assert served.client.get(f"{base}/history").json() == []
    assert served.client.get(f"{base}%2Fhistory%2Fhistory").json()["pattern_id"] == "tree/history/history"
    served.client.post(f"{base}%2Fhistory/comment", json={"comment": "x"})
    assert len(served.client.get(f"{base}%2Fhistory/history").json()) == 1
    assert len(served.client.get(f"{base}/history/history").json()) == 1
    assert served.client.get(f"{base}/history").json() == []


def test_a_plain_slash_before_no_endpoint_is_part_of_the_name(served: Served) -> None:
    insert_entry(served.database, "branch/of/it")
    assert served.client.get(f"{API}/branch/of/it").json()["pattern_id"] == "branch/of/it"
    assert served.client.post(f"{API}/branch/of/it/approve").json()["status"] == "approved"


@pytest.mark.parametrize(("word", "encoded"), [("pending", "%70ending"), ("statistics", "%73tatistics")])
def test_an_entry_named_like_an_endpoint_is_reached_by_an_encoded_letter(
    served: Served, word: str, encoded: str
) -> None:
    insert_entry(served.database, word)
    shown = served.client.get(f"{API}/{word}").json()
    assert "pattern_id" not in shown
    assert served.client.get(f"{API}/{encoded}").json()["pattern_id"] == word
    assert served.client.get(f"{API}/{word}/history").json() == []
    assert served.client.post(f"{API}/{word}/approve").json()["pattern_id"] == word


@pytest.mark.parametrize(
    ("method", "ending", "body"),
    [
        ("GET", "", None),
        ("GET", "/history", None),
        ("GET", "/explain", None),
        ("POST", "/approve", None),
        ("POST", "/reject", {"reason": "x"}),
        ("POST", "/comment", {"comment": "x"}),
    ],
)
@pytest.mark.parametrize("signature", ["nobody:knows", "nobody/knows", "nobody é%"])
def test_an_unknown_pattern_is_not_found_and_named(
    served: Served, signature: str, method: str, ending: str, body: dict[str, str] | None
) -> None:
    before = snapshot(served.database, TABLES)
    answer = served.client.request(method, path_of(signature) + ending, json=body)
    assert answer.status_code == 404
    assert set(answer.json()) == {"detail", "request_id"}
    assert signature in answer.json()["detail"]
    assert snapshot(served.database, TABLES) == before


def test_an_approval_without_a_body_is_made_by_the_system(served: Served) -> None:
    path = served.queue("approve:bare")
    answer = served.client.post(f"{path}/approve")
    assert answer.status_code == 200
    entry = answer.json()
    assert set(entry) == ENTRY_FIELDS
    assert (entry["status"], entry["reviewed_by"], entry["approval_notes"]) == ("approved", "system", None)
    assert UTC_MOMENT.fullmatch(entry["reviewed_at"])
    assert served.client.get(path).json() == entry


@pytest.mark.parametrize("content", [b"", b"null", b"{}"])
def test_an_approval_may_have_an_empty_json_body(served: Served, content: bytes) -> None:
    path = served.queue(f"approve:nothing:{content!r}")
    answer = served.client.post(f"{path}/approve", content=content, headers={"Content-Type": "application/json"})
    assert answer.json()["status"] == "approved"


@pytest.mark.parametrize(
    ("ending", "body", "status", "notes"),
    [
        ("/approve", {"notes": "  worth a script\n", "reviewer": " ann "}, "approved", "worth a script"),
        ("/reject", {"reason": " a one-off 💡 ", "reviewer": "ann"}, "rejected", "a one-off 💡"),
    ],
)
def test_a_decision_writes_the_entry_its_history_and_the_patterns_status(
    served: Served, ending: str, body: dict[str, str], status: str, notes: str
) -> None:
    path = served.queue(f"written:{status}")
    answer = served.client.post(path + ending, json=body)
    assert answer.status_code == 200
    entry = served.database.entry(f"written:{status}")
    assert entry is not None
    kept = f"REJECTED: {notes}" if status == "rejected" else notes
    assert (entry["status"], entry["reviewed_by"], entry["approval_notes"]) == (status, "ann", kept)
    assert served.database.history_of(f"written:{status}") == [{"action": status, "reviewer": "ann", "notes": notes}]
    source = source_of(served.database, f"written:{status}")
    assert (source["automation_status"], source["reviewed_by"], source["review_notes"]) == (status, "ann", notes)
    assert source["reviewed_at"] == entry["reviewed_at"]
    assert datetime.fromisoformat(answer.json()["reviewed_at"]) == entry["reviewed_at"]


def test_a_decision_marks_no_other_pattern(served: Served) -> None:
    path = served.queue("only:this")
    served.queue("only:that")
    before = source_of(served.database, "only:that")
    served.client.post(f"{path}/approve")
    assert source_of(served.database, "only:that") == before


def test_an_entry_whose_pattern_is_gone_can_be_decided(served: Served) -> None:
    path = insert_entry(served.database, "gone:decided")
    assert served.client.post(f"{path}/reject", json={"reason": "gone"}).json()["status"] == "rejected"
    assert len(served.database.history_of("gone:decided")) == 1


@pytest.mark.parametrize(
    "body", [{}, {"reason": None}, {"reason": ""}, {"reason": " \n\t "}, {"reason": 5}, {"notes": "x"}]
)
def test_a_rejection_needs_a_reason(served: Served, body: dict[str, object]) -> None:
    path = insert_entry(served.database, f"reason:{body}")
    before = snapshot(served.database, TABLES)
    answer = served.client.post(f"{path}/reject", json=body)
    assert answer.status_code == 422
    assert "reason" in answer.text
    assert snapshot(served.database, TABLES) == before


def test_a_rejection_without_a_body_is_refused(served: Served) -> None:
    path = insert_entry(served.database, "reason:no body")
    assert_invalid(served.client.post(f"{path}/reject"), "body")


@pytest.mark.parametrize(("ending", "field"), [("/approve", "notes"), ("/reject", "reason"), ("/comment", "comment")])
def test_ten_thousand_characters_are_stored_and_one_more_is_refused(served: Served, ending: str, field: str) -> None:
    path = insert_entry(served.database, f"long:{field}")
    answer = served.client.post(path + ending, json={field: "é" * 10_001})
    assert "10" in assert_invalid(answer, "body", field)
    assert served.database.history_of(f"long:{field}") == []
    assert served.client.post(path + ending, json={field: "é" * 10_000}).status_code == 200
    assert served.database.history_of(f"long:{field}")[0]["notes"] == "é" * 10_000


def test_a_decision_whose_history_cannot_be_written_is_rolled_back(served: Served) -> None:
    path = served.queue("atomic")
    with refusing_history(served.database):
        before = snapshot(served.database, TABLES)
        for ending, body in (
            ("/approve", {"notes": "poison"}),
            ("/reject", {"reason": "poison"}),
            ("/comment", {"comment": "poison"}),
        ):
            answer = served.client.post(path + ending, json=body)
            assert answer.status_code == 409
            assert answer.json().get("entry") is None
            for word in ("constraint", "history", "poison", "INSERT", "23514"):
                assert word.lower() not in answer.text.lower()
        assert snapshot(served.database, TABLES) == before
    assert served.client.post(f"{path}/approve", json={"notes": "poison"}).status_code == 200


def test_a_decision_whose_pattern_status_is_refused_is_rolled_back(served: Served) -> None:
    path = served.queue("atomic:mark")
    served.database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'not this one: secret words'; END $$"
    )
    served.database.execute(
        "CREATE TRIGGER refuse BEFORE UPDATE ON operation_patterns FOR EACH ROW"
        " WHEN (OLD.pattern_signature = 'atomic:mark') EXECUTE FUNCTION refuse()"
    )
    before = snapshot(served.database, TABLES)
    answer = served.client.post(f"{path}/approve")
    assert answer.status_code == 409
    assert "secret words" not in answer.text
    assert snapshot(served.database, TABLES) == before
    eventually(lambda: "secret words" in served.daemon.text, what="the reason in the log")


@pytest.mark.parametrize(
    ("ending", "body", "table", "event", "said"),
    [
        ("/approve", {}, "pattern_approvals", "UPDATE", "decision"),
        ("/reject", {"reason": "no"}, "pattern_review_history", "INSERT", "decision"),
        ("/comment", {"comment": "hm"}, "pattern_review_history", "INSERT", "comment"),
    ],
)
def test_a_decision_that_a_trigger_drops_is_reported_as_refused(
    served: Served, ending: str, body: dict[str, str], table: str, event: str, said: str
) -> None:
    path = served.queue(f"swallowed:{ending}")
    served.database.execute("CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    served.database.execute(f"CREATE TRIGGER swallow BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION swallow()")
    try:
        before = snapshot(served.database, TABLES)
        answer = served.client.post(path + ending, json=body)
        assert answer.status_code == 409
        assert answer.json()["detail"] == (
            f"A trigger or policy of the application refused the {said} on 'swallowed:{ending}'; nothing was written."
        )
        assert snapshot(served.database, TABLES) == before
    finally:
        served.database.execute("DROP FUNCTION swallow CASCADE")


def test_a_decided_entry_is_never_touched_by_a_machine_again(served: Served) -> None:
    path = served.queue("kept")
    served.client.post(f"{path}/reject", json={"reason": "no"})
    before = served.database.entry("kept")
    served.database.execute(
        "UPDATE operation_patterns SET automation_status = 'detected', occurrence_count = 9, confidence_score = 99"
        " WHERE pattern_signature = 'kept'"
    )
    served.database.execute("SELECT pattern_sync.request('kept')")
    ran = served.client.post(f"{API}/sync/high-priority").json()
    assert ran["synced_count"] == ran["error_count"] == 0
    assert ran["skipped_count"] > 0
    served.queue("kept:later")  # all earlier notifications were handled, too
    assert served.database.entry("kept") == before
    assert served.client.get(f"{path}/explain").json()["outcome"] == "decided"


@contextmanager
def refusing_history(database: TestDatabase) -> Iterator[None]:
    database.execute(
        "ALTER TABLE pattern_review_history ADD CONSTRAINT no_poison CHECK (notes IS DISTINCT FROM 'poison')"
    )
    try:
        yield
    finally:
        database.execute("ALTER TABLE pattern_review_history DROP CONSTRAINT no_poison")


def test_a_second_decision_is_a_conflict_that_names_who_decided_what_and_when(served: Served) -> None:
    path = served.queue("second")
    served.client.post(f"{path}/approve", json={"reviewer": "ann", "notes": "mine"})
    before = snapshot(served.database, TABLES)
    answer = served.client.post(f"{path}/reject", json={"reason": "no", "reviewer": "bob"})
    assert answer.status_code == 409
    assert set(answer.json()) == {"detail", "entry", "request_id"}
    assert answer.json()["entry"] == served.client.get(path).json()
    moment = datetime.fromisoformat(answer.json()["entry"]["reviewed_at"])
    for word in ("second", "approved", "ann", f"{moment:%Y-%m-%d}", f"{moment:%H:%M:%S}", "UTC"):
        assert word in answer.json()["detail"]
    assert "bob" not in answer.text
    assert snapshot(served.database, TABLES) == before


def test_the_same_decision_sent_again_is_no_conflict_and_written_once(served: Served) -> None:
    path = served.queue("twice")
    first = served.client.post(f"{path}/approve", json={"notes": "good", "reviewer": "ann"})
    again = served.client.post(f"{path}/approve", json={"notes": "good", "reviewer": "ann"})
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert int(first.headers["Pattern-Sync-Batch"]) > 0
    assert again.headers["Pattern-Sync-Batch"] == first.headers["Pattern-Sync-Batch"]
    for other in ({"notes": "good", "reviewer": "bob"}, {"notes": "better", "reviewer": "ann"}):
        assert served.client.post(f"{path}/approve", json=other).status_code == 409
    assert len(served.database.history_of("twice")) == 1


@pytest.mark.parametrize("standing", STATUSES[1:])
def test_a_decision_of_any_status_stands(served: Served, standing: str) -> None:
    path = insert_entry(served.database, f"standing:{standing}", standing, reviewed_by=None)
    answer = served.client.post(f"{path}/approve")
    assert answer.status_code == 409
    assert standing in answer.json()["detail"]
    assert answer.json()["entry"]["status"] == standing


def test_a_standing_decision_is_replaced_when_the_request_names_it(served: Served) -> None:
    path = served.queue("undo")
    steps: list[tuple[str, dict[str, str], int]] = [
        ("/approve", {"reviewer": "ann"}, 200),
        ("/reject", {"reason": "no", "replaces": "rejected", "reviewer": "bob"}, 409),
        ("/reject", {"reason": "changed my mind", "replaces": "approved", "reviewer": "ann"}, 200),
        ("/reject", {"reason": "again", "replaces": "approved", "reviewer": "bob"}, 409),
        ("/approve", {"reviewer": "bob"}, 409),
        ("/approve", {"replaces": "rejected", "reviewer": "eve"}, 200),
        ("/approve", {"replaces": "approved", "notes": "other words", "reviewer": "eve"}, 200),
    ]
    for ending, body, code in steps:
        answer = served.client.post(path + ending, json=body)
        assert answer.status_code == code, (body, answer.text)
    history = served.client.get(f"{path}/history").json()
    assert [(item["action"], item["reviewer"], item["notes"]) for item in history] == [
        ("approved", "ann", None),
        ("rejected", "ann", "changed my mind"),
        ("approved", "eve", None),
        ("approved", "eve", "other words"),
    ]
    entry = served.client.get(path).json()
    assert (entry["status"], entry["reviewed_by"], entry["approval_notes"]) == ("approved", "eve", "other words")
    source = source_of(served.database, "undo")
    assert (source["automation_status"], source["reviewed_by"]) == ("approved", "eve")


@pytest.mark.parametrize("replaces", STATUSES[1:])
def test_an_undecided_entry_has_no_decision_to_replace(served: Served, replaces: str) -> None:
    path = insert_entry(served.database, f"nothing to replace:{replaces}")
    answer = served.client.post(f"{path}/approve", json={"replaces": replaces})
    assert answer.status_code == 409
    assert "pending" in answer.json()["detail"]
    assert answer.json()["entry"]["status"] == "pending"


@pytest.mark.parametrize("machine", ["auto-approved", "auto-rejected"])
def test_a_machines_decision_can_be_replaced(served: Served, machine: str) -> None:
    path = insert_entry(served.database, f"machine:{machine}", machine)
    answer = served.client.post(f"{path}/reject", json={"reason": "no", "replaces": machine})
    assert answer.json()["status"] == "rejected"


@pytest.mark.parametrize("replaces", ["", "in_review", "Pending", None, 1])
def test_a_status_that_does_not_exist_cannot_be_replaced(served: Served, replaces: object) -> None:
    path = insert_entry(served.database, f"no status:{replaces!r}")
    assert_invalid(served.client.post(f"{path}/approve", json={"replaces": replaces}), "body", "replaces")


def test_exactly_one_of_many_simultaneous_decisions_wins_each_entry(served: Served) -> None:
    names = [f"race:{number}" for number in range(12)]
    paths = {name: served.queue(name) for name in names}

    def decide(person: int, name: str) -> tuple[str, str, httpx.Response]:
        if person % 2:
            body, ending = {"reason": f"said {person}", "reviewer": f"person {person}"}, "/reject"
        else:
            body, ending = {"notes": f"said {person}", "reviewer": f"person {person}"}, "/approve"
        return name, f"person {person}", served.client.post(paths[name] + ending, json=body)

    attempts = [(person, name) for name in names for person in range(8)]
    with ThreadPoolExecutor(max_workers=16) as people:
        answers = list(people.map(lambda attempt: decide(*attempt), attempts))
    winners = {name: (person, answer) for name, person, answer in answers if answer.status_code == 200}
    assert Counter(answer.status_code for _, _, answer in answers) == {200: 12, 409: 84}
    assert set(winners) == set(names)
    for name, (person, won) in winners.items():
        assert served.client.get(paths[name]).json() == won.json()
        assert won.json()["reviewed_by"] == person
        (only,) = served.database.history_of(name)
        assert (only["action"], only["reviewer"]) == (won.json()["status"], person)
        source = source_of(served.database, name)
        assert (source["automation_status"], source["reviewed_by"]) == (won.json()["status"], person)
    for name, person, lost in answers:
        if lost.status_code == 409:
            winner, won = winners[name]
            assert person != winner
            assert winner in lost.json()["detail"]
            assert lost.json()["entry"] == won.json()


def test_exactly_one_of_many_simultaneous_replacements_wins(served: Served) -> None:
    path = served.queue("race:undo")
    served.client.post(f"{path}/approve")
    with ThreadPoolExecutor(max_workers=8) as people:
        codes = list(
            people.map(
                lambda person: (
                    served.client.post(
                        f"{path}/reject", json={"reason": f"{person}", "replaces": "approved"}
                    ).status_code
                ),
                range(8),
            )
        )
    assert Counter(codes) == {200: 1, 409: 7}
    assert [item["action"] for item in served.database.history_of("race:undo")] == ["approved", "rejected"]


@pytest.mark.parametrize(
    ("body", "header", "name"),
    [
        (None, None, "system"),
        ("ann", None, "ann"),
        ("  ann  ", None, "ann"),
        (None, "bob", "bob"),
        ("ann", "bob", "ann"),
        ("", "bob", "bob"),
        ("  ", "bob", "bob"),
        ("", None, "system"),
        (None, "", "system"),
        ("Søren 🦊", None, "Søren 🦊"),
        (None, "Søren 🦊", "Søren 🦊"),
        ("r" * 255, None, "r" * 255),
        (None, "é" * 255, "é" * 255),
    ],
)
def test_a_reviewer_in_the_body_takes_precedence_over_the_header(
    served: Served, body: str | None, header: str | None, name: str
) -> None:
    headers = {} if header is None else {b"X-Reviewer": header.encode()}
    for ending, text in (("approve", {}), ("reject", {"reason": "x"}), ("comment", {"comment": "x"})):
        signature = f"reviewer:{ending}:{body}:{header}"[:200]
        path = insert_entry(served.database, signature)
        said = {**text, **({} if body is None else {"reviewer": body})}
        answer = served.client.post(f"{path}/{ending}", json=said, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["reviewer" if ending == "comment" else "reviewed_by"] == name
        assert served.database.history_of(signature)[0]["reviewer"] == name


def test_a_header_that_is_not_utf8_is_read_as_latin_1(served: Served) -> None:
    path = insert_entry(served.database, "reviewer:latin")
    answer = served.client.post(f"{path}/approve", headers={b"X-Reviewer": "Søren".encode("latin-1")})
    assert answer.json()["reviewed_by"] == "Søren"


@pytest.mark.parametrize(
    "content",
    [
        b'{"reviewer": "%s", "reason": "x", "comment": "x"}' % (b"r" * 256),
        b'{"reviewer": "a\\u0000b", "reason": "x", "comment": "x"}',
        b'{"reviewer": "\\ud800", "reason": "x", "comment": "x"}',
        b'{"reviewer": 5, "reason": "x", "comment": "x"}',
        b'{"reviewer": ["ann"], "reason": "x", "comment": "x"}',
    ],
    ids=["too long", "NUL", "half of a surrogate pair", "number", "list"],
)
@pytest.mark.parametrize("ending", ["approve", "reject", "comment"])
def test_a_reviewer_name_that_cannot_be_stored_is_refused(served: Served, ending: str, content: bytes) -> None:
    signature = f"refused:{ending}:{content!r}"[:200]
    path = insert_entry(served.database, signature)
    answer = served.client.post(f"{path}/{ending}", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert "reviewer" in answer.text
    assert served.database.history_of(signature) == []


def test_a_header_that_is_too_long_is_refused(served: Served) -> None:
    path = insert_entry(served.database, "refused:header")
    answer = served.client.post(f"{path}/approve", headers={"X-Reviewer": "r" * 256})
    assert "255" in assert_invalid(answer, "header", "X-Reviewer")


@pytest.mark.parametrize("text", ['"a\\u0000b"', '"\\ud800"', '"\\udfff tail"'])
@pytest.mark.parametrize(("ending", "field"), [("/approve", "notes"), ("/reject", "reason"), ("/comment", "comment")])
def test_a_text_that_cannot_be_stored_is_refused(served: Served, ending: str, field: str, text: str) -> None:
    signature = f"refused:{field}:{text}"
    path = insert_entry(served.database, signature)
    answer = served.client.post(
        path + ending, content=f'{{"{field}": {text}}}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert field in answer.text
    assert served.database.history_of(signature) == []


def test_a_comment_is_recorded_and_changes_nothing_else(served: Served) -> None:
    path = served.queue("comment:one")
    before = snapshot(served.database, TABLES[:2])
    answer = served.client.post(f"{path}/comment", json={"comment": " who owns this? ", "reviewer": "ann"})
    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "message", "pattern_id", "reviewer"}
    assert answer.json()["status"] == "success"
    assert (answer.json()["pattern_id"], answer.json()["reviewer"]) == ("comment:one", "ann")
    assert served.database.history_of("comment:one") == [
        {"action": "commented", "reviewer": "ann", "notes": "who owns this?"}
    ]
    assert snapshot(served.database, TABLES[:2]) == before


@pytest.mark.parametrize("status", STATUSES)
def test_an_entry_can_be_commented_whatever_its_status(served: Served, status: str) -> None:
    path = insert_entry(served.database, f"comment:{status}", status)
    assert served.client.post(f"{path}/comment", json={"comment": "x"}).status_code == 200
    assert served.client.get(path).json()["status"] == status


@pytest.mark.parametrize("body", [{}, {"comment": ""}, {"comment": " \n "}, {"comment": None}, {"reason": "x"}])
def test_a_blank_comment_is_refused(served: Served, body: dict[str, object]) -> None:
    path = insert_entry(served.database, f"blank:{body}")
    assert_invalid(served.client.post(f"{path}/comment", json=body), "body", "comment")
    assert served.database.history_of(f"blank:{body}") == []


def test_the_history_lists_all_actions_oldest_first(served: Served) -> None:
    path = served.queue("told")
    served.client.post(f"{path}/comment", json={"comment": "first", "reviewer": "ann"})
    served.database.execute(
        "INSERT INTO pattern_review_history (pattern_id, action, reviewer) VALUES ('told', 'flagged', 'app')"
    )
    served.client.post(f"{path}/approve", json={"notes": "then", "reviewer": "bob"})
    history = served.client.get(f"{path}/history").json()
    assert all(set(item) == {"action", "reviewer", "notes", "created_at"} for item in history)
    assert [(item["action"], item["reviewer"], item["notes"]) for item in history] == [
        ("commented", "ann", "first"),
        ("flagged", "app", None),
        ("approved", "bob", "then"),
    ]
    moments = [item["created_at"] for item in history]
    assert all(UTC_MOMENT.fullmatch(moment) for moment in moments)
    assert moments == sorted(moments)


def explain(served: Served, signature: str) -> dict[str, Any]:
    answer = served.client.get(f"{path_of(signature)}/explain")
    assert answer.status_code == 200, answer.text
    explained: dict[str, Any] = answer.json()
    assert set(explained) == {
        "pattern_id",
        "queued",
        "outcome",
        "reason",
        "entry_status",
        "automation_status",
        "eligible",
        "rejected",
        "written_by_us",
        "criteria",
        "shortfalls",
        "evidence",
    }
    return explained


def criterion(name: str, value: str, bound: str, number: float, minimum: float) -> dict[str, object]:
    words = {"name": name, "value": value, "bound": bound, "met": True}
    return {**words, "number": number, "minimum": minimum, "maximum": None, "missing_by": None}


def test_a_pattern_that_qualifies_is_explained_as_queued(served: Served) -> None:
    served.queue("explain:queued")
    explained = explain(served, "explain:queued")
    assert explained["queued"] is True
    assert (explained["outcome"], explained["entry_status"]) == ("unchanged", "pending")
    assert (explained["eligible"], explained["automation_status"]) == (True, "detected")
    assert explained["criteria"] == [
        criterion("confidence", "85 %", "70 % or more", 85, 70),
        criterion("occurrences", "78,167", "5 or more", 78_167, 5),
        criterion("savings", "183,844.06 USD a month", "1,000.00 USD a month or more", 183_844.06, 1_000),
    ]
    assert explained["shortfalls"] == []


def test_a_pattern_that_falls_short_is_explained_with_each_shortfall(served: Served) -> None:
    served.database.add_pattern("explain:short", confidence_score=42.5, potential_monthly_savings=999.5)
    explained = explain(served, "explain:short")
    assert explained["queued"] is False
    assert (explained["outcome"], explained["entry_status"]) == ("short", None)
    assert [(item["name"], item["value"], item["bound"]) for item in explained["shortfalls"]] == [
        ("confidence", "42.5 %", "70 % or more"),
        ("savings", "999.50 USD a month", "1,000.00 USD a month or more"),
    ]
    assert [item["met"] for item in explained["criteria"]] == [False, True, False]
    assert [item["missing_by"] for item in explained["criteria"]] == [27.5, None, 0.5]
    assert "42.5 %" in explained["reason"]


def test_a_pattern_that_was_taken_further_is_explained_as_not_eligible(served: Served) -> None:
    served.database.add_pattern("explain:active", automation_status="active")
    explained = explain(served, "explain:active")
    assert (explained["outcome"], explained["eligible"], explained["shortfalls"]) == ("short", False, [])
    assert "'active'" in explained["reason"]


def test_a_deleted_pattern_is_explained_as_gone(served: Served) -> None:
    served.queue("explain:gone")
    served.database.execute("INSERT INTO pattern_sync.written VALUES ('explain:gone') ON CONFLICT DO NOTHING")
    served.database.execute("DELETE FROM operation_patterns WHERE pattern_signature = 'explain:gone'")
    explained = explain(served, "explain:gone")
    assert (explained["queued"], explained["outcome"], explained["criteria"]) == (True, "gone", [])
    assert (explained["automation_status"], explained["written_by_us"]) == (None, True)
    assert "the detector has deleted the pattern" in explained["reason"]
    assert served.client.get(path_of("explain:gone")).json()["from_pattern"] is True


def test_a_foreign_entry_is_explained_as_foreign(served: Served) -> None:
    path = insert_entry(served.database, "explain:foreign")
    explained = explain(served, "explain:foreign")
    assert (explained["outcome"], explained["written_by_us"]) == ("gone", False)
    assert "another program wrote it" in explained["reason"]
    assert served.client.get(path).json()["from_pattern"] is False
    served.database.add_pattern("explain:foreign")
    assert served.client.get(path).json()["from_pattern"] is True


def test_a_pattern_rejected_before_is_explained_as_not_eligible(served: Served) -> None:
    served.database.execute("INSERT INTO pattern_sync.rejections VALUES ('explain:rejected')")
    served.database.add_pattern("explain:rejected", confidence_score=1)
    explained = explain(served, "explain:rejected")
    assert (explained["outcome"], explained["rejected"], explained["eligible"]) == ("short", True, False)
    assert "rejected before" in explained["reason"]


@pytest.mark.parametrize("status", ["auto-approved", "auto-rejected"])
def test_a_decision_of_a_rule_is_explained_as_a_rules(served: Served, status: str) -> None:
    path = insert_entry(served.database, f"explain:{status}", status)
    assert explain(served, f"explain:{status}")["reason"].startswith(f"A rule's decision stands ({status})")
    answer = served.client.post(f"{path}/reject", json={"reason": "no"})
    assert answer.json()["detail"] == f"'explain:{status}' was {status} by a rule."


def test_a_decision_of_a_person_is_explained_as_a_persons(served: Served) -> None:
    path = served.queue("explain:decided")
    served.client.post(f"{path}/reject", json={"reason": "no"})
    explained = explain(served, "explain:decided")
    assert (explained["queued"], explained["outcome"]) == (True, "decided")
    assert (explained["entry_status"], explained["automation_status"]) == ("rejected", "rejected")


def test_an_explanation_of_an_unknown_pattern_is_not_found(served: Served) -> None:
    answer = served.client.get(f"{path_of('explain:unknown')}/explain")
    assert answer.status_code == 404
    assert "explain:unknown" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("text", "sessions"),
    [
        (None, []),
        ("", []),
        ("not json", []),
        ("null", []),
        ('"wf-1"', []),
        ('{"a": 1}', []),
        ("[1", []),
        ("[" + "9" * 5_000 + "]", []),
        ('["wf-1", 2, null, {"a": [1]}, NaN]', ["wf-1", "2", "None", "{'a': [1]}", "nan"]),
        ('["<b>", "\\u0000", "💡"]', ["<b>", "\0", "💡"]),
    ],
)
def test_sessions_that_are_no_json_array_are_shown_as_none(
    served: Served, text: str | None, sessions: list[str]
) -> None:
    path = insert_entry(served.database, f"sessions:{text}"[:99], example_sessions=text)
    assert served.client.get(path).json()["example_sessions"] == sessions


def test_an_entry_without_a_time_has_none(served: Served) -> None:
    path = insert_entry(served.database, "odd:no time", created_at=None)
    assert served.client.get(path).json()["created_at"] is None
    assert served.client.post(f"{path}/approve").json()["created_at"] is None


@pytest.mark.parametrize("figure", ["NaN", "Infinity", "-Infinity", "1e200"])
def test_figures_that_json_cannot_hold_count_as_nothing(served: Served, figure: str) -> None:
    path = insert_entry(served.database, f"figure:{figure}", confidence_score=figure, estimated_savings_usd=figure)
    entry = served.client.get(path).json()
    assert (entry["confidence_score"], entry["estimated_savings_usd"], entry["impact_score"]) == (0, 0, 0)
    listed = [item for page in walk(served.client, f"{API}/pending?limit=500") for item in page]
    assert entry in listed


def test_an_old_decision_without_a_reviewer_is_shown_and_conflicts(served: Served) -> None:
    path = insert_entry(served.database, "odd:nobody", "approved", reviewed_by=None, reviewed_at=None)
    answer = served.client.post(f"{path}/approve")
    assert answer.status_code == 409
    assert "unknown reviewer" in answer.json()["detail"]
    assert answer.json()["entry"]["reviewed_at"] is None


def test_figures_that_changed_are_shown_within_seconds(served: Served) -> None:
    path = served.queue("odd:refreshed")
    served.database.execute(
        "UPDATE operation_patterns SET occurrence_count = 100 WHERE pattern_signature = 'odd:refreshed'"
    )
    eventually(lambda: served.client.get(path).json()["occurrence_count"] == 100, 10)
    assert QUALIFYING["occurrence_count"] != 100
