"""Installing beside live traffic, and twenty times at once."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from pattern_sync.database import installer as module
from pattern_sync.domain.errors import DatabaseUnavailable
from tests.support.application import abouts, adopt, dump, installer
from tests.support.database import TestDatabase
from tests.support.waiting import eventually

INSTALLERS = 20
# The installer's lock timeout is a tenth of this; the rest is for a busy machine.
SLOWEST_COMMIT_SECONDS = 2.0


class Writer:
    """A detector that writes without a pause and measures its slowest commit."""

    def __init__(self) -> None:
        self.commits = 0
        self.slowest_seconds = 0.0
        self.fault: Exception | None = None


@contextmanager
def writing(database: TestDatabase) -> Iterator[Writer]:
    writer, stop = Writer(), threading.Event()

    def write() -> None:
        try:
            with database.another_connection() as detector:
                while not stop.is_set():
                    started = time.monotonic()
                    detector.execute(
                        "INSERT INTO operation_patterns (pattern_signature, pattern_type, occurrence_count)"
                        " VALUES ('busy', 'x', 1) ON CONFLICT (pattern_signature)"
                        " DO UPDATE SET occurrence_count = operation_patterns.occurrence_count + 1"
                    )
                    writer.slowest_seconds = max(writer.slowest_seconds, time.monotonic() - started)
                    writer.commits += 1
        except Exception as fault:  # noqa: BLE001 - reported by the test, not lost in a thread
            writer.fault = fault

    thread = threading.Thread(target=write)
    thread.start()
    try:
        eventually(lambda: writer.commits or writer.fault, what="the first commit")
        yield writer
    finally:
        stop.set()
        thread.join()


def test_twenty_simultaneous_installers_install_once_and_delay_no_writer(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    start = threading.Barrier(INSTALLERS)

    def install(_: int) -> list[str]:
        start.wait(timeout=30)
        return abouts(empty_database)

    with writing(empty_database) as writer, ThreadPoolExecutor(INSTALLERS) as pool:
        steps = [step for done in pool.map(install, range(INSTALLERS)) for step in done]
        commits = writer.commits
        eventually(lambda: writer.commits > commits, what="a commit after the installation")
    assert writer.fault is None
    assert writer.slowest_seconds < SLOWEST_COMMIT_SECONDS
    assert sorted(steps) == [
        "apply migrations/0001_bookkeeping.sql",
        "apply migrations/0002_review.sql",
        "apply migrations/0003_lived_in.sql",
        "apply migrations/0004_additive.sql",
        "apply migrations/0005_deciding.sql",
        "apply migrations/0006_telling.sql",
        "apply migrations/0007_detecting.sql",
        "apply migrations/0008_roi.sql",
        "apply migrations/0009_rules.sql",
        "apply migrations/0010_model.sql",
        "create the functions",
        "create the triggers on operation_patterns",
        "create the triggers on pattern_approvals",
        "create the triggers on pattern_review_history",
    ]
    assert abouts(empty_database) == []


def test_twenty_simultaneous_installers_fill_an_empty_database_once(
    empty_database: TestDatabase, database: TestDatabase
) -> None:
    with ThreadPoolExecutor(INSTALLERS) as pool:
        done = list(pool.map(lambda _: abouts(empty_database), range(INSTALLERS)))
    assert sum("create the application's tables" in steps for steps in done) == 1
    assert dump(empty_database, "--schema-only") == dump(database, "--schema-only")


def test_an_installer_that_waited_sees_the_others_work_at_every_isolation_level(
    empty_database: TestDatabase,
) -> None:
    adopt(empty_database)
    empty_database.execute(f'ALTER DATABASE "{empty_database.name}" SET default_transaction_isolation = serializable')
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: abouts(empty_database), range(4)))
    assert sum("create the functions" in steps for steps in done) == 1


def test_an_installer_waits_out_a_long_transaction_without_delaying_writers(
    empty_database: TestDatabase,
) -> None:
    adopt(empty_database)
    with ThreadPoolExecutor(1) as pool, empty_database.another_connection(autocommit=False) as long_transaction:
        long_transaction.execute("UPDATE operation_patterns SET last_seen = now()")
        with writing(empty_database) as writer:
            installing = pool.submit(abouts, empty_database)
            eventually(lambda: waits_for_the_table(empty_database), what="the first try")
            commits = writer.commits
            eventually(lambda: writer.commits > commits + 20, what="twenty commits")
            assert not installing.done()
            long_transaction.commit()
            assert "create the triggers on operation_patterns" in installing.result(timeout=60)
        assert writer.fault is None
        assert writer.slowest_seconds < SLOWEST_COMMIT_SECONDS


def waits_for_the_table(database: TestDatabase) -> bool:
    return bool(
        database.execute(
            "SELECT pid FROM pg_locks"
            " WHERE relation = 'operation_patterns'::regclass AND mode = 'ShareRowExclusiveLock'"
        )
    )


@pytest.mark.parametrize("action", ["migrate", "uninstall"])
def test_an_installer_gives_up_on_an_endless_transaction(
    empty_database: TestDatabase, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    adopt(empty_database)
    if action == "uninstall":
        abouts(empty_database)
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.5)
    with empty_database.another_connection(autocommit=False) as long_transaction:
        long_transaction.execute("UPDATE operation_patterns SET last_seen = now()")
        with pytest.raises(DatabaseUnavailable, match="the application's tables"):
            getattr(installer(empty_database), action)()
        long_transaction.commit()
    monkeypatch.undo()
    assert getattr(installer(empty_database), action)() != []
