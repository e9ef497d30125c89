"""What is found in the queue, and in which order: short queues, long ones, and changes that nobody announced."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from pattern_sync import PatternSyncService
from pattern_sync.domain.entry import QueueEntry, Status
from pattern_sync.domain.errors import InvalidInput, NotReadyYet, UnknownPattern
from pattern_sync.domain.groups import Step, StepChange
from pattern_sync.domain.listing import Grouping, Listing, Order, Snoozed, Sort
from tests.support.database import TestDatabase, a_login
from tests.support.paths import UNCAPPED
from tests.support.waiting import eventually

pytestmark = pytest.mark.lived_in_too


@pytest.fixture
def service(database: TestDatabase) -> PatternSyncService:
    return PatternSyncService(database.url)


def fill(database: TestDatabase) -> None:
    database.empty("pattern_approvals")
    for number, (name, tools) in enumerate(
        [
            ("test:pytest:backend", "Read→Read→Edit"),
            ("test:vitest:frontend", "Read→Edit"),
            ("sdlc:full:all", "Bash"),
            ("0123456789abcdef", "Grep→Read→Grep"),
            ("Größe", "Unknown"),
        ]
    ):
        database.add_entry(
            name,
            tool_sequence=tools,
            confidence_score=0.5 + number / 10,
            occurrence_count=100 - number,
            estimated_savings_usd=1_000 * (number + 1),
            pattern_context="run the Tests" if number < 2 else None,
        )


def found(entries: tuple[QueueEntry, ...]) -> list[str]:
    return [entry.pattern_id for entry in entries]


@pytest.mark.parametrize(
    ("signature", "kind", "target"),
    [
        ("test:pytest:backend", "test:pytest", "backend"),
        ("test:pytest:backend:1a2b", "test:pytest", "backend:1a2b"),
        ("two:parts", "two:parts", ""),
        ("whole name", "whole name", ""),
        ("::", ":", ""),
        ("a::c", "a:", "c"),
        ("0123456789abcdef", "-", ""),
        ("0123456789ABCDEF", "0123456789ABCDEF", ""),
        ("x" * 255, "x" * 255, ""),
    ],
)
def test_kind_and_target_are_parts_of_the_name(database: TestDatabase, signature: str, kind: str, target: str) -> None:
    rows = database.execute(
        "SELECT pattern_sync.kind_of(%s) AS kind, pattern_sync.target_of(%s) AS target", signature, signature
    )
    assert rows == [{"kind": kind, "target": target}]


@pytest.mark.parametrize(
    ("sequence", "shape"),
    [("Read→Read→Edit", "Read→Edit"), ("A→B→A→A", "A→B→A"), ("one", "one"), ("→→", ""), ("", ""), (None, "")],
)
def test_a_shape_counts_a_tool_that_follows_itself_once(
    database: TestDatabase, sequence: str | None, shape: str
) -> None:
    assert database.execute("SELECT pattern_sync.shape_of(%s) AS shape", sequence) == [{"shape": shape}]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("PYTEST", {"test:pytest:backend"}),
        ("type:test", {"test:pytest:backend", "test:vitest:frontend"}),
        ("type:test -vitest", {"test:pytest:backend"}),
        ("kind:sdlc:full", {"sdlc:full:all"}),
        ("target:backend target:all", {"test:pytest:backend", "sdlc:full:all"}),
        ("shape:read->edit", {"test:pytest:backend", "test:vitest:frontend"}),
        ('"run the tests"', {"test:pytest:backend", "test:vitest:frontend"}),
        ("savings:>3000 conf:<=80", {"0123456789abcdef"}),
        ("seen:99..100", {"test:pytest:backend", "test:vitest:frontend"}),
        ("größe", {"Größe"}),
        ("flag:nothing-recorded type:sdlc", {"sdlc:full:all"}),
        ("flag:carries-queue", set()),
        ("age:<1d type:sdlc", {"sdlc:full:all"}),
        ("age:>1d", set()),
        ("by:ann", set()),
        ("'; DROP TABLE pattern_approvals;", set()),
        ("100%", set()),
        ("t_st", set()),
        ("\\", set()),
        ("-run -Grep", {"sdlc:full:all", "Größe"}),
        ("flag:any", set()),
        ("-flag:nothing-recorded", set()),
    ],
)
def test_a_query_finds_what_it_names(
    database: TestDatabase, service: PatternSyncService, query: str, names: set[str]
) -> None:
    fill(database)
    assert set(found(service.list_entries(query=query))) == names


@pytest.mark.parametrize(
    ("wanted", "conditions"),
    [
        (None, {"status"}),
        ('{"in_kind": "test:pytest"}', {"status", "kind"}),
        ('{"min_savings": 5, "not_by": ["ann"]}', {"status", "savings", "reviewed_by"}),
    ],
)
def test_only_what_a_query_asks_for_is_asked_of_each_entry(
    database: TestDatabase, wanted: str | None, conditions: set[str]
) -> None:
    rows = database.execute(
        "EXPLAIN SELECT count(*) FROM pattern_sync.matching('pending', %s::jsonb, 'show', NULL)", wanted
    )
    conditional = "\n".join(line for row in rows for line in row.values() if "Cond: " in line or "Filter: " in line)
    traits = {"status", "kind", "target", "shape", "savings", "evidence", "confidence", "reviewed_by", "last_seen"}
    assert {name for name in traits if name in conditional} == conditions
    assert "wanted" not in conditional
    assert "json" not in conditional


@pytest.mark.parametrize(
    ("sort", "first", "last"),
    [
        ("savings", "Größe", "test:pytest:backend"),
        ("-savings", "test:pytest:backend", "Größe"),
        ("confidence", "Größe", "test:pytest:backend"),
        ("occurrences", "test:pytest:backend", "Größe"),
        ("queued", "Größe", "test:pytest:backend"),
    ],
)
def test_a_sort_orders_by_its_figure(
    database: TestDatabase, service: PatternSyncService, sort: str, first: str, last: str
) -> None:
    fill(database)
    names = found(service.list_entries(sort=sort))
    assert (names[0], names[-1], len(names)) == (first, last, 5)


@pytest.mark.parametrize("sort", [f"{sign}{sort}" for sort in Sort for sign in ("", "-")])
def test_every_sort_pages_through_everything(database: TestDatabase, service: PatternSyncService, sort: str) -> None:
    fill(database)
    database.execute("UPDATE pattern_approvals SET created_at = NULL WHERE pattern_id LIKE 'test%%'")
    database.execute("INSERT INTO pattern_sync.models (lessons, model, digest, shown) VALUES (0, '', '', true)")
    database.execute("INSERT INTO pattern_sync.predictions VALUES ('sdlc:full:all', 1, 0.05, true, 0)")
    everything = found(service.list_entries(sort=sort))
    assert len(set(everything)) == 5
    assert [name for offset in range(6) for name in found(service.list_entries(limit=1, sort=sort, offset=offset))] == (
        everything
    )


@pytest.mark.parametrize("query", ["", "savings:>0"])
@pytest.mark.parametrize("sort", ["impact", "-name"])
def test_what_is_snoozed_is_shown_hidden_or_alone(
    database: TestDatabase, service: PatternSyncService, query: str, sort: str
) -> None:
    fill(database)
    service.snooze("Größe", until_doubled=True, reviewer="ann")
    every = found(service.list_entries(query=query, sort=sort))
    others = [name for name in every if name != "Größe"]
    for snoozed, names in ((Snoozed.SHOW, every), (Snoozed.HIDE, others), (Snoozed.ONLY, ["Größe"])):
        assert found(service.list_entries(query=query, sort=sort, snoozed=snoozed)) == names
        asked = (Status.PENDING, json.dumps(Listing(query=query).wanted) if query else None, snoozed)
        counted = database.execute("SELECT pattern_sync.count_found(%s, %s::jsonb, %s, NULL) AS total", *asked)
        assert counted == [{"total": len(names)}]


def test_what_has_no_value_comes_last_in_both_directions(database: TestDatabase, service: PatternSyncService) -> None:
    fill(database)
    database.execute("UPDATE pattern_approvals SET created_at = NULL WHERE pattern_id = 'sdlc:full:all'")
    for sort in ("queued", "-queued"):
        assert found(service.list_entries(sort=sort))[-1] == "sdlc:full:all"


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ("UPDATE pattern_approvals SET estimated_savings_usd = 9e6 WHERE pattern_id = 'sdlc:full:all'", 1),
        ("DELETE FROM pattern_approvals WHERE estimated_savings_usd > 1000", 0),
        ("UPDATE pattern_approvals SET status = 'approved' WHERE estimated_savings_usd > 2000", 0),
    ],
)
def test_a_change_that_nobody_announced_is_found_at_once(
    database: TestDatabase, service: PatternSyncService, change: str, names: int
) -> None:
    fill(database)
    assert len(service.list_entries(query="savings:>2000")) == 3
    database.execute("ALTER TABLE pattern_approvals DISABLE TRIGGER USER")
    database.execute(change)
    assert len(service.list_entries(query="savings:>1m")) == names
    for status in Status:
        assert all(entry.status == status for entry in service.list_entries(status))


def test_a_long_queue_is_found_as_it_was_when_its_traits_were_kept(
    database: TestDatabase, service: PatternSyncService
) -> None:
    database.empty("pattern_approvals")
    database.add_patterns(2_100, "long")
    service.sync_patterns(UNCAPPED)
    assert database.execute("SELECT pattern_sync.is_short_queue() AS short") == [{"short": False}]
    assert database.execute("SELECT pattern_sync.can_find() AS can_find") == [{"can_find": False}]
    # Without traits, the default order is read from the queue itself.
    first = found(service.list_entries(limit=3))
    assert database.count("pattern_sync.traits") == 0
    # The blocking API has no daemon to rely on: it keeps them itself.
    assert found(service.list_entries(limit=3, sort="-name", query="long")) == ["long:999", "long:998", "long:997"]
    assert database.count("pattern_sync.traits") == 2_100
    assert found(service.list_entries(limit=3)) == first
    database.decide(first[0])
    assert first[0] not in found(service.list_entries(limit=3)), "what is shown is read from the queue itself"
    assert database.execute("SELECT pattern_sync.keep_traits(NULL, 10) AS kept") == [{"kept": 1}]
    assert database.execute("SELECT pattern_sync.keep_traits(NULL, 10) AS kept") == [{"kept": 0}]


def test_one_of_two_daemons_compares_everything_and_the_other_does_not_wait(database: TestDatabase) -> None:
    fill(database)
    with database.another_connection(autocommit=False) as other:
        assert other.execute("SELECT pattern_sync.keep_traits(NULL, 10) AS kept").fetchall() == [{"kept": 5}]
        assert database.execute("SELECT pattern_sync.keep_traits(NULL, 10) AS kept") == [{"kept": None}]
        other.rollback()
    assert database.execute("SELECT pattern_sync.keep_traits(ARRAY['Größe', 'nowhere'], 10) AS kept") == [{"kept": 1}]


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        (Grouping.KIND, {"test:pytest": 1, "test:vitest": 1, "sdlc:full": 1, "-": 1, "Größe": 1}),
        (Grouping.TARGET, {"backend": 1, "frontend": 1, "all": 1, "": 2}),
        (Grouping.SHAPE, {"Read→Edit": 2, "Bash": 1, "Grep→Read→Grep": 1, "Unknown": 1}),
        (Grouping.FLAG, {"nothing-recorded": 5}),
    ],
)
def test_a_queue_falls_into_groups_by_a_key(
    database: TestDatabase, service: PatternSyncService, by: Grouping, keys: dict[str, int]
) -> None:
    fill(database)
    groups = service.groups(by)
    assert {group.key: group.count for group in groups} == keys
    savings = [group.savings_usd for group in groups]
    assert savings == sorted(savings, reverse=True)
    assert service.groups(by, limit=1) == groups[:1]


def test_a_group_says_what_it_is_worth_and_what_was_decided_of_it_before(
    database: TestDatabase, service: PatternSyncService
) -> None:
    fill(database)
    for number, status in enumerate(("approved", "rejected", "rejected", "auto-rejected")):
        database.add_entry(f"test:pytest:{number}", status)
    (group,) = service.groups(Grouping.KIND, query="kind:test:pytest")
    assert (group.count, group.savings_usd, group.evidence_usd) == (1, 1000.0, None)
    assert (group.confidence_min, group.confidence_max) == (0.5, 0.5)
    assert (group.approved_before, group.decided_before) == (1, 3), "a rule's decision is no person's"
    assert dict(group.flags) == {"nothing-recorded": 1}


def test_what_is_like_an_entry_is_shown_by_its_difference(database: TestDatabase, service: PatternSyncService) -> None:
    database.empty("pattern_approvals")
    database.add_entry("fix:all:1", tool_sequence="Read→Grep→Edit→Bash")
    database.add_entry("fix:all:2", tool_sequence="Read→Grep→Edit→Edit→Bash")
    database.add_entry("fix:all:3", tool_sequence="Read→Edit→Bash")
    database.add_entry("fix:all:4", tool_sequence="Write")
    database.add_entry("fix:all:5", "rejected", tool_sequence="Read→Grep→Edit→Bash")
    database.add_entry("other:kind:1", tool_sequence="Read→Grep→Edit→Bash")
    found = {each.entry.pattern_id: each.difference for each in service.similar("fix:all:1")}
    assert found == {"fix:all:2": (), "fix:all:3": (Step("Grep", StepChange.MISSING),)}
    with pytest.raises(UnknownPattern):
        service.similar("nowhere")


def test_a_query_that_cannot_be_read_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(InvalidInput, match="savings is meant"):
        Listing(query="savngs:>5")
    with pytest.raises(InvalidInput, match="offset is -1"):
        Listing(skipped=-1)
    with pytest.raises(InvalidInput, match="sort is 'size'; it has to be one of impact"):
        Order.parse("size")


def test_whoever_may_only_read_finds_by_what_others_have_kept(
    database: TestDatabase, service: PatternSyncService
) -> None:
    fill(database)
    with a_login(database, "BYPASSRLS") as (role, url):
        for schema in {"pattern_sync", database.execute("SELECT current_schema AS name")[0]["name"]}:
            database.execute(f'GRANT USAGE ON SCHEMA "{schema}" TO {role}')
            database.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA "{schema}" TO {role}')
        reader = PatternSyncService(url)
        best = found(service.list_entries())
        database.execute("TRUNCATE pattern_sync.traits")
        assert found(reader.list_entries()) == best
        with pytest.raises(NotReadyYet):
            reader.list_entries(sort="name")
        assert found(service.list_entries(sort="name")) == found(reader.list_entries(sort="name"))
        database.add_entry("later", estimated_savings_usd=1e9)
        # The traits are behind, and in the order of the impact nothing depends on them.
        assert found(reader.list_entries())[0] == "later"
        assert "later" not in found(reader.list_entries(sort="name"))
        assert [group.key for group in reader.groups(Grouping.KIND)] != []


def test_an_entry_without_figures_costs_no_other_its_place(database: TestDatabase, service: PatternSyncService) -> None:
    """The application may have dropped its NOT NULLs."""
    fill(database)
    columns = ("status", "confidence_score", "occurrence_count", "estimated_savings_usd", "tool_sequence")
    for column in columns:
        database.execute(f"ALTER TABLE pattern_approvals ALTER COLUMN {column} DROP NOT NULL")
    database.add_entry("empty", "pending", **dict.fromkeys(columns[1:]))
    database.execute("UPDATE pattern_approvals SET status = NULL WHERE pattern_id = 'Größe'")
    names = found(service.list_entries(sort="name"))
    assert len(names) == 5
    assert "empty" in names
    assert len(service.list_entries(None, sort="name")) == 6
    entry, _ = service.get_entry("empty")
    assert (entry.confidence_score, entry.occurrence_count, entry.estimated_savings_usd) == (0.0, 0, 0.0)
    assert (entry.tool_sequence, service.get_entry("Größe")[0].status) == ("Unknown", "")
    assert service.approve("empty").status == Status.APPROVED


def test_what_another_process_is_writing_is_waited_for_and_never_left_out(
    database: TestDatabase, service: PatternSyncService
) -> None:
    fill(database)
    assert len(service.groups(Grouping.TARGET)) == 4
    database.add_entry("test:pytest:new", tool_sequence="Read")
    with database.another_connection(autocommit=False) as other, ThreadPoolExecutor(1) as executor:
        other.execute("SELECT pattern_sync.keep_traits(NULL, 1000)")
        asked = executor.submit(service.groups, Grouping.TARGET)
        eventually(lambda: database.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
        other.commit()
        assert "new" in {group.key for group in asked.result()}


def test_what_another_process_takes_long_to_write_is_told_and_never_left_out(
    database: TestDatabase, service: PatternSyncService
) -> None:
    fill(database)
    with database.another_connection(autocommit=False) as other:
        other.execute("SELECT pattern_sync.keep_traits(NULL, 1000)")
        for ask in (
            lambda: service.groups(Grouping.KIND),
            lambda: service.select(""),
            lambda: service.list_entries(sort="savings"),
        ):
            with pytest.raises(NotReadyYet, match="Try again soon"):
                ask()
        assert len(service.list_entries()) == 5
