"""The blocking Python API: what it returns, and which errors it raises."""

import math
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from pattern_sync import (
    AccessRefused,
    Criterion,
    DatabaseUnavailable,
    InvalidSettings,
    PatternSyncService,
    SyncFilter,
    TypeCriterion,
)
from pattern_sync.config import Settings
from pattern_sync.database.version import SCHEMA_VERSION
from pattern_sync.domain.entry import QueueCounts
from pattern_sync.domain.outcomes import Outcome
from tests.support.database import TestDatabase
from tests.support.folders import open_folder

pytestmark = pytest.mark.lived_in_too
SECRET = "s3cr3t"


@pytest.fixture
def service(database: TestDatabase) -> PatternSyncService:
    return PatternSyncService(database.daemon_url)


def test_the_statistics_match_the_figures_that_applications_expect(
    database: TestDatabase, service: PatternSyncService
) -> None:
    assert service.get_sync_statistics().sync_percentage == 0.0
    database.add_patterns(46, "high")
    database.add_patterns(150, "low", confidence_score=1)
    service.sync_patterns(SyncFilter.everything(max_patterns=50))
    database.execute(
        "INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,"
        " tool_sequence) SELECT 'low:' || i, 'approved', 0, 1, 1, 'x' FROM generate_series(1, 150) AS i"
        " WHERE 'low:' || i NOT IN (SELECT pattern_id FROM pattern_approvals) ORDER BY i LIMIT 8"
    )
    statistics = service.get_sync_statistics()
    assert (statistics.patterns_in_source, statistics.patterns_in_review, statistics.pending_sync) == (196, 58, 138)
    assert statistics.sync_percentage == 29.6
    assert (statistics.qualifying, statistics.qualifying_missing) == (46, 0)


def test_without_a_url_invalid_settings_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN_SYNC_DATABASE_URL", "mysql://x/y")
    with pytest.raises(InvalidSettings):
        PatternSyncService()


def variable(url: str, _folder: Path) -> dict[str, str]:
    return {"PATTERN_SYNC_DATABASE_URL": url}


def env_file(url: str, folder: Path) -> dict[str, str]:
    (folder / ".env").write_text(f"PATTERN_SYNC_DATABASE_URL={url}\n")
    return {}


def named_file(url: str, folder: Path) -> dict[str, str]:
    (folder / "settings").write_text(f"PATTERN_SYNC_DATABASE_URL={url}\n")
    return {"PATTERN_SYNC_ENV_FILE": str(folder / "settings")}


def credential(url: str, folder: Path) -> dict[str, str]:
    (folder / "pattern_sync_database_url").write_text(url)
    return {"CREDENTIALS_DIRECTORY": str(folder)}


