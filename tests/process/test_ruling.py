"""Rules at work in real daemons: any number of them, killed in the middle, against people at the same moment."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from pattern_sync import PatternSyncService
from pattern_sync.domain.entry import Status
from pattern_sync.services.timings import Timings
from tests.support.command import run_command
from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.database import TestDatabase
from tests.support.waiting import eventually

HASTY = Timings(ruling_seconds=0.2, ruling_pace_seconds=0.05)
ADMIN = {"Authorization": "Bearer administrator"}
TERMS = {"verdict": "approve", "max_savings": 500, "min_confidence": 90, "allow_flags": ["nothing-recorded"]}
DUE = "UPDATE pattern_sync.rule_log SET at = at - interval '25 hours' WHERE act = 'would' AND ended_at IS NULL"


def rule_that_is_on(database: TestDatabase, *, per_day: int = 1_000, decisions: int = 200) -> PatternSyncService:
    """Write a rule that has people's agreement, and switch it on."""
    for number in range(decisions):
        database.add_entry(f"past:{number}", confidence_score=0.95)
    database.execute(
        "SELECT (SELECT d.outcome FROM pattern_sync.decide_many(ARRAY['past:' || n], 'approved', 'approved',"
        " 'approved', 'bob', NULL, 'pending', NULL, true, false) AS d) FROM generate_series(0, %s) AS n",
        decisions - 1,
    )
    database.add_entry("largest", estimated_savings_usd=9_999)
    service = PatternSyncService(database.url)
    service.set_rule("cheap", reviewer="ann", per_day=per_day, **{**TERMS, "allow_flags": ("nothing-recorded",)})
    service.watch_rule("cheap", reviewer="ann")
    service.turn_rule_on("cheap", reviewer="ann")
    return service


def queue(database: TestDatabase, count: int) -> list[str]:
    """Queue entries that the rule fits and does not leave to people."""
    names = [
        row["name"]
        for row in database.execute(
            "SELECT 'new:' || n AS name FROM generate_series(1, %s) AS n WHERE pattern_sync.lot_of('new:' || n) >= 0.1",
            2 * count,
        )
    ][:count]
    for name in names:
        database.add_entry(name, confidence_score=0.95)
    return names


def statuses(database: TestDatabase, names: list[str]) -> Counter[str]:
    rows = database.execute("SELECT status FROM pattern_approvals WHERE pattern_id = ANY (%s)", names)
    return Counter(row["status"] for row in rows)


def marked(database: TestDatabase) -> int:
    (row,) = database.execute(
        "SELECT count(*) AS n FROM pattern_sync.rule_log WHERE act = 'would' AND ended_at IS NULL"
    )
    return int(row["n"])


def test_two_daemons_share_one_budget_exactly(database: TestDatabase) -> None:
    rule_that_is_on(database, per_day=10)
    names = queue(database, 60)
    with running_daemon(database.url, timings=HASTY) as one, running_daemon(database.url, timings=HASTY) as two:
        eventually(lambda: marked(database) == len(names))
        database.execute(DUE)
        eventually(lambda: statuses(database, names)["auto-approved"] == 10)
        eventually(lambda: one.lines("rule.decided") or two.lines("rule.decided"))
        for _ in range(20):
            database.execute("SELECT pg_sleep(0.1)")
            assert statuses(database, names)["auto-approved"] == 10
        health = httpx.get(f"{one.http_url}/api/v1/system/health").json()
        assert health["status"] == "ok", health["reasons"]
        (row,) = database.execute(
            "SELECT count(*) AS n, count(DISTINCT pattern_id) AS patterns FROM pattern_sync.rule_log"
            " WHERE act = 'decided'"
        )
        assert (row["n"], row["patterns"]) == (10, 10)


def test_a_person_at_the_same_moment_wins(database: TestDatabase) -> None:
    service = rule_that_is_on(database)
    names = queue(database, 40)
    with running_daemon(database.url, timings=HASTY), ThreadPoolExecutor(4) as people:
        eventually(lambda: marked(database) == len(names))
        database.execute(DUE)
        made = list(people.map(lambda name: service.reject(name, "not this one", reviewer="ann"), names))
    assert {entry.status for entry in made} == {"rejected"}
    assert statuses(database, names) == {"rejected": len(names)}


