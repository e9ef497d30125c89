"""The rooms of the code: the import contracts hold, and no package slips past them."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "daemon" / "pattern_sync"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS: list[dict[str, Any]] = PROJECT["tool"]["importlinter"]["contracts"]
PROTECTED = {name for each in CONTRACTS for name in each.get("protected_modules", ())}
# What the rooms without a driver, a web framework or a clock may import of the others.
MAY_IMPORT = {
    "domain": {"domain"},
    "services": {"services", "domain"},
    "detecting": {"detecting", "domain"},
    "sync": {"sync", "services", "domain"},
    "observability": {"observability", "domain"},
}
# Their one library each.
MAY_USE = {"observability": {"prometheus_client", "structlog"}}


def modules_of(room: str) -> list[Path]:
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def imports_of(module: Path) -> Iterator[str]:
    """Yield what a module imports, wherever in it."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports by a relative name"
            assert node.module is not None
            yield node.module


def imports_of_room(room: str) -> set[str]:
    return {name for module in modules_of(room) for name in imports_of(module)}


@pytest.mark.parametrize("requirement", PROJECT["project"]["dependencies"])
def test_every_dependency_belongs_to_rooms_that_a_contract_names(requirement: str) -> None:
    name = Requirement(requirement).name
    provided = {path.parts[0] for path in distribution(name).files or ()}
    assert provided & PROTECTED, f"no contract protects {name}"


def test_every_package_that_the_code_imports_belongs_to_rooms_that_a_contract_names() -> None:
    imported = {name.partition(".")[0] for module in PACKAGE.rglob("*.py") for name in imports_of(module)}
    assert imported - sys.stdlib_module_names - {"pattern_sync"} <= PROTECTED


def test_every_package_that_a_contract_names_is_imported() -> None:
    imported = {name.partition(".")[0] for module in PACKAGE.rglob("*.py") for name in imports_of(module)}
    # Dependencies of dependencies, which no room may import in their stead.
    assert PROTECTED - imported <= {"pydantic_core"}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_the_standard_library_and_the_rooms_that_it_may_see(room: str) -> None:
    ours = {name.split(".")[1] for name in imports_of_room(room) if name.startswith("pattern_sync.")}
    theirs = {name.partition(".")[0] for name in imports_of_room(room)} - {"pattern_sync"}
    assert ours <= MAY_IMPORT[room]
    assert theirs <= sys.stdlib_module_names | MAY_USE.get(room, set())


def test_the_domain_has_no_clock_no_randomness_and_no_io() -> None:
    forbidden = {"asyncio", "logging", "os", "random", "secrets", "socket", "subprocess", "threading", "time"}
    assert not {name.partition(".")[0] for name in imports_of_room("domain")} & forbidden


@pytest.mark.parametrize("room", ["sync", "services", "review", "database", "embedded", "domain"])
def test_no_room_that_acts_imports_observability(room: str) -> None:
    assert not [name for name in imports_of_room(room) if name.startswith("pattern_sync.observability")]


def test_every_room_is_part_of_the_floors_contract() -> None:
    (floors,) = [each for each in CONTRACTS if each["type"] == "layers"]
    named = {name for floor in floors["layers"] for name in re.split(r"\s*\|\s*", floor)}
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms - {"__init__"} == named
    assert floors["exhaustive"]