@pytest.mark.parametrize("source", [variable, env_file, named_file, credential])
def test_without_a_url_the_settings_are_read_as_commands_read_them(
    database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    source: Callable[[str, Path], dict[str, str]],
) -> None:
    for name in (*Settings.model_fields, "env_file"):
        monkeypatch.delenv(f"PATTERN_SYNC_{name.upper()}", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    for name, value in source(database.url, tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    database.add_pattern("a")
    assert PatternSyncService().sync_patterns().synced_pattern_ids == ("a",)


def test_without_any_url_the_embedded_server_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PATTERN_SYNC_DATABASE_URL", raising=False)
    with open_folder() as folder:
        monkeypatch.setenv("PATTERN_SYNC_DATA_DIR", str(folder / "server"))
        service = PatternSyncService()
        assert service.get_sync_statistics().patterns_in_source == 0
        assert service.overview().runs == ()


def test_unnamed_criteria_are_unbounded_and_no_filter_is_the_manual_default(
    database: TestDatabase, service: PatternSyncService
) -> None:
    database.add_pattern("fair", confidence_score=60, occurrence_count=2, potential_monthly_savings=None)
    database.add_pattern("poor", confidence_score=0, occurrence_count=1, potential_monthly_savings=0)
    database.add_pattern("never", occurrence_count=0)
    assert service.sync_patterns(dry_run=True).synced_pattern_ids == ("fair",)
    assert set(service.sync_patterns(SyncFilter()).synced_pattern_ids) == {"fair", "poor"}


def test_a_pattern_that_was_taken_further_is_not_pending(database: TestDatabase, service: PatternSyncService) -> None:
    database.add_pattern("a", automation_status="active")
    database.add_pattern("b")
    statistics = service.get_sync_statistics()
    assert (statistics.patterns_in_source, statistics.pending_sync, statistics.qualifying) == (2, 1, 1)


def test_each_case_is_explained(database: TestDatabase, service: PatternSyncService) -> None:
    for name in ("pending", "decided", "gone"):
        database.add_pattern(name)
    service.sync_high_priority_patterns()
    database.decide("decided", "approved")
    database.execute("DELETE FROM operation_patterns WHERE pattern_signature = 'gone'")
    database.add_pattern("new")
    database.add_pattern("taken", automation_status="active")
    database.add_pattern("short", confidence_score=12.5, occurrence_count=None, potential_monthly_savings=None)
    outcomes = {
        name: service.explain(name).outcome
        for name in ("pending", "decided", "gone", "new", "taken", "short", "unknown", "it's", "\0")
    }
    assert outcomes == {
        "pending": Outcome.UNCHANGED,
        "decided": Outcome.DECIDED,
        "gone": Outcome.GONE,
        "new": Outcome.QUEUED,
        "taken": Outcome.SHORT,
        "short": Outcome.SHORT,
        "unknown": None,
        "it's": None,
        "\0": None,
    }


def test_a_shortfall_is_explained_with_value_and_bound(database: TestDatabase, service: PatternSyncService) -> None:
    database.add_pattern("short", confidence_score=12.5, occurrence_count=None, potential_monthly_savings=999)
    explained = service.explain("short")
    assert explained.shortfalls == (
        Criterion("confidence", 12.5, 70.0, met=False),
        Criterion("occurrences", 0, 5, met=False),
        Criterion("savings", 999.0, 1_000.0, met=False),
    )
    assert "confidence is 12.5 %, the filter requires 70 % or more" in explained.reason


def test_the_type_is_a_criterion_where_the_filter_names_types(
    database: TestDatabase, service: PatternSyncService
) -> None:
    database.add_pattern("a", pattern_type="deploy")
    assert [item.name for item in service.explain("a").criteria] == ["confidence", "occurrences", "savings"]
    database.execute("UPDATE pattern_sync.settings SET only_types = '{sdlc,test}', exclude_types = '{x}'")
    (missed,) = service.explain("a").shortfalls
    assert missed == TypeCriterion("deploy", ("sdlc", "test"), ("x",), met=False)


def test_what_is_not_finite_is_explained_as_a_shortfall(database: TestDatabase, service: PatternSyncService) -> None:
    database.add_pattern("a", confidence_score="NaN")
    explained = service.explain("a")
    (missed,) = explained.shortfalls
    assert isinstance(missed, Criterion)
    assert (missed.name, math.isnan(missed.value), missed.missing_by) == ("confidence", True, None)
    assert "confidence is nan %" in explained.reason


def test_the_overview_reports_everything_at_once(database: TestDatabase, service: PatternSyncService) -> None:
    database.add_patterns(3, "p")
    service.sync_high_priority_patterns()
    database.decide("p:1")
    database.execute("DELETE FROM operation_patterns WHERE pattern_signature = 'p:2'")
    overview = service.overview()
    assert overview.queue == QueueCounts(
        pending=2,
        approved=0,
        rejected=1,
        auto_approved=0,
        auto_rejected=0,
        total=3,
        claimed_usd=367_688.12,
        shown_usd=None,
    )
    assert (overview.gone, overview.schema_version, overview.trigger_missing_on) == (1, SCHEMA_VERSION, ())
    assert overview.filter == SyncFilter.high_priority(max_patterns=None)
    assert overview.database.endswith(f"/{database.name}")
    assert overview.server_version[:2].isdigit()
    assert isinstance(overview.runs[0].finished_at, datetime)
    assert overview.daemons == ()
    database.execute("DROP TRIGGER pattern_sync_announce ON operation_patterns")
    assert service.overview().trigger_missing_on == ("operation_patterns",)


def test_the_overview_shows_a_listening_daemon(database: TestDatabase, service: PatternSyncService) -> None:
    with psycopg.connect(database.url, application_name="pattern-sync 9.8.7 listener"):
        (daemon,) = service.overview().daemons
    assert daemon.pid > 0
    assert daemon.version == "9.8.7"


def test_the_top_of_the_queue_is_the_best_impact_first(database: TestDatabase, service: PatternSyncService) -> None:
    for name, savings in (("b", 5000), ("a", 9000), ("c", 2000), ("d", 9999)):
        database.add_pattern(name, potential_monthly_savings=savings)
    service.sync_high_priority_patterns()
    database.decide("d")
    top = service.list_entries(limit=2)
    assert [entry.pattern_id for entry in top] == ["a", "b"]
    best = top[0]
    assert (best.confidence_score, best.occurrence_count, best.estimated_savings_usd) == (0.85, 78_167, 9000)


@pytest.fixture
def locked_out(database: TestDatabase) -> Iterator[str]:
    role = f"{database.name}_role"
    database.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'another'")
    parts = urlsplit(database.url)
    host = (parts.netloc.rpartition("@")[2], f"{role}:{SECRET}")
    try:
        yield urlunsplit(parts._replace(netloc=f"{host[1]}@{host[0]}"))
    finally:
        database.execute(f"DROP ROLE {role}")


def test_a_wrong_password_is_refused_without_showing_it(locked_out: str) -> None:
    try:
        psycopg.connect(locked_out).close()
    except psycopg.OperationalError:
        pass
    else:
        pytest.skip("this server asks for no password")
    with pytest.raises(AccessRefused) as refusal:
        PatternSyncService(locked_out).get_sync_statistics()
    assert "password" in str(refusal.value)
    assert SECRET not in str(refusal.value)


def test_a_missing_database_is_refused_by_name(database: TestDatabase) -> None:
    url = urlunsplit(urlsplit(database.url)._replace(path="/not_there"))
    with pytest.raises(AccessRefused, match="not_there"):
        PatternSyncService(url).get_sync_statistics()


def test_an_unreachable_server_is_unavailable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening: the port stays taken and refuses connections
        url = f"postgresql://ann:{SECRET}@127.0.0.1:{free.getsockname()[1]}/work"
        with pytest.raises(DatabaseUnavailable) as fault:
            PatternSyncService(url).get_sync_statistics()
    assert SECRET not in str(fault.value)


def test_an_invalid_url_is_refused_before_any_connect() -> None:
    with pytest.raises(InvalidSettings):
        PatternSyncService("nonsense")