def test_a_daemon_that_is_killed_while_a_rule_decides_leaves_all_or_nothing(database: TestDatabase) -> None:
    rule_that_is_on(database)
    names = queue(database, 20)
    database.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN IF NEW.status = ''auto-approved'' THEN PERFORM pg_sleep(0.2); END IF; RETURN NEW; END';"
        " CREATE TRIGGER slow BEFORE UPDATE ON pattern_approvals FOR EACH ROW EXECUTE FUNCTION slow()"
    )
    at_work = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
        " AND pid <> pg_backend_pid()"
    )
    daemon = DaemonProcess(database.url, timings=HASTY)
    try:
        eventually(lambda: marked(database) == len(names))
        database.execute(DUE)
        eventually(lambda: database.execute(at_work))
        daemon.kill()
        database.execute(f"SELECT pg_terminate_backend(pid) FROM ({at_work}) AS working")
        eventually(lambda: not database.execute(at_work))
    finally:
        daemon.kill()
    assert statuses(database, names) == {"pending": len(names)}
    (row,) = database.execute("SELECT count(*) AS n FROM pattern_sync.rule_log WHERE act = 'decided'")
    assert row["n"] == 0
    database.execute("DROP TRIGGER slow ON pattern_approvals")
    with running_daemon(database.url, timings=HASTY):
        eventually(lambda: statuses(database, names) == {"auto-approved": len(names)})


def test_the_operator_forbids_rules(database: TestDatabase) -> None:
    rule_that_is_on(database)
    names = queue(database, 3)
    with running_daemon(
        database.url, timings=HASTY, PATTERN_SYNC_RULES="off", PATTERN_SYNC_ADMIN_TOKEN="administrator"
    ) as daemon:
        refused = httpx.post(f"{daemon.http_url}/api/v1/rules/cheap/watch", headers=ADMIN)
        assert (refused.status_code, "forbidden" in refused.json()["detail"]) == (409, True)
        assert httpx.get(f"{daemon.http_url}/api/v1/rules").json()["forbidden"]
        assert httpx.get(f"{daemon.http_url}/api/v1/rules/cheap/trial").status_code == 200
        off = httpx.post(f"{daemon.http_url}/api/v1/rules/cheap/off", headers=ADMIN, json={"reviewer": "ann"})
        assert off.json()["state"] == "off"
        database.execute("SELECT pg_sleep(0.5)")
        assert (marked(database), statuses(database, names)) == (0, {"pending": 3})
    told = run_command("rules", "watch", "cheap", PATTERN_SYNC_DATABASE_URL=database.url, PATTERN_SYNC_RULES="off")
    assert told.code == 1
    assert "PATTERN_SYNC_RULES is off" in told.err


def test_a_rule_is_tried_switched_and_reverted_over_http(database: TestDatabase) -> None:
    for number in range(60):
        database.add_entry(f"past:{number}", "rejected" if number == 3 else "approved", confidence_score=0.95)
    names = queue(database, 5)
    database.add_entry("largest", estimated_savings_usd=9_999)
    with (
        running_daemon(database.url, timings=HASTY, PATTERN_SYNC_ADMIN_TOKEN="administrator") as daemon,
        httpx.Client(base_url=f"{daemon.http_url}/api/v1", timeout=30) as client,
    ):
        assert client.get("/rules").json() == {"forbidden": False, "rules": []}
        assert client.post("/rules/cheap", json=TERMS).status_code == 401
        contradiction = client.post("/rules/cheap", json={**TERMS, "min_savings": 600}, headers=ADMIN)
        assert contradiction.status_code == 422
        assert "nothing is within both" in contradiction.json()["detail"]
        made = client.post("/rules/cheap", json={**TERMS, "reviewer": "ann"}, headers=ADMIN).json()
        assert (made["state"], made["version"], made["terms"]["agreement"]) == ("off", 1, 0.95)
        assert "savings at most 500 USD a month" in made["bounds"]
        assert client.get("/rules").json() == {"forbidden": False, "rules": [made]}
        trial = client.get("/rules/cheap/trial").json()["trial"]
        assert (trial["measured"]["fitting"], trial["measured"]["agreed"], trial["fitting_pending"]) == (60, 59, 5)
        assert [each["pattern_id"] for each in trial["disagreements"]] == ["past:3"]
        assert client.post("/rules/cheap/watch", headers=ADMIN).json()["state"] == "watching"
        refused = client.post("/rules/cheap/on", headers=ADMIN)
        assert refused.status_code == 409
        assert "59 of 60 agree; 33 more are needed for 95 %." in refused.json()["detail"]
        changed = client.post("/rules/cheap", json={"agreement": 0.9}, headers=ADMIN).json()
        assert (changed["version"], changed["state"]) == (2, "watching")
        assert client.post("/rules/cheap/on", headers=ADMIN).json()["state"] == "on"
        eventually(lambda: len(client.get("/patterns/marks").json()) == 5)
        objected = client.post(f"/patterns/{names[0]}/veto", json={"reason": "mine", "reviewer": "ann"})
        assert objected.json() == {"pattern_id": names[0], "outcome": "vetoed"}
        assert client.post(f"/patterns/{names[0]}/veto").status_code == 409
        assert client.post("/patterns/nowhere/veto").status_code == 404
        database.execute(DUE)
        eventually(lambda: statuses(database, names)["auto-approved"] == 4)
        shown = client.get("/rules/cheap").json()["about"]
        assert (shown["counts"]["decided"], shown["counts"]["vetoed"]) == (4, 1)
        assert [event["act"] for event in shown["events"]][:4] == ["decided"] * 4
        reverted = client.post("/rules/cheap/revert", headers=ADMIN).json()
        assert (reverted["undone"], reverted["paused"]) == (4, True)
        assert statuses(database, names) == {"pending": 5}
        eventually(lambda: client.get("/system/health").json()["status"] == "degraded")
        (reason,) = client.get("/system/health").json()["reasons"]
        assert reason.startswith("Rule cheap is paused: system took back what it had decided.")
        assert client.get("/rules/Nobody").status_code == 422
        assert client.get("/rules/nobody").status_code == 404


