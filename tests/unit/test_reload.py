"""A reload: what it puts in force, what it refuses, and what it leaves to the next start, named."""

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from pattern_sync.config import Reread, Rereader, Settings
from pattern_sync.domain.errors import DatabaseUnavailable, InvalidSettings
from pattern_sync.domain.facts import ReloadDeferred, ReloadRefused, SettingsReloaded, SettingsUnread
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.observability.systemd import ServiceManager
from pattern_sync.runtime.queueing import build_publisher
from pattern_sync.runtime.readiness import Readiness
from pattern_sync.runtime.reload import FilterPublisher, Reloader
from pattern_sync.sync.in_force import FilterInForce
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, RecordedFacts, RecordingActivity

if TYPE_CHECKING:
    from pattern_sync.database.gateway import DaemonGateway
    from pattern_sync.runtime.core import Core

OLD, NEW, NEWEST = (SyncFilter(min_confidence=number) for number in (70.0, 60.0, 50.0))


class Reloads:
    """A reloader and its publisher, on a database that can be away."""

    def __init__(self) -> None:
        self.facts = RecordedFacts()
        self.away = False
        self.in_force = OLD
        self.file = Reread(NEW)
        self.requested = asyncio.Event()
        self.publisher = FilterPublisher(OLD, self._publish, self.facts, RecordingActivity(Clock()))
        readiness = Readiness(self.facts, ServiceManager(self.facts, {}), lambda: 0.0, 20.0)
        self.reloader = Reloader(
            self.requested, lambda: self.file, self.publisher, readiness, lambda: self.away, self.facts, 30.0
        )

    async def _publish(self, wanted: SyncFilter) -> bool:
        if self.away:
            raise DatabaseUnavailable("down")
        changed, self.in_force = wanted != self.in_force, wanted
        return changed


def test_a_reload_waits_until_the_filter_is_in_force() -> None:
    async def check() -> None:
        reloads = Reloads()
        task = asyncio.create_task(reloads.publisher.run())
        await reloads.reloader.run_once()
        assert reloads.in_force == NEW
        assert reloads.facts == [SettingsReloaded(str(NEW), changed=True)]
        task.cancel()

    run(check())


def test_a_reload_in_an_outage_waits_for_nothing_and_the_last_filter_is_put_in_force_after_it() -> None:
    async def check() -> None:
        reloads = Reloads()
        reloads.away = True
        tasks = [asyncio.create_task(service.run()) for service in (reloads.publisher, reloads.reloader)]
        for number, wanted in enumerate((NEW, NEWEST), 1):
            reloads.file = Reread(wanted)
            reloads.requested.set()
            await settle(lambda number=number: len(reloads.facts.of(ReloadDeferred)) == number)  # type: ignore[misc]
        assert reloads.facts == [ReloadDeferred(str(NEW)), ReloadDeferred(str(NEWEST))]
        reloads.away = False
        await settle(lambda: reloads.facts.of(SettingsReloaded))
        assert reloads.in_force == NEWEST
        for task in tasks:
            task.cancel()

    run(check())


def test_a_reload_that_is_refused_changes_nothing_not_even_a_deferred_filter() -> None:
    async def check() -> None:
        def refuse() -> Reread:
            raise InvalidSettings("PATTERN_SYNC_MIN_CONFIDENCE is 'abc'")

        reloads = Reloads()
        reloads.away = True
        await reloads.reloader.run_once()
        vars(reloads.reloader)["_read"] = refuse
        await reloads.reloader.run_once()
        assert reloads.facts == [ReloadDeferred(str(NEW)), ReloadRefused("PATTERN_SYNC_MIN_CONFIDENCE is 'abc'")]
        assert reloads.publisher.wanted == NEW

    run(check())


def test_what_a_reload_leaves_to_the_next_start_is_named() -> None:
    async def check() -> None:
        reloads = Reloads()
        reloads.away = True
        reloads.file = Reread(NEW, ("one", "two"))
        await reloads.reloader.run_once()
        assert reloads.facts == [SettingsUnread("one"), SettingsUnread("two"), ReloadDeferred(str(NEW))]

    run(check())


class Files:
    """A settings file as it was at the start and as it is now."""

    def __init__(self, folder: Path) -> None:
        self.env_file = folder / "settings.env"
        self.token_file = folder / "token"
        self.token_file.write_text("old")
        self.write("")

    def write(self, *lines: str) -> None:
        self.env_file.write_text("".join(f"PATTERN_SYNC_{line}\n" for line in lines))


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Files:
    for name in os.environ:
        if name.startswith("PATTERN_SYNC_"):
            monkeypatch.delenv(name)
    files = Files(tmp_path)
    monkeypatch.setenv("PATTERN_SYNC_ENV_FILE", str(files.env_file))
    return files


def started(files: Files, *lines: str) -> Rereader:
    files.write(*lines)
    return Rereader(Settings.load(), Settings.load)


def test_a_reload_reads_the_criteria(files: Files) -> None:
    reread = started(files, "MIN_CONFIDENCE=71")
    files.write("MIN_CONFIDENCE=61", "ONLY_TYPES=sdlc")
    result = reread()
    assert (result.filter.min_confidence, result.filter.only_types) == (61.0, ("sdlc",))
    assert result.unread == ()


