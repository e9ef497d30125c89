"""Finding PostgreSQL's programs among made-up installations."""

from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from pattern_sync.domain.errors import EmbeddedServerError, InvalidSettings
from pattern_sync.embedded import EmbeddedServer, all_binaries, binaries, default_data_dir, find_binaries


def install(prefix: Path, version: str, *, initdb: bool = True) -> Path:
    """Make programs that only print their version."""
    directory = prefix / "bin"
    directory.mkdir(parents=True)
    for name in ("postgres", "initdb") if initdb else ("postgres",):
        (directory / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (directory / name).chmod(0o755)
    return directory


class Machine:
    """A machine, at first without any PostgreSQL."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wheel, self.distribution, self._path = root / "wheel", root / "usr", root / "path"
        spec = ModuleSpec(binaries.WHEEL, None)
        spec.submodule_search_locations = [str(self.wheel)]
        monkeypatch.setattr("importlib.util.find_spec", lambda _name: spec)
        monkeypatch.setattr(binaries, "_DISTRIBUTION", self.distribution)
        monkeypatch.setenv("PATH", f"{self._path}:/usr/bin:/bin")
        self.pg_config_says(root / "nowhere")

    def pg_config_says(self, directory: Path) -> None:
        self._path.mkdir(exist_ok=True)
        (self._path / "pg_config").write_text(f"#!/bin/sh\necho '{directory}'\n")
        (self._path / "pg_config").chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_the_wheel_comes_first_then_pg_config_then_the_newest_of_the_distribution(
    machine: Machine, tmp_path: Path
) -> None:
    install(machine.distribution / "9", "14.2")
    install(machine.distribution / "10", "15.1 (Debian 15.1-1)")
    machine.pg_config_says(install(tmp_path / "own", "17devel"))
    install(machine.wheel / "pginstall", "16.14")
    install(machine.wheel / "pginstall18", "18.4")
    assert [each.major for each in all_binaries()] == [18, 16, 17, 15, 14]
    assert find_binaries().directory == machine.wheel / "pginstall18" / "bin"


def test_the_data_folders_version_decides(machine: Machine) -> None:
    install(machine.wheel / "pginstall18", "18.4")
    wanted = install(machine.distribution / "15", "15.1")
    assert find_binaries(15) == binaries.PostgresBinaries(wanted, 15)


def test_a_missing_version_is_named_with_those_found_and_the_remedy(machine: Machine) -> None:
    there = install(machine.wheel / "pginstall18", "18.4")
    with pytest.raises(EmbeddedServerError) as caught:
        find_binaries(15)
    for part in (
        "PostgreSQL 15",
        f"PostgreSQL 18 in {there}",
        "pattern-sync[embedded]",
        "--data-dir",
        "_URL",
    ):
        assert part in str(caught.value)


@pytest.mark.usefixtures("machine")
def test_without_any_postgresql_the_url_is_what_is_missing_and_no_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"_URL is not set.*pip install 'pattern-sync\[embedded\]'"):
        EmbeddedServer(tmp_path / "new").open()
    assert not (tmp_path / "new").exists()


def test_old_incomplete_or_broken_installations_are_skipped(machine: Machine) -> None:
    install(machine.distribution / "13", "13.9")
    install(machine.distribution / "16", "16.1", initdb=False)
    broken = install(machine.distribution / "17", "17.1") / "postgres"
    broken.write_text("#!/bin/sh\nexit 127\n")
    assert all_binaries() == []


def test_one_installation_that_is_found_twice_is_listed_once(machine: Machine) -> None:
    machine.pg_config_says(install(machine.distribution / "15", "15.1"))
    assert len(all_binaries()) == 1


def test_a_missing_wheel_is_no_fault(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    install(machine.distribution / "15", "15.1")
    assert find_binaries().major == 15


@pytest.mark.parametrize(
    ("user", "state_home", "expected"),
    [
        (0, "/state", "/var/lib/pattern-sync-embedded"),
        (1000, "/state", "/state/pattern-sync"),
        (1000, "relative", "/home/somebody/.local/state/pattern-sync"),
        (1000, "", "/home/somebody/.local/state/pattern-sync"),
    ],
)
def test_the_state_folder_is_the_systems_for_root_and_else_the_users(
    user: int, state_home: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.setenv("XDG_STATE_HOME", state_home)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert default_data_dir() == Path(expected)


def test_data_that_root_has_in_the_folder_of_a_service_are_still_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    before = tmp_path / "pattern-sync"
    before.mkdir()
    assert default_data_dir(tmp_path) == tmp_path / "pattern-sync-embedded"
    (before / "postgres").mkdir()
    (before / "postgres" / "PG_VERSION").write_text("15\n")
    assert default_data_dir(tmp_path) == before
