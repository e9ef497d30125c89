"""What the image holds, and what it does not."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.engine import Engine
from tests.support.waiting import show

MOST_BYTES = 80_000_000
# All that the image adds to its base; the bytecode is that of the base's standard library.
ADDED = "{ find /opt/pattern-sync -type f; find /usr -name '*.pyc'; } | xargs -d '\\n' stat --format %s"


@pytest.fixture(scope="module")
def shell(engine: Engine, image: str) -> Iterator[str]:
    """Return a container that waits, with nothing else in it."""
    container = engine.run("run", "--detach", "--read-only", "--entrypoint", "sleep", image, "600")
    yield container
    engine.run("rm", "--force", container)


@pytest.fixture(scope="module")
def config(engine: Engine, image: str) -> dict[str, Any]:
    (described,) = json.loads(engine.run("image", "inspect", image))
    loaded: dict[str, Any] = described["Config"]
    return loaded


def printed(engine: Engine, container: str, script: str) -> str:
    code, text = engine.exec(container, "sh", "-c", script)
    assert code == 0, text
    return text.strip()


def test_it_is_small(engine: Engine, shell: str) -> None:
    added = sum(map(int, printed(engine, shell, ADDED).split()))
    show(f"{added / 1e6:.1f} MB above the base")
    assert added < MOST_BYTES


def test_it_holds_no_tool_to_install_or_compile_with_and_nothing_to_build_from(engine: Engine, shell: str) -> None:
    assert not printed(engine, shell, "find /opt/pattern-sync -maxdepth 4 -name 'pip*'")
    assert not printed(engine, shell, "command -v gcc cc make git || true")
    assert not printed(engine, shell, "ls --directory /build /root/.cache 2>/dev/null || true")


def test_its_user_is_a_number_and_owns_nothing(engine: Engine, shell: str, config: dict[str, Any]) -> None:
    assert config["User"] == "10001:10001"
    assert printed(engine, shell, "id -u") == "10001"
    assert not printed(engine, shell, "find /opt/pattern-sync -not -type l '(' -not -uid 0 -o -perm /o+w ')'")


def test_no_start_compiles_anything(engine: Engine, shell: str) -> None:
    compiled = printed(engine, shell, "python3 -v -c 'import pattern_sync.cli.daemon, pattern_sync.runtime.life' 2>&1")
    assert re.findall(r"code object from '(.+\.py)'", compiled) == []


def test_it_stops_as_the_daemon_does_and_checks_that_it_lives(
    engine: Engine, shell: str, config: dict[str, Any]
) -> None:
    assert config["StopSignal"] == "SIGTERM"
    assert (config["Entrypoint"], config["Cmd"]) == (["pattern-sync"], ["run"])
    assert json.loads(engine.inspect(shell, "{{json .Config.Healthcheck.Test}}")) == ["CMD", "probe", "/livez"]


def test_its_labels_name_the_source_and_the_base(config: dict[str, Any]) -> None:
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in config["Labels"].items()}
    assert labels["base.name"].startswith("docker.io/library/python:3.")
    assert {"title", "description", "licenses", "source", "version", "revision"} <= labels.keys()
    assert all(labels.values())


def test_nothing_of_its_environment_is_secret(config: dict[str, Any]) -> None:
    names = {pair.partition("=")[0] for pair in config["Env"] if pair.startswith("PATTERN_SYNC_")}
    assert names == {"PATTERN_SYNC_HTTP_HOST", "PATTERN_SYNC_HTTP_PORT"}
