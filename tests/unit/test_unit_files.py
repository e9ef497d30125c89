"""What systemd/ holds: units that systemd takes without a word and rates as safe, and every setting in words."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from pattern_sync.config import CRITERIA, Settings
from tools.environment_file import FILE, environment_file

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "systemd"
SERVICE, TEMPLATE, INSTANCE = "pattern-sync.service", "pattern-sync@.service", "pattern-sync@orders.service"
PROGRAM = "/opt/pattern-sync/bin/pattern-sync"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here"
)


def text_of(name: str) -> str:
    return (UNITS / name).read_text(encoding="utf-8")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a folder with both units, and with a program where they look for one."""
    program = tmp_path / "pattern-sync"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name in (SERVICE, TEMPLATE):
        (tmp_path / name).write_text(text_of(name).replace(PROGRAM, str(program)))
    return tmp_path


def analyze(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["systemd-analyze", *arguments],
        env={"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin", "SYSTEMD_COLORS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )


def exposure(folder: Path, unit: str) -> float:
    done = analyze(folder, "security", "--offline=true", str(folder / unit))
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done
    return float(found[1])


def with_local_database(folder: Path, unit: str) -> Path:
    drop_ins = folder / f"{unit}.d"
    drop_ins.mkdir()
    shutil.copy(UNITS / "local-database.conf", drop_ins)
    return folder


@needs_systemd
@pytest.mark.parametrize("unit", [SERVICE, INSTANCE])
def test_systemd_finds_nothing_to_complain_of(installed: Path, unit: str) -> None:
    for folder in (installed, with_local_database(installed, unit)):
        done = analyze(folder, "verify", "--recursive-errors=no", str(folder / unit))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
def test_the_unit_is_closed_as_far_as_a_daemon_with_a_network_can_be(installed: Path) -> None:
    assert exposure(installed, SERVICE) <= 1.1
    assert exposure(with_local_database(installed, SERVICE), SERVICE) <= 1.0


def test_the_template_differs_from_the_unit_only_in_names() -> None:
    def settings_of(text: str) -> list[str]:
        return [line for line in text.splitlines() if line and not line.startswith("#")]

    named = text_of(TEMPLATE).replace(" (%i)", "").replace("pattern-sync/%i.database-url", "pattern-sync/database-url")
    named = named.replace("/%i.env", "/pattern-sync.env").replace(
        "StateDirectory=pattern-sync/%i", "StateDirectory=pattern-sync"
    )
    assert settings_of(named) == settings_of(text_of(SERVICE))
    assert "%i" not in named.partition("[Unit]")[2]


@pytest.mark.parametrize("name", [SERVICE, TEMPLATE])
def test_a_unit_starts_again_for_ever_and_never_reads_its_settings_at_the_start_only(name: str) -> None:
    lines = text_of(name).splitlines()
    for wanted in (
        "Type=notify",
        "Restart=always",
        "RestartSec=2",
        "RestartPreventExitStatus=2",
        "StartLimitIntervalSec=0",
        "Environment=PYTHONFAULTHANDLER=1",
    ):
        assert wanted in lines
    assert not [line for line in lines if line.startswith(("EnvironmentFile=", "IPAddressDeny="))]


def test_the_settings_file_matches_the_settings() -> None:
    assert FILE.read_text(encoding="utf-8") == environment_file(), (
        "systemd/pattern-sync.env is out of date; run: make docs"
    )


@pytest.mark.parametrize("setting", Settings.model_fields)
def test_the_settings_file_has_every_setting_with_its_words(setting: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert f"\n#PATTERN_SYNC_{setting.upper()}=" in text
    words = str(Settings.model_fields[setting].description).replace("`", "").split()
    assert " ".join(words) in " ".join(text.replace("\n# ", " ").split())


def test_every_default_in_the_settings_file_is_what_an_unset_variable_means(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    unset = Settings.load()
    (tmp_path / ".env").write_text(re.sub(r"^#(PATTERN_SYNC_)", r"\1", environment_file(), flags=re.MULTILINE))
    assert Settings.load().model_dump() == unset.model_dump()


def test_the_settings_file_puts_what_a_reload_reads_first() -> None:
    text = environment_file()
    restarted = text.index("systemctl restart")
    for name in Settings.model_fields:
        assert (text.index(f"#PATTERN_SYNC_{name.upper()}=") < restarted) == (name in CRITERIA)


def test_the_source_distribution_holds_the_units() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "systemd" in project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
