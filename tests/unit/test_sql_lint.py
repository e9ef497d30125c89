"""No call in our SQL resolves its function through a search_path that others can write to."""

import re
from collections.abc import Iterator

import pytest

from tests.support.attacker import our_sql

# Grammar that looks like a call; keywords are in capitals.
GRAMMAR = frozenset({"coalesce", "nullif", "greatest", "least"})
# Without arguments no other function can be a better match than PostgreSQL's own.
NO_ARGUMENTS = re.compile(r"\bnow\(\)")
_STRING = re.compile(r"'(?:[^']|'')*'")
# A table, an alias or a new function has brackets after its name, too.
_CALL = re.compile(r"(?:\b(?P<before>[A-Z]+)\s+)?(?<![\w.%])(?P<name>[a-z_][a-z0-9_]*)\s*\(")
# So has a name in WITH.
_COMMON_TABLE = re.compile(r"\b[a-z_]+ \([a-z_, ]+\) AS (?:MATERIALIZED )?(?=\()")
_DEFINES = frozenset(
    {"INTO", "TABLE", "REFERENCES", "ON", "AS", "INDEX", "FUNCTION", "PROCEDURE", "WITH", "RECURSIVE", "EXISTS"}
)


def unqualified(text: str) -> Iterator[str]:
    """Yield every function that is called without its schema."""
    bare = _COMMON_TABLE.sub("", NO_ARGUMENTS.sub("", _STRING.sub("''", text)))
    for call in _CALL.finditer(bare):
        if call["name"] not in GRAMMAR and call["before"] not in _DEFINES:
            yield call["name"]


def test_the_lint_finds_unqualified_calls() -> None:
    text = (
        "SELECT count(*), pg_catalog.count(*), coalesce(max(x), 'min(x)') FROM unnest($1) AS u (a) WHERE a IN (now())"
    )
    assert list(unqualified(text)) == ["count", "max", "unnest"]


@pytest.mark.parametrize("path", our_sql())
def test_every_call_names_its_schema(path: str) -> None:
    assert sorted(set(unqualified(our_sql()[path]))) == []
