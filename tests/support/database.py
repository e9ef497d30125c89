"""A database of one test, and an independent witness of what is in it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.rows import DictRow, dict_row

# Defaults of a pattern that passes the high-priority filter.
QUALIFYING = {
    "pattern_type": "sdlc",
    "confidence_score": 85.0,
    "occurrence_count": 78_167,
    "potential_monthly_savings": 183_844.06,
}


class TestDatabase:
    """Writes patterns as a detector does and reads the queue as a person does, over psycopg."""

    __test__ = False

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.name = name
        self._connection: psycopg.Connection[DictRow] | None = None

    @property
    def daemon_url(self) -> str:
        """Return the URL that a daemon is given: the same here, as on a developer's machine."""
        return self.url

    @classmethod
    def named(cls, server_url: str, name: str) -> Self:
        return cls(urlunsplit(urlsplit(server_url)._replace(path=f"/{name}")), name)

    @contextmanager
    def connect(self) -> Iterator[None]:
        self.reconnect()
        try:
            yield
        finally:
            if self._connection is not None:
                self._connection.close()

    def reconnect(self) -> None:
        """Open the connection in place of one that the server may have ended."""
        if self._connection is not None:
            self._connection.close()
        self._connection = psycopg.connect(self.url, autocommit=True, row_factory=dict_row)

    def reached_by(self, url: str) -> "TestDatabase":
        """Return the same database with another URL, over the open connection."""
        other = TestDatabase(url, self.name)
        other._connection = self._connection
        return other

    def another_connection(self, *, autocommit: bool = True) -> "psycopg.Connection[DictRow]":
        """Return a connection of its own; the caller closes it."""
        return psycopg.connect(self.url, row_factory=dict_row, autocommit=autocommit)

    def execute(self, sql: str, *arguments: object) -> list[DictRow]:
        assert self._connection is not None
        cursor = self._connection.execute(sql.encode(), arguments or None)
        return cursor.fetchall() if cursor.description else []

    def empty(self, *tables: str) -> None:
        """Truncate tables beside a daemon that reads them; retried, as the server may end either in a deadlock."""
        for _ in range(9):
            try:
                self.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
            except psycopg.errors.DeadlockDetected:
                continue
            return
        raise AssertionError(f"{tables} are never free to be emptied")

    def add_pattern(self, signature: str, **columns: object) -> int:
        """Insert a pattern that qualifies, unless `columns` say otherwise; return its id."""
        row = {"pattern_signature": signature, **QUALIFYING, **columns}
        values = [json.dumps(value) if name.startswith("typical_op") else value for name, value in row.items()]
        names = ", ".join(row)
        marks = ", ".join(["%s"] * len(row))
        found = self.execute(f"INSERT INTO operation_patterns ({names}) VALUES ({marks}) RETURNING id", *values)
        return int(found[0]["id"])

    def add_patterns(self, count: int, prefix: str = "bulk", **columns: object) -> None:
        """Insert many patterns that qualify in one statement."""
        row = {**QUALIFYING, **columns}
        self.execute(
            f"INSERT INTO operation_patterns (pattern_signature, {', '.join(row)})"
            f" SELECT %s || ':' || i, {', '.join(['%s'] * len(row))} FROM generate_series(1, {count}) AS i",
            prefix,
            *row.values(),
        )

    def entry(self, signature: str) -> DictRow | None:
        rows = self.execute("SELECT * FROM pattern_approvals WHERE pattern_id = %s", signature)
        return rows[0] if rows else None

    def queue(self) -> set[str]:
        return {row["pattern_id"] for row in self.execute("SELECT pattern_id FROM pattern_approvals")}

    def count(self, table: str) -> int:
        return int(self.execute(f"SELECT count(*) AS n FROM {table}")[0]["n"])

    def mark_of(self, signature: str) -> tuple[object, ...]:
        """Return what a decision wrote to the pattern itself: status, reviewer, notes, and whether it has a time."""
        row = self.execute(
            "SELECT automation_status, reviewed_by, review_notes, reviewed_at IS NOT NULL AS dated"
            " FROM operation_patterns WHERE pattern_signature = %s",
            signature,
        )[0]
        return tuple(row.values())

    def history_of(self, signature: str) -> list[DictRow]:
        """Return the history of an entry, oldest first."""
        return self.execute(
            "SELECT action, reviewer, notes FROM pattern_review_history WHERE pattern_id = %s ORDER BY id", signature
        )

    def add_entry(self, signature: str, status: str = "pending", **columns: object) -> None:
        """Insert an entry as an application does, without a pattern behind it."""
        row = {
            "pattern_id": signature,
            "status": status,
            "confidence_score": 0.5,
            "occurrence_count": 10,
            "estimated_savings_usd": 100,
            "tool_sequence": "Read",
            **columns,
        }
        marks = ", ".join(["%s"] * len(row))
        self.execute(f"INSERT INTO pattern_approvals ({', '.join(row)}) VALUES ({marks})", *row.values())

    @contextmanager
    def role(self, *rights: str) -> Iterator[str]:
        """Yield a role with some rights (what stands between GRANT and TO); it is gone at the end."""
        role = f"{self.name}_role"
        self.execute(f"CREATE ROLE {role}")
        try:
            for right in rights:
                self.execute(f"GRANT {right} TO {role}")
            yield role
        finally:
            self.execute(f"DROP OWNED BY {role}")
            self.execute(f"DROP ROLE {role}")

    def url_as(self, role: str) -> str:
        """Return the URL whose sessions have another role's rights."""
        return f"{self.url}{'&' if '?' in self.url else '?'}options=-crole%3D{role}"

    def decide(self, signature: str, status: str = "rejected") -> None:
        """Decide as the application's own panel does: by writing SQL."""
        self.execute(
            "UPDATE pattern_approvals SET status = %s, reviewed_by = 'ann', reviewed_at = now() WHERE pattern_id = %s",
            status,
            signature,
        )


def snapshot(database: TestDatabase, tables: Sequence[str]) -> dict[str, list[str]]:
    """Return every row of some tables with the transaction that wrote it, so that a rewrite of equal values shows."""
    return {table: _rows(database, table) for table in tables}


def _rows(database: TestDatabase, table: str) -> list[str]:
    rows = database.execute(f"SELECT (t.xmin, t.ctid, t.*)::text AS r FROM {table} AS t ORDER BY 1")
    return [str(row["r"]) for row in rows]


@contextmanager
def a_login(database: TestDatabase, *attributes: str) -> Iterator[tuple[str, str]]:
    """Yield a role that may log in, and its URL."""
    role = f"{database.name}_login"
    database.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x' {' '.join(attributes)}")
    parts = urlsplit(database.url)
    place = parts.netloc.rpartition("@")[2]
    try:
        yield role, urlunsplit(parts._replace(netloc=f"{role}:x@{place}", query="sslmode=disable"))
    finally:
        database.execute(f"DROP OWNED BY {role}")
        database.execute(f"DROP ROLE {role}")