def test_a_changed_setting_that_a_reload_does_not_read_is_named_without_its_value(files: Files) -> None:
    reread = started(files, "INTERVAL=3600", "DATABASE_URL=postgresql://a")
    files.write("INTERVAL=60", "DATABASE_URL=postgresql://app:s3cr3t@b", "LOG_LEVEL=debug")
    names = "PATTERN_SYNC_DATABASE_URL, PATTERN_SYNC_INTERVAL, PATTERN_SYNC_LOG_LEVEL"
    assert reread().unread == (f"A change of these takes effect at the next start: {names}.",)


@pytest.mark.parametrize("kind", ["API", "ADMIN", "METRICS"])
def test_another_token_in_the_same_file_is_named_and_a_file_that_is_gone_is_refused(files: Files, kind: str) -> None:
    name = f"PATTERN_SYNC_{kind}_TOKEN_FILE"
    reread = started(files, f"{kind}_TOKEN_FILE={files.token_file}")
    assert reread().unread == ()
    files.token_file.write_text("new")
    (sentence,) = reread().unread
    assert sentence == f"A change of these takes effect at the next start: the content of {name}."
    files.token_file.unlink()
    with pytest.raises(InvalidSettings, match=name):
        reread()


def test_a_reload_without_a_settings_file_says_that_it_can_change_nothing(
    files: Files, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PATTERN_SYNC_ENV_FILE")
    monkeypatch.chdir(tmp_path)
    reread = started(files, "MIN_CONFIDENCE=71")
    (sentence,) = reread().unread
    assert sentence.startswith("There is no settings file")


def test_a_criterion_that_the_environment_overrides_is_named(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN_SYNC_MIN_CONFIDENCE", "71")
    monkeypatch.setenv("PATTERN_SYNC_MIN_SAVINGS", "5")
    reread = started(files, "MIN_CONFIDENCE=71")
    assert reread().unread == (), "the same value in both places is no contradiction"
    files.write("MIN_CONFIDENCE=61")
    (sentence,) = reread().unread
    assert sentence.endswith("read at the start only: PATTERN_SYNC_MIN_CONFIDENCE.")


@pytest.mark.parametrize(
    "line",
    [
        "MIN_SAVINGS 6000",
        "EXCLUDE_TYPES: noise",
        "EXCLUDE_TYPES",
        'ONLY_TYPES="a',
        'ONLY_TYPES="a\nPATTERN_SYNC_EXCLUDE_TYPES="',
    ],
)
def test_a_line_that_cannot_be_understood_is_refused_by_its_number_without_its_text(files: Files, line: str) -> None:
    reread = started(files, "MIN_SAVINGS=5000", "EXCLUDE_TYPES=noise", "ONLY_TYPES=a")
    files.write("MIN_CONFIDENCE=71", "LOG_LEVEL=info\n\n# a comment\n", line, "MIN_OCCURRENCES=7")
    with pytest.raises(InvalidSettings) as refused:
        reread()
    assert str(refused.value) == (
        f"The settings file '{files.env_file}' cannot be understood at line 6. Write NAME=value on one line, and close"
        " every quote."
    )


def test_a_quote_of_anothers_line_that_is_not_closed_is_refused(files: Files) -> None:
    reread = started(files, "MIN_SAVINGS=5000")
    files.env_file.write_text('OTHER="a\nPATTERN_SYNC_MIN_SAVINGS=6000\nAN="other"\n')
    with pytest.raises(InvalidSettings, match=r"at line 1\."):
        reread()


def test_a_mark_that_an_editor_puts_before_the_first_line_hides_no_setting(files: Files) -> None:
    reread = started(files, "MIN_SAVINGS=5000")
    files.env_file.write_text("PATTERN_SYNC_MIN_SAVINGS=6000\n", encoding="utf-8-sig")
    assert reread().filter.min_savings == 6000


@pytest.mark.usefixtures("files")
def test_a_settings_file_that_is_gone_does_not_stand_for_the_defaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PATTERN_SYNC_ENV_FILE")
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ".env"
    file.write_text("PATTERN_SYNC_MIN_SAVINGS=5000\n")
    reread = Rereader(Settings.load(), Settings.load)
    file.unlink()
    with pytest.raises(InvalidSettings, match=r"\.env' was there at the start, and is gone"):
        reread()
    file.touch()
    assert reread().filter.min_savings == 1000


def test_while_the_filter_is_being_published_it_is_already_this_daemons_own() -> None:
    async def check() -> None:
        in_force = FilterInForce(OLD)
        found: list[SyncFilter | None] = []

        async def publish_filter(_: SyncFilter) -> bool:
            found.append(in_force.own_as_found(NEW))
            return True

        core = SimpleNamespace(emit=RecordedFacts(), activity=lambda _: RecordingActivity(Clock()))
        gateway = SimpleNamespace(publish_filter=publish_filter)
        publisher = build_publisher(cast("Core", core), cast("DaemonGateway", gateway), in_force)
        publisher.want(NEW)
        await publisher.run_once()
        assert found == [NEW]
        assert in_force.own == NEW

    run(check())
