"""A role that may create in a schema on every search_path, as every role could in `public` up to PostgreSQL 14."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.support.database import TestDatabase

ROOT = Path(__file__).parents[2]
OPERATORS = (
    *("=", "<>", "<", ">", "<=", ">=", "||", "*", "/", "+", "-", "%"),
    *("->", "->>", "#>", "#>>", "<@", "@>", "&&", "~", "~~", "!~", "!~~", "~~*"),
)
_TRAPS = Path(__file__).with_name("attacker.sql")
_CALL = re.compile(r"(?<![\w.])([a-z_][a-z0-9_]*)\s*\(")
_COMMENT = re.compile(r"--.*")
_CHOSEN = re.compile(r":(?:opno|funcid|aggfnoid|winfnoid) (\d+)")
_FIRST_OF_OTHERS = 16_384  # PostgreSQL's own objects have smaller numbers
_NAMED = (
    "SELECT o.oid::bigint, o.oid::regoperator::text FROM pg_catalog.pg_operator AS o"
    " UNION ALL SELECT f.oid::bigint, f.oid::regprocedure::text FROM pg_catalog.pg_proc AS f"
)
_AGGREGATES = "SELECT DISTINCT proname FROM pg_proc WHERE prokind = 'a' AND pronamespace = 'pg_catalog'::regnamespace"


def our_sql() -> Mapping[str, str]:
    """Return the text of every file of SQL that we run, without comments, by its path."""
    folders = ("sql", "sql/migrations", "daemon/pattern_sync/database/statements")
    paths = [path for folder in folders for path in sorted((ROOT / folder).glob("*.sql"))]
    return {str(path.relative_to(ROOT)): _COMMENT.sub("", path.read_text(encoding="utf-8")) for path in paths}


def called_names(text: str) -> list[str]:
    """Return every unqualified name before a bracket; some are grammar, for which a trap does no harm."""
    return sorted(set(_CALL.findall(text)))


@contextmanager
def attacker(admin: "psycopg.Connection[dict[str, object]]", name: str) -> Iterator[str]:
    """Yield a role without any right; it must own nothing at the end."""
    admin.execute(f"CREATE ROLE {name}".encode())
    try:
        yield name
    finally:
        admin.execute(f"DROP ROLE {name}".encode())


def set_traps(database: TestDatabase, role: str) -> None:
    """Let a role with no other right than CREATE in `public` set its traps, in about eight seconds."""
    with psycopg.connect(database.url, autocommit=True) as session:
        aggregates = [name for (name,) in session.execute(_AGGREGATES.encode())]
        functions = called_names("\n".join(our_sql().values()))
        session.execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {role}".encode())
        session.execute(f"SET ROLE {role}".encode())
        for name, names in (("operators", OPERATORS), ("functions", functions), ("aggregates", aggregates)):
            session.execute("SELECT set_config(%s, %s, false)", (f"attack.{name}", json.dumps(names)))
        session.execute(_TRAPS.read_bytes())


def trapped(database: TestDatabase) -> int:
    """Return how often a trap was sprung so far, even where the exception was swallowed."""
    (row,) = database.execute("SELECT CASE WHEN v.is_called THEN v.last_value ELSE 0 END AS n FROM public.victims AS v")
    return int(row["n"])


class Parser:
    """Reports which traps a session resolved to, run or not: the server logs the parse tree of all that it prepares."""

    def __init__(self, session: "psycopg.Connection[tuple[object, ...]]") -> None:
        named = ((int(str(number)), str(name)) for number, name in session.execute(_NAMED.encode()))
        self._traps = {number: name for number, name in named if number >= _FIRST_OF_OTHERS and "." not in name}
        self._chosen: set[str] = set()
        session.add_notice_handler(self._read)
        session.execute(b"SET client_min_messages = log; SET debug_print_parse = on; SET debug_pretty_print = off")
        session.commit()

    def chosen(self) -> list[str]:
        """Return the traps since the last call."""
        chosen, self._chosen = sorted(self._chosen), set()
        return chosen

    def _read(self, notice: psycopg.errors.Diagnostic) -> None:
        numbers = {int(number) for number in _CHOSEN.findall(notice.message_detail or "")}
        self._chosen.update(self._traps[number] for number in numbers & self._traps.keys())
