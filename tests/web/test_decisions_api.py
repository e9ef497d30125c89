"""Many decisions over HTTP: what is decided, what is told, what is taken back."""

import json

import httpx
import pytest

from pattern_sync.web.middleware import bodies
from tests.web.conftest import Served

API = "/api/v1/patterns"


def queue(served: Served, *names: str) -> None:
    for name in names:
        served.queue(name)


def reject(served: Served, names: list[str], **body: object) -> httpx.Response:
    said = {"pattern_ids": names, "decision": "rejected", "reason": "one-offs", "reviewer": "ann", **body}
    # Not `json=`, which cannot send half of a surrogate pair.
    headers = {"Content-Type": "application/json"}
    return served.client.post(f"{API}/decisions", content=json.dumps(said), headers=headers)


def test_many_are_decided_listed_and_undone(served: Served) -> None:
    queue(served, "many:a", "many:b", "many:c")
    served.client.post(f"{API}/many%3Ac/approve", json={"reviewer": "bob"}).raise_for_status()
    answer = reject(served, ["many:a", "many:c", "many:b", "many:nowhere"], positions={"many:a": 1}, seconds=3)
    made = answer.raise_for_status().json()
    assert made["decided"] == 2
    assert made["counts"] == {"decided": 2, "taken": 1, "unknown": 1}
    assert [entry["pattern_id"] for entry in made["largest"]] == ["many:a", "many:b"]
    assert made["savings_usd"] == pytest.approx(2 * made["largest"][0]["estimated_savings_usd"])
    taken = made["outcomes"][1]
    assert (taken["outcome"], taken["status"], taken["reviewed_by"]) == ("taken", "approved", "bob")
    assert taken["reviewed_at"].endswith("Z")
    batches = served.client.get(f"{API}/batches", params={"by": "ann", "limit": 1}).json()
    assert [(batch["id"], batch["items"], batch["undoable"]) for batch in batches] == [(made["batch_id"], 2, True)]
    log = served.client.get(f"{API}/log", params={"by": "ann", "since": "2020-01-01T00:00:00Z", "limit": 2}).json()
    assert [(item["decision"], item["batch_id"], item["undone_at"]) for item in log] == [
        ("rejected", made["batch_id"], None)
    ] * 2
    rest = served.client.get(f"{API}/log", params={"by": "ann", "limit": 2, "offset": 1}).json()
    assert rest[0] == log[1]
    assert served.client.get(f"{API}/log", params={"by": "ann", "offset": 10_000}).json() == []
    assert served.client.get(f"{API}/log", params={"offset": -1}).status_code == 422
    assert served.client.get(f"{API}/log", params={"by": "ann", "since": "2999-01-01T00:00:00+01:00"}).json() == []
    progress = served.client.get(f"{API}/progress", params={"by": "ann"}).json()
    assert progress["decided_today"] == progress["by_reviewer"]["ann"] >= 2
    undone = served.client.post(f"{API}/batches/{made['batch_id']}/undo", json={"reviewer": "eve"}).json()
    assert (undone["undone"], undone["counts"]) == (2, {"undone": 2})
    assert served.client.get(f"{API}/many%3Aa").json()["status"] == "pending"
    again = served.client.post(f"{API}/batches/{made['batch_id']}/undo")
    assert again.status_code == 409
    assert "was undone by eve" in again.json()["detail"]


def test_a_single_decision_names_the_batch_that_undoes_it(served: Served) -> None:
    path = served.queue("single")
    answer = served.client.post(f"{path}/approve", headers={"X-Reviewer": "ann"})
    batch = answer.headers["Pattern-Sync-Batch"]
    undone = served.client.post(f"{API}/batches/{batch}/undo", headers={"X-Reviewer": "ann"}).json()
    assert undone["outcomes"] == [{"pattern_id": "single", "outcome": "undone", "detail": None}]
    assert [row["action"] for row in served.database.history_of("single")] == ["approved", "flagged"]


