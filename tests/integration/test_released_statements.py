"""Daemons and commands of released versions work with this schema: every statement of theirs does what it did."""

import difflib

import pytest

from tests.support.database import TestDatabase
from tests.support.released import prepared_anew, recorded

RELEASED = dict(recorded())
_WAY_OUT = (
    "A daemon of version {} would end, or fail, after this version's migrate. Keep the function with its parameters and"
    " its result, and add another one beside it; docs/upgrade.md has the rule."
)


@pytest.mark.parametrize("version", RELEASED)
def test_a_released_statement_still_takes_and_gives_the_same(database: TestDatabase, version: str) -> None:
    found = prepared_anew(database.url, RELEASED[version])
    changes = difflib.unified_diff(RELEASED[version].splitlines(), found.splitlines(), version, "now", lineterm="")
    shown = "\n".join(changes)
    assert not shown, f"{shown}\n\n{_WAY_OUT.format(version)}"


def test_a_changed_result_and_a_lost_function_are_noticed(database: TestDatabase) -> None:
    text = RELEASED["0.3.0"]
    database.execute("DROP FUNCTION pattern_sync.storage()")
    database.execute("DROP FUNCTION pattern_sync.count_gone()")
    database.execute("CREATE FUNCTION pattern_sync.count_gone() RETURNS text LANGUAGE sql AS $$SELECT '0'$$")
    found = prepared_anew(database.url, text)
    assert found != text
    assert "function pattern_sync.storage() does not exist" in found
    assert "-- gives: gone text" in found
