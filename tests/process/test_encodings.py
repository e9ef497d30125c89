"""Databases in other encodings: bytes that no client can read affect only their own row."""

from collections.abc import Iterator

import pytest

from pattern_sync import PatternSyncService
from tests.support.application import adopt, installer
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.paths import UNCAPPED
from tests.support.waiting import eventually

# An e with an accent in LATIN1, and a byte that WIN1252 leaves undefined.
BYTES = {"SQL_ASCII": "\\xe9", "WIN1252": "\\x81"}
SHOWN = {"SQL_ASCII": "\\351", "WIN1252": "\\201"}


class Encoded(TestDatabase):
    """A database in an encoding, and the statement that writes bytes that no client can read."""

    encoding: str

    def add_illegible_pattern(self, signature: str, columns: str) -> None:
        self.add_pattern(signature)
        illegible = f"convert_from('{BYTES[self.encoding]}', '{self.encoding}')"
        self.execute(
            f"UPDATE operation_patterns SET {columns.replace('?', illegible)} WHERE pattern_signature = %s", signature
        )


@pytest.fixture(params=BYTES)
def encoded(request: pytest.FixtureRequest, empty_database: TestDatabase, server_url: str) -> Iterator[Encoded]:
    database = Encoded.named(server_url, f"{empty_database.name}_encoded")
    database.encoding = request.param
    empty_database.execute(
        f"CREATE DATABASE {database.name} TEMPLATE template0 ENCODING '{request.param}' LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    try:
        with database.connect():
            adopt(database)
            installer(database).migrate()
            yield database
    finally:
        empty_database.execute(f"DROP DATABASE {database.name} WITH (FORCE)")


def test_a_name_that_no_client_can_read_does_not_stop_the_others(encoded: Encoded) -> None:
    encoded.add_pattern("before")
    encoded.add_illegible_pattern("caf", "pattern_signature = pattern_signature || ?")
    name = f"caf{SHOWN[encoded.encoding]}"
    with running_daemon(encoded.daemon_url) as daemon:
        assert encoded.entry("before"), "the catch-up has queued it before it is ready"
        encoded.add_pattern("after")
        eventually(lambda: encoded.entry("after"))
        (line,) = daemon.lines("scan.failed", kind="catch-up")
        (error,) = line["errors"]
        assert error.startswith(f"{name}: ")
        assert 'encoding "' in error
        assert not daemon.lines("database.lost")
        previewed = PatternSyncService(encoded.url).sync_patterns(UNCAPPED, dry_run=True)
        assert previewed.synced_pattern_ids == (name,)
    assert encoded.count("pattern_approvals") == len(("gone", "before", "after"))


def test_entries_with_undecodable_bytes_are_listed_with_the_others(encoded: Encoded) -> None:
    shown = SHOWN[encoded.encoding]
    encoded.add_illegible_pattern("a", "typical_input_pattern = 'caf' || ?, pattern_type = 't' || ?")
    service = PatternSyncService(encoded.url)
    assert service.sync_patterns(UNCAPPED).synced_pattern_ids == ("a",)
    encoded.execute(
        "UPDATE pattern_approvals SET pattern_id = pattern_id || convert_from(%s, %s), status = 'pending'"
        " WHERE pattern_id = 'gone'",
        BYTES[encoded.encoding],
        encoded.encoding,
    )
    entries = {entry.pattern_id: entry for entry in service.list_entries()}
    assert set(entries) == {"a", f"gone{shown}"}
    assert entries["a"].pattern_context == f"caf{shown}"
    service.approve("a", reviewer="ann")
    assert service.explain("a").entry_status == "approved"
