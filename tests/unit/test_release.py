"""What a release consists of: one version everywhere, and locks that pin what pyproject.toml requires."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {
    "dev": [*PROJECT["dependencies"], *EXTRAS["embedded"], *EXTRAS["dev"]],
    "bench": [*PROJECT["dependencies"], *EXTRAS["bench"]],
    "runtime": PROJECT["dependencies"],
    "build": PYPROJECT["build-system"]["requires"],
}
_RELEASE = re.compile(r"^## (\d+\.\d+\.\d+) - \d{4}-\d{2}-\d{2}$", re.MULTILINE)
_PIN = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", re.MULTILINE)


def lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def pins(name: str) -> dict[str, str]:
    return dict(_PIN.findall(lock(name)))


def test_the_version_is_the_newest_of_the_changelog_and_the_installed_one() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert _RELEASE.findall(changelog)[0] == PROJECT["version"], "CHANGELOG.md and pyproject.toml disagree"
    assert version("pattern-sync") == PROJECT["version"], "pyproject.toml has changed; run make once"


def test_the_changelog_begins_with_the_unreleased_changes() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert headings[1:] == sorted(headings[1:], reverse=True)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_what_pyproject_requires(name: str) -> None:
    pinned = pins(name)
    for requirement in map(Requirement, LOCKS[name]):
        assert requirement.specifier.contains(pinned[requirement.name]), f"{requirement}: renew it with make lock"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index(name: str) -> None:
    assert "://" not in lock(name)
    assert "index" not in lock(name)


def test_the_locks_pin_the_same_versions() -> None:
    everything = pins("dev") | pins("bench") | pins("runtime") | pins("build")
    for name in LOCKS:
        assert pins(name).items() <= everything.items()