def test_rules_in_a_shell(database: TestDatabase) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = run_command("rules", *words, PATTERN_SYNC_DATABASE_URL=database.url)
        return done.code, " ".join((done.out + done.err).split())

    assert run("list") == (
        0,
        "There is no rule. Write one with: pattern-sync rules set NAME --verdict reject --max-savings 100",
    )
    for number in range(59):
        database.add_entry(f"past:{number}", "approved", confidence_score=0.95)
    database.add_entry("dear", estimated_savings_usd=9_999)
    code, said = run(
        *("set", "cheap", "--verdict", "approve", "--max-savings", "500", "--min-confidence", "90"),
        *("--allow-flags", "nothing-recorded", "--only-kinds", "past:1", "--clear", "only-kinds"),
    )
    assert (code, "Rule cheap, version 1, is off: confidence at least 90 %" in said) == (0, True), said
    assert run("set", "cheap", "--clear", "only-kinds")[1].startswith("Rule cheap, version 2, is off: confidence at")
    code, said = run("try", "cheap")
    assert code == 0, said
    assert "would have approved 59 of 59 patterns that people decided" in said
    assert "Proof: 59 of 59 agree: with 95 % certainty, at least 95 % do." in said
    assert run("on", "cheap")[0] == 1
    assert run("watch", "cheap")[0] == 0
    code, said = run("on", "cheap")
    assert code == 0
    assert said == (
        "Rule cheap, version 2, is on: confidence at least 90 %; savings at most 500 USD a month; flags allowed:"
        " nothing-recorded."
    )
    code, said = run("show", "cheap", "--json")
    assert json.loads(said)["proof"] == {"agreed": 59, "judged": 59}
    assert "24 hours to object, 20 a day, 10% left to people, agreement 95%" in run("show", "cheap")[1]
    assert run("off", "cheap")[0] == 0
    code, said = run("revert", "cheap")
    assert (code, "has decided nothing since then" in said) == (1, True)
    assert run("set", "Cheap", "--verdict", "reject")[0] == 2
    code, said = run("set", "all", "--verdict", "reject")
    assert code == 0
    code, said = run("try", "all", "--since", "30d")
    assert code == 1
    assert "Every entry of the last month" not in said, "flags keep it from them"
    assert "each of the 60 entries has a flag that allow_flags does not name, such as nothing-recorded" in said
    assert run("try", "all", "--since", "soon")[0] == 2


@pytest.mark.parametrize("reviewer", ["rule:cheap@1", "RULE:x"])
def test_nobody_decides_in_the_name_of_a_rule(database: TestDatabase, reviewer: str) -> None:
    database.add_entry("x")
    with running_daemon(database.url) as daemon:
        answer = httpx.post(f"{daemon.http_url}/api/v1/patterns/x/approve", json={"reviewer": reviewer})
        assert answer.status_code == 422
        assert "kept for rules" in answer.json()["detail"]
        named = httpx.post(f"{daemon.http_url}/api/v1/patterns/x/approve", headers={"X-Reviewer": reviewer})
        assert named.status_code == 422
    entry = database.entry("x")
    assert entry is not None
    assert entry["status"] == Status.PENDING
