"""A criterion is accepted or refused alike wherever it is given, and in the same words."""

import math

import psycopg
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from pattern_sync import InvalidSettings, SyncFilter
from pattern_sync.cli.main import app
from pattern_sync.config import Settings
from pattern_sync.domain.filter import BOUNDS
from pattern_sync.web.schemas.sync import SyncCriteria
from tests.support.database import TestDatabase

# HTTP has a lower bound for max_patterns than the others; the settings and the triggers do not have it.
CRITERIA = [name for name in BOUNDS if name != "max_patterns"]


def in_python(_: TestDatabase, name: str, value: float) -> str | None:
    try:
        SyncFilter(**{name: value})  # type: ignore[arg-type]
    except InvalidSettings as fault:
        return str(fault)
    return None


def over_http(_: TestDatabase, name: str, value: float) -> str | None:
    try:
        SyncCriteria.model_validate({name: value})
    except ValidationError as fault:
        return str(fault.errors()[0]["ctx"]["error"])
    return None


def in_a_variable(_: TestDatabase, name: str, value: float) -> str | None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(f"PATTERN_SYNC_{name.upper()}", str(value))
        try:
            Settings.load()
        except InvalidSettings as fault:
            return str(fault).replace(f"PATTERN_SYNC_{name.upper()}", name)
    return None


def on_the_command_line(database: TestDatabase, name: str, value: float) -> str | None:
    option = "--" + name.replace("_", "-")
    arguments = ["--database-url", database.url, "sync", "--dry-run", f"{option}={value}"]
    fault = CliRunner().invoke(app, arguments).exception
    return str(fault).replace(option, name) if isinstance(fault, InvalidSettings) else None


EDGES = (in_python, over_http, in_a_variable, on_the_command_line)


def values(name: str) -> list[float]:
    bounds = BOUNDS[name]
    most = 1e300 if math.isinf(bounds.maximum) else bounds.maximum
    beyond = math.inf if math.isinf(bounds.maximum) else bounds.maximum + 1
    never = [] if bounds.whole else [math.nan, math.inf]
    unnamed = [] if bounds.unnamed is None else [bounds.unnamed]
    return [bounds.minimum - 1, bounds.minimum, *unnamed, most, beyond, *never]


@pytest.mark.parametrize(
    ("name", "value"), [pytest.param(name, value, id=f"{name}={value}") for name in CRITERIA for value in values(name)]
)
def test_a_criterion_is_accepted_or_refused_alike_everywhere_in_the_same_words(
    database: TestDatabase, name: str, value: float
) -> None:
    results = {edge.__name__: edge(database, name, value) for edge in EDGES}
    expected = results["in_python"]
    assert results == dict.fromkeys(results, expected)
    if expected is None:
        database.execute(f"UPDATE pattern_sync.settings SET {name} = %s", value)
    else:
        assert expected == f"{name} is {value:.15g}; it has to be {BOUNDS[name]}."
        with pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.NumericValueOutOfRange)):
            database.execute(f"UPDATE pattern_sync.settings SET {name} = %s", value)


def test_a_new_installation_has_the_high_priority_filter_in_database_and_settings(
    database: TestDatabase,
) -> None:
    (row,) = database.execute("SELECT * FROM pattern_sync.settings")
    priority = SyncFilter.high_priority()
    for name in CRITERIA:
        assert row[name] == getattr(Settings.load(), name) == getattr(priority, name)


def test_null_occurrences_satisfy_a_bound_of_0(database: TestDatabase) -> None:
    database.add_pattern("uncounted", occurrence_count=None)
    assert database.execute(
        "SELECT pattern_sync.qualifies(85, NULL, 2000, 'sdlc', 0, 0, 0, '{}', '{}') AS with_0,"
        " pattern_sync.qualifies(85, NULL, 2000, 'sdlc', 0, 1, 0, '{}', '{}') AS with_1"
    ) == [{"with_0": True, "with_1": False}]
