"""The review on the command line: its effects on the tables, its output as text and JSON, its exit codes."""

import csv
import io

import pytest

from pattern_sync import PatternSyncService
from tests.support.command import Finished, run_command
from tests.support.contract import ENTRY_FIELDS
from tests.support.database import TestDatabase, snapshot
from tests.support.seed import BY_EVIDENCE, SIGNATURE, add_seed

TABLES = ("operation_patterns", "pattern_approvals", "pattern_review_history")


def review(database: TestDatabase, *arguments: str) -> Finished:
    return run_command("review", *arguments, PATTERN_SYNC_DATABASE_URL=database.url)


def queue(database: TestDatabase, *names: str) -> None:
    for number, name in enumerate(names):
        database.add_pattern(name, occurrence_count=1_000 - number)
    PatternSyncService(database.url).sync_high_priority_patterns()


def test_pending_entries_are_listed_best_impact_first(database: TestDatabase) -> None:
    queue(database, "first:[bold]", "second", "third é")
    told = review(database, "list", "--json", "--limit", "2", "--status", "pending")
    assert told.code == 0
    assert [entry["pattern_id"] for entry in told.document] == ["first:[bold]", "second"]
    entry = told.document[0]
    assert set(entry) == ENTRY_FIELDS
    assert (entry["status"], entry["confidence_score"], entry["occurrence_count"]) == ("pending", 0.85, 1_000)
    shown = review(database, "list")
    assert shown.code == 0
    for word in ("first:[bold]", "second", "third é", "85 %", "1,000", "183,844.06"):
        assert word in shown.out


def test_a_list_is_printed_for_a_spreadsheet(database: TestDatabase) -> None:
    queue(database, "=formula()", 'second, with "quotes"', "third")
    told = review(database, "list", "--csv", "--sort", "name", "--query", "-third")
    assert told.code == 0
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert [row["pattern_id"] for row in rows] == ["'=formula()", 'second, with "quotes"']
    assert all("nothing-recorded" in row["flags"] for row in rows)
    both = review(database, "list", "--csv", "--json")
    assert (both.code, "--csv and --json exclude each other" in both.err) == (2, True)


def test_a_person_approves_rejects_and_comments(database: TestDatabase) -> None:
    queue(database, "a:b", "odd 'name' / é")
    approved = review(database, "approve", "a:b", "--notes", " worth it ", "--reviewer", "ann", "--json")
    assert approved.code == 0
    assert (approved.document["status"], approved.document["reviewed_by"]) == ("approved", "ann")
    assert approved.document["approval_notes"] == "worth it"
    assert database.history_of("a:b") == [{"action": "approved", "reviewer": "ann", "notes": "worth it"}]
    assert database.mark_of("a:b") == ("approved", "ann", "worth it", True)

    rejected = review(database, "reject", "odd 'name' / é", "--reason", "a one-off")
    assert (rejected.code, rejected.out.strip()) == (0, "odd 'name' / é is rejected by system.")
    assert database.mark_of("odd 'name' / é") == ("rejected", "system", "a one-off", True)

    before = snapshot(database, TABLES[:2])
    noted = review(database, "comment", "a:b", "who owns this?", "--reviewer", "bob")
    assert (noted.code, noted.out.strip()) == (0, "Comment added by bob.")
    assert snapshot(database, TABLES[:2]) == before

    shown = review(database, "show", "a:b", "--json")
    assert shown.code == 0
    said = [(item["action"], item["reviewer"], item["notes"]) for item in shown.document["history"]]
    assert said == [("approved", "ann", "worth it"), ("commented", "bob", "who owns this?")]
    assert shown.document["pattern_id"] == "a:b"
    in_words = review(database, "show", "a:b").out
    for word in ("a:b", "approved", "approved by ann: worth it", "commented by bob: who owns this?"):
        assert word in in_words


