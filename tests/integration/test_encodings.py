"""Reviewing in a database whose encoding is not UTF-8: what is searched for, and what was seen, has other letters."""

from collections.abc import Iterator

import pytest

from pattern_sync import PatternSyncService
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.domain.batches import Seen
from pattern_sync.domain.decision import Decision, Verdict
from tests.support.database import TestDatabase
from tests.support.decisions import DRIVERS, Driver

NAME = "ÄRGER:Öl:Größe"


@pytest.fixture(params=["UTF8", "LATIN1", "SQL_ASCII"])
def encoded(database: TestDatabase, server_url: str, request: pytest.FixtureRequest) -> Iterator[TestDatabase]:
    name = f"{database.name}_{request.param.lower()}"
    locale = "LC_COLLATE 'C' LC_CTYPE 'C'"
    database.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{request.param}' {locale}")
    try:
        found = TestDatabase.named(server_url, name)
        Installer(DatabaseAddress.parse(found.url)).migrate()
        with found.connect():
            found.execute("SET client_encoding = 'UTF8'")
            found.add_entry(NAME, tool_sequence="Lesen", reviewed_by="Änne")
            arrow = found.execute("SELECT pattern_sync.arrow() AS arrow")[0]["arrow"]
            found.add_entry("two:steps", tool_sequence=f"Read{arrow}Edit")
            yield found
    finally:
        database.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("type:ÄRGER", [NAME]),
        ("kind:ÄRGER:Öl", [NAME]),
        ("target:Größe", [NAME]),
        ("by:Änne", [NAME]),
        ("Öl", [NAME]),
        ("-Öl", ["two:steps"]),
        ("shape:Read->Edit", ["two:steps"]),
        ("shape:read→edit", ["two:steps"]),
    ],
)
def test_letters_beyond_ascii_are_found_as_they_are_written(
    encoded: TestDatabase, query: str, names: list[str]
) -> None:
    assert [entry.pattern_id for entry in PatternSyncService(encoded.url).list_entries(query=query)] == names


@pytest.mark.parametrize("over", DRIVERS)
def test_what_was_seen_of_such_a_name_is_recorded(encoded: TestDatabase, over: Driver) -> None:
    decision, seen = Decision(Verdict.APPROVED, reviewer="Änne"), Seen({NAME: 3})
    made = over(encoded, lambda decisions: decisions.decide_many([NAME], decision, seen))
    assert made.decided == 1
    recorded = encoded.execute("SELECT shown->>'position' AS place FROM pattern_sync.decisions")
    assert recorded[0]["place"] == "3"