def test_a_name_that_cannot_be_stored_costs_no_other_decision(served: Served) -> None:
    queue(served, "beside")
    made = reject(served, ["nul\0", "beside"], positions={"nul\0": 1, "beside": 2, "half\ud800": 3})
    assert made.raise_for_status().json()["counts"] == {"unknown": 1, "decided": 1}


def test_a_name_that_cannot_be_answered_with_is_refused(served: Served) -> None:
    queue(served, "with half a pair")
    answer = reject(served, ["with half a pair", "half\ud800"])
    assert (answer.status_code, answer.json()["fields"][0]["loc"]) == (422, ["body", "pattern_ids", 1])
    assert served.client.get(f"{API}/with half a pair").json()["status"] == "pending"


@pytest.mark.parametrize(
    ("action", "said"), [("approve", {}), ("reject", {"reason": "a one-off"})], ids=["approve", "reject"]
)
def test_a_single_decision_records_where_and_how_long_the_entry_was_seen(
    served: Served, action: str, said: dict[str, object]
) -> None:
    path = served.queue(f"seen:{action}")
    body = {"reviewer": "ann", "place": 3, "seconds": 4.5, **said}
    served.client.post(f"{path}/{action}", json=body).raise_for_status()
    recorded = served.database.execute(
        "SELECT shown->>'position' AS place, shown->>'seconds' AS seconds FROM pattern_sync.decisions"
        " WHERE pattern_id = %s",
        f"seen:{action}",
    )
    assert [tuple(row.values()) for row in recorded] == [("3", "4.5")]


@pytest.mark.parametrize(
    "seen",
    [
        *({"place": 0}, {"place": 10**40}, {"place": 1.5}, {"place": True}, {"place": "3"}),
        *({"seconds": -1}, {"seconds": 1e9}, {"seconds": False}, {"seconds": "4"}),
    ],
)
def test_a_place_or_a_time_that_nobody_can_have_seen_is_refused(served: Served, seen: dict[str, object]) -> None:
    answer = served.client.post(f"{API}/seen%3Awrong/approve", json={"reviewer": "ann", **seen})
    assert answer.status_code == 422
    assert next(iter(seen)) in answer.json()["detail"]


def test_a_dry_run_decides_nothing(served: Served) -> None:
    path = served.queue("dry")
    made = reject(served, ["dry"], dry_run=True).json()
    assert (made["batch_id"], made["decided"]) == (None, 1)
    assert served.client.get(path).json()["status"] == "pending"


def test_a_refusal_is_told_without_the_servers_words(served: Served) -> None:
    queue(served, "refused:a", "refused:b")
    served.database.execute(
        "ALTER TABLE pattern_review_history ADD CONSTRAINT own CHECK (pattern_id <> 'refused:a') NOT VALID"
    )
    made = reject(served, ["refused:a", "refused:b"]).json()
    served.database.execute("ALTER TABLE pattern_review_history DROP CONSTRAINT own")
    assert [item["outcome"] for item in made["outcomes"]] == ["refused", "decided"]
    assert made["outcomes"][0]["detail"] == "The database refused it."


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pattern_ids": []}, "at least 1 item"),
        ({"pattern_ids": [f"p{number}" for number in range(10_001)]}, "at most 10000 items"),
        ({"pattern_ids": "a"}, "valid list"),
        ({"decision": "maybe"}, "'approved' or 'rejected'"),
        ({"reason": "  "}, "reason is blank"),
        ({"reason": None}, "reason is blank"),
        ({"replaces": "open"}, "'pending'"),
        ({"positions": {"a": 0}}, "greater than or equal to 1"),
        ({"seconds": -1}, "greater than or equal to 0"),
        ({"positions": {"a": True}}, "must be a number"),
        ({"dry_run": "perhaps"}, "boolean"),
        ({"dry_run": 0}, "boolean"),
        ({"dryrun": True}, "is not known"),
        ({"reviewer": "x" * 256}, "255"),
    ],
)
def test_a_wrong_request_is_refused_with_its_field(served: Served, change: dict[str, object], words: str) -> None:
    answer = reject(served, ["a"], **change)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("batches/0/undo", 422),
        ("batches/x/undo", 422),
        (f"batches/{2**63}/undo", 422),
        ("batches/999999999/undo", 404),
    ],
)
def test_a_batch_that_is_none_is_told_so(served: Served, path: str, status: int) -> None:
    assert served.client.post(f"{API}/{path}").status_code == status