def test_a_standing_decision_is_replaced_only_when_it_is_named(database: TestDatabase) -> None:
    queue(database, "a")
    PatternSyncService(database.url).approve("a", reviewer="ann")
    before = snapshot(database, TABLES)
    late = review(database, "reject", "a", "--reason", "no", "--reviewer", "bob")
    assert late.code == 1
    assert "'a' was approved by ann on " in late.err
    assert snapshot(database, TABLES) == before
    undone = review(database, "reject", "a", "--reason", "no", "--reviewer", "bob", "--replaces", "approved", "--json")
    assert (undone.code, undone.document["status"]) == (0, "rejected")
    assert database.mark_of("a") == ("rejected", "bob", "no", True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "nobody [bold]"],
        ["approve", "nobody [bold]"],
        ["reject", "nobody [bold]", "--reason", "x"],
        ["comment", "nobody [bold]", "x"],
    ],
    ids=lambda arguments: str(arguments[0]),
)
def test_an_unknown_pattern_is_named_and_exits_1(database: TestDatabase, arguments: list[str]) -> None:
    done = review(database, *arguments)
    assert (done.code, done.out) == (1, "")
    assert "There is no pattern 'nobody [bold]' in the review queue." in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reject", "a", "--reason", " "], "reason is blank"),
        (["comment", "a", " "], "comment is blank"),
        (["approve", "a", "--replaces", "in_review"], "in_review"),
        (["list", "--limit", "0"], "--limit"),
    ],
    ids=lambda value: " ".join(value)[:20] if isinstance(value, list) else None,
)
def test_invalid_input_exits_2_and_changes_nothing(database: TestDatabase, arguments: list[str], words: str) -> None:
    queue(database, "a")
    before = snapshot(database, TABLES)
    done = review(database, *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert snapshot(database, TABLES) == before


def test_a_refused_decision_shows_the_servers_message_and_exits_1(database: TestDatabase) -> None:
    queue(database, "a")
    database.execute(
        "CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF NEW.status = 'rejected' THEN RETURN NULL; END IF; RAISE EXCEPTION 'no ticket'; END $$"
    )
    database.execute("CREATE TRIGGER own BEFORE UPDATE ON pattern_approvals FOR EACH ROW EXECUTE FUNCTION own()")
    refused = review(database, "approve", "a")
    assert refused.code == 1
    assert "The database refused the decision on 'a'; nothing was written." in refused.err
    assert "no ticket (SQLSTATE P0001)" in refused.err
    swallowed = review(database, "reject", "a", "--reason", "no")
    assert swallowed.code == 1
    assert "A trigger or policy of the application refused the decision on 'a'; nothing was written." in swallowed.err


def test_a_claim_is_shown_with_what_is_recorded(database: TestDatabase) -> None:
    add_seed(database)
    listed = review(database, "list", "--flags").out
    assert "2,208.74" in listed
    assert "counted-twice" in "".join(listed.split())
    for shown in (review(database, "show", SIGNATURE), in_shell(database, "explain", SIGNATURE)):
        told = " ".join(shown.out.replace("│", " ").split())
        for words in (
            "24 distinct workflows, 2025-11-20 00:00 to 2025-11-20 18:24: 18.4 hours, 31.3 a day",
            "2,208.74 USD a month, extrapolated from 18.4 hours; 56.45 USD observed in all",
            "24 distinct workflows are recorded: each was counted 3,257 times.",
        ):
            assert words in told
    document = in_shell(database, "explain", SIGNATURE, "--json").document
    assert document["evidence"]["savings_by_evidence"] == BY_EVIDENCE
    status = " ".join(in_shell(database, "status").out.split())
    assert "183,844 USD a month claimed, 2,209 shown by evidence" in status
    queue_of = in_shell(database, "status", "--json").document["queue"]
    assert (queue_of["claimed_usd"], queue_of["shown_usd"]) == (183_844.06, BY_EVIDENCE)


def in_shell(database: TestDatabase, *arguments: str) -> Finished:
    return run_command(*arguments, PATTERN_SYNC_DATABASE_URL=database.url)


def test_many_are_decided_and_taken_back_in_a_shell(database: TestDatabase) -> None:
    queue(database, "test:a", "test:b", "lint:c")
    review(database, "approve", "lint:c", "--reviewer", "bob")
    tried = review(database, "reject", "test:a", "test:b", "--reason", "no", "--dry-run", "--json")
    assert (tried.code, tried.document["decided"], tried.document["batch_id"]) == (0, 2, None)
    made = review(database, "reject", "test:a", "lint:c", "test:b", "--reason", "no", "--reviewer", "ann")
    assert made.code == 1, "lint:c was decided by somebody else"
    assert made.out.startswith("2 of 3 decided: 367,688.12 USD a month.")
    assert "lint:c: somebody else has decided it" in made.out
    listed = review(database, "batches", "--by", "ann", "--json").document
    assert [(batch["decision"], batch["items"], batch["undoable"]) for batch in listed] == [("rejected", 2, True)]
    assert "2" in review(database, "batches").out
    log = review(database, "log", "--by", "ann", "--since", "2020-01-01", "--json").document
    assert {item["pattern_id"] for item in log} == {"test:a", "test:b"}
    assert "test:a" in review(database, "log").out
    assert review(database, "log", "--by", "ann", "--limit", "1", "--offset", "1", "--json").document == log[1:]
    counted = review(database, "progress", "--json").document
    assert counted == {"decided_today": 3, "pending": 0, "by_reviewer": {"ann": 2, "bob": 1}}
    assert review(database, "progress").out.splitlines() == ["3 of 3 decided today; 0 wait.", "  ann: 2", "  bob: 1"]
    assert review(database, "progress", "--by", "ann", "--since", "2999-01-01").out.endswith("by ann; 0 wait.\n")
    assert review(database, "progress", "--since", "0001-01-01").out.startswith("3 of 3 decided since ")
    undone = review(database, "undo", "--reviewer", "ann")
    assert (undone.code, undone.out.strip()) == (0, f"2 of 2 decisions of batch {listed[0]['id']} are undone.")
    assert [entry["status"] for entry in review(database, "list", "--json").document] == ["pending"] * 2
    again = review(database, "undo", str(listed[0]["id"]))
    assert again.code == 1
    assert "was undone by ann" in again.err
    nothing = review(database, "undo", "--reviewer", "ann")
    assert (nothing.code, nothing.err.strip()) == (1, "ann has no decision that can be undone.")


def test_all_that_a_query_finds_is_decided_once_a_person_has_agreed(database: TestDatabase) -> None:
    queue(database, "test:a", "test:b", "lint:c")
    query = ("reject", "--query", "type:test", "--reason", "no")
    asked = review(database, *query)
    assert asked.code == 1
    assert "2 entries that are pending, 367,688.12 USD a month together" in asked.err
    assert "Nothing was decided: add --yes" in asked.err
    assert database.count("pattern_review_history") == 0
    assert review(database, *query, "--yes", "--json").document["decided"] == 2
    assert [entry["pattern_id"] for entry in review(database, "list", "--json").document] == ["lint:c"]
    empty = review(database, *query, "--yes")
    assert (empty.code, empty.err.strip()) == (1, "Nothing that is pending is found by --query 'type:test'.")
    for wrong in ((), ("lint:c", "--query", "type:test")):
        told = review(database, "approve", *wrong)
        assert told.code == 2
        assert "not both" in told.err


def test_all_of_a_kind_is_decided_in_a_shell(database: TestDatabase) -> None:
    queue(database, "test:pytest:a", "test:pytest:b", "test:vitest:c", "lint:ruff:d")
    of_kind = ("reject", "--kind", "test:pytest", "--reason", "no")
    assert "2 of 2 would be decided" in review(database, *of_kind, "--dry-run").out
    assert database.count("pattern_review_history") == 0
    narrowed = review(database, *of_kind, "--query", "target:a", "--yes", "--json").document
    assert [item["pattern_id"] for item in narrowed["outcomes"]] == ["test:pytest:a"]
    assert review(database, *of_kind, "--yes", "--json").document["decided"] == 1
    left = {entry["pattern_id"] for entry in review(database, "list", "--json").document}
    assert left == {"test:vitest:c", "lint:ruff:d"}
    empty = review(database, *of_kind, "--yes")
    assert (empty.code, empty.err.strip()) == (1, "Nothing that is pending is found by --kind 'test:pytest'.")
    assert review(database, "approve", "lint:ruff:d", "--kind", "lint:ruff").code == 2


def test_what_the_queue_consists_of_is_listed_in_a_shell(database: TestDatabase) -> None:
    queue(database, "test:pytest:a", "test:pytest:b", "lint:ruff:c")
    review(database, "approve", "test:pytest:b", "--reviewer", "ann")
    listed = review(database, "groups", "--json").document
    assert [(group["key"], group["count"], group["approved_before"]) for group in listed] == [
        ("lint:ruff", 1, 0),
        ("test:pytest", 1, 1),
    ]
    told = review(database, "groups", "--by", "kind", "--query", "type:test")
    assert "Groups by kind" in told.out
    (row,) = (line for line in told.out.splitlines() if line.lstrip().startswith("test:pytest"))
    assert row.split() == ["test:pytest", "1", "183,844.06", "none", "85", "%", "1", "of", "1"]
    wrong = review(database, "groups", "--query", "savngs:>5")
    assert (wrong.code, "savings is meant" in wrong.err) == (2, True)
    database.add_pattern("test:pytest:d", occurrence_count=900)
    PatternSyncService(database.url).sync_high_priority_patterns()
    assert [
        each["entry"]["pattern_id"] for each in review(database, "similar", "test:pytest:a", "--json").document
    ] == ["test:pytest:d"]
    assert "test:pytest:d" in review(database, "similar", "test:pytest:a").out
    assert review(database, "similar", "nowhere").code == 1


def test_a_hard_case_is_put_off_in_a_shell(database: TestDatabase) -> None:
    queue(database, "a")
    told = review(database, "snooze", "a", "--days", "3", "--until-doubled", "--reviewer", "ann", "--reason", "hm")
    assert told.code == 0
    assert "or until its savings have doubled, by ann: hm." in told.out
    assert "by ann: hm" in review(database, "show", "a").out
    assert review(database, "show", "a", "--json").document["snooze"]["until_doubled"] is True
    assert review(database, "wake", "a", "--json").document["snooze"] is None
    for until, words in (
        ("2020-01-01", "has passed"),
        ("0001-01-01", "has passed"),
        ("9999-12-31 23:59:59", "366 days at most"),
    ):
        told = review(database, "snooze", "a", "--until", until)
        assert told.code == 1
        assert words in told.err
    assert review(database, "snooze", "a").code == 2
    # A bare number would be seconds since 1970, or milliseconds.
    for arguments in (("snooze", "a", "--until", "1796083200"), ("progress", "--since", "2026")):
        told = review(database, *arguments)
        assert (told.code, "is no time; write 2026-12-01" in told.err) == (2, True)
    contradicting = review(database, "snooze", "a", "--until", "2027-01-01", "--days", "3")
    assert (contradicting.code, "exclude each other" in contradicting.err) == (2, True)


def without_lines(told: Finished) -> str:
    return " ".join(told.out.replace("│", " ").split())


DECEPTIVE = "test:\u0430\x1b[2J\u200b\u202e "


def test_what_is_unseen_or_deceptive_in_names_is_shown_in_a_shell_and_json_is_as_it_is(database: TestDatabase) -> None:
    queue(database, DECEPTIVE, "test:a", "test:\u0430a")
    shown = "test:\u0430[U+001B][2J[U+200B][U+202E]\u2423"
    listed = review(database, "list").out
    assert f"(unseen characters) {shown}" in listed
    assert "(mixed letters) test:\u0430a" in listed
    assert "\x1b" not in listed
    assert "its name mixes alphabets: \u0430 (U+0430)" in without_lines(review(database, "show", "test:\u0430a"))
    assert [entry["pattern_id"] for entry in review(database, "list", "--json").document].count(DECEPTIVE) == 1
    assert review(database, "approve", DECEPTIVE, "--reviewer", "ann").out == f"{shown} is approved by ann.\n"


def test_no_name_of_a_reviewer_drives_a_terminal(database: TestDatabase) -> None:
    queue(database, "a", "b")
    name, shown = "eve\x1b[2J", "eve[U+001B][2J"
    assert review(database, "comment", "a", "why?", "--reviewer", name).out == f"Comment added by {shown}.\n"
    assert review(database, "undo", "--reviewer", name).err == f"{shown} has no decision that can be undone.\n"
    assert review(database, "approve", "a", "--reviewer", name).code == 0
    assert f"was approved by {shown}" in review(database, "approve", "a", "--reviewer", "bob").err
    assert f" by {shown};" in review(database, "progress", "--by", name).out
    assert review(database, "undo", "--reviewer", name).code == 0
    assert f"undone by {shown}" in without_lines(review(database, "batches"))
    database.execute("ALTER TABLE pattern_approvals DROP CONSTRAINT pattern_approvals_status_check")
    database.execute("UPDATE pattern_approvals SET status = '[/]' WHERE pattern_id = 'b'")
    assert "status [/]" in without_lines(review(database, "show", "b"))


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("undo", str(10**20)), 1, f"There is no batch {10**20}"),
        (("log", "--offset", str(10**20)), 2, f"offset is {10**20}; it has to be from 0"),
    ],
)
def test_a_number_beyond_all_that_can_be_there_is_told_so(
    database: TestDatabase, words: tuple[str, ...], code: int, told: str
) -> None:
    refused = review(database, *words)
    assert (refused.code, told in refused.err) == (code, True)