@pytest.mark.parametrize("since", ["2026-11-26", "2026-11-26T10:00:00", "12", "1.5", "yesterday"])
def test_a_moment_needs_its_zone(served: Served, since: str) -> None:
    answer = served.client.get(f"{API}/log", params={"since": since})
    assert answer.status_code == 422
    assert "since" in answer.json()["detail"]


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_a_moment_beyond_all_that_can_be_stored_is_the_first_or_the_last(served: Served, since: str) -> None:
    served.client.post(f"{served.queue(since)}/approve").raise_for_status()
    expected = since.startswith("0")
    assert bool(served.client.get(f"{API}/log", params={"since": since}).raise_for_status().json()) is expected
    counted = served.client.get(f"{API}/progress", params={"since": since}).raise_for_status().json()
    assert bool(counted["decided_today"]) is expected
    listed = served.client.get(API, params={"status": "approved", "updated_since": since}).raise_for_status().json()
    assert bool(listed) is expected


@pytest.mark.parametrize("path", ["batches", "log", "progress"])
def test_a_name_that_nobody_can_have_is_refused(served: Served, path: str) -> None:
    answer = served.client.get(f"{API}/{path}", params={"by": "ann\0"})
    assert answer.status_code == 422
    assert "NUL" in answer.json()["detail"]


def test_ten_thousand_names_fit_into_a_request_and_no_longer_body_does(served: Served) -> None:
    names = [f"{number:05}:{'x' * 100}" for number in range(10_000)]
    made = reject(served, names).json()
    assert made["counts"] == {"unknown": 10_000}
    largest = bodies.LARGER_BODIES[f"{API}/decisions"]
    answer = served.client.post(f"{API}/decisions", content=b" " * (largest + 1))
    assert answer.status_code == 413
    assert f"{largest:,}" in answer.json()["detail"]


def test_batches_of_everybody_are_listed_newest_first(served: Served) -> None:
    for name in ("first", "second"):
        path = served.queue(f"order:{name}")
        served.client.post(f"{path}/approve", json={"reviewer": name}).raise_for_status()
    found = served.client.get(f"{API}/batches").json()
    ids = [batch["id"] for batch in found]
    assert ids == sorted(ids, reverse=True)
    assert [batch["reviewer"] for batch in found[:2]] == ["second", "first"]


def test_an_entry_is_snoozed_listed_apart_and_woken(served: Served) -> None:
    path = served.queue("drowsy")
    said = {"until": "2099-01-01T00:00:00+01:00", "reviewer": "ann"}
    assert served.client.post(f"{path}/snooze", json=said).status_code == 409
    answer = served.client.post(f"{path}/snooze", json={"until_doubled": True, "reviewer": "ann", "reason": "hm"})
    snooze = answer.raise_for_status().json()["snooze"]
    assert (snooze["until"], snooze["until_doubled"], snooze["by"], snooze["reason"]) == (None, True, "ann", "hm")
    assert snooze["since"].endswith("Z")
    assert served.client.get(path).json()["snooze"] == snooze
    assert served.client.post(f"{path}/wake").json()["snooze"] is None
    served.client.post(f"{path}/approve").raise_for_status()
    decided = served.client.post(f"{path}/snooze", json={"until_doubled": True})
    assert decided.status_code == 409
    assert decided.json()["entry"]["status"] == "approved"


@pytest.mark.parametrize(
    "body", [{}, {"until": None}, {"until": "tomorrow"}, {"until": "2026-12-01T09:00:00"}, {"until": 5}, {"untill": 1}]
)
def test_a_snooze_without_an_end_is_refused(served: Served, body: dict[str, object]) -> None:
    answer = served.client.post(f"{API}/drowsy%3Anot/snooze", json=body)
    assert answer.status_code == 422
    assert "until" in answer.json()["detail"]