def test_decisions_are_taken_back_one_after_another_however_many(database: TestDatabase) -> None:
    service = PatternSyncService(database.url)
    for number in range(21):
        database.add_entry(f"p{number}")
        service.approve(f"p{number}", reviewer="ann")
    for batch in service.batches(limit=20):
        service.undo(batch.id)
    assert review(database, "undo", "--reviewer", " ann ").out.startswith("1 of 1 decisions")
    assert [batch.reviewer for batch in service.batches(" ann ", 1)] == ["ann"]
    service.approve("p0", reviewer="ann")
    assert service.progress(" ann ").decided_today == 1


@pytest.mark.parametrize("encoding", ["ascii", "utf-8:strict"])
def test_a_shell_without_the_letters_of_a_name_gets_their_codes(database: TestDatabase, encoding: str) -> None:
    queue(database, "Größe→😀")

    def told(*arguments: str) -> Finished:
        return run_command(
            *arguments, fresh=True, PATTERN_SYNC_DATABASE_URL=database.url, PYTHONIOENCODING=encoding, PYTHONUTF8="0"
        )

    assert told("review", "list", "--json").document[0]["pattern_id"] == "Größe→😀"
    for arguments in (("review", "list"), ("review", "list", "--csv"), ("review", "groups"), ("explain", "Größe→😀")):
        assert told(*arguments).code == 0
    assert told("explain", "half\udcff", "--json").code == 1


def test_names_that_look_like_another_are_marked(database: TestDatabase) -> None:
    queue(database, "sdlc:full", "sdl\u0441:full", "test:b")
    listed = review(database, "list").out
    assert "(mixed letters, look-alike) sdl\u0441:full" in listed
    assert "(look-alike) sdlc:full" in listed
    assert "its name looks like \u201csdl\u0441:full\u201d" in without_lines(review(database, "show", "sdlc:full"))
    assert "its name" not in review(database, "show", "test:b").out
