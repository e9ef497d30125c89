"""The Dockerfile and docker-compose.yml: what holds for them without any engine."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pattern_sync.config import Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE_FILE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE_FILE)["services"]
DAEMONS = [name for name in SERVICES if name.startswith("daemon-")]
_SETTING = re.compile(r"PATTERN_SYNC_[A-Z_]+[A-Z]")


@pytest.mark.parametrize("file", ["Dockerfile", "docker-compose.yml", "containers/probe.py", "docs/containers.md"])
def test_every_setting_that_is_mentioned_exists(file: str) -> None:
    known = {f"PATTERN_SYNC_{field.upper()}" for field in [*Settings.model_fields, "env_file"]}
    assert set(_SETTING.findall((ROOT / file).read_text(encoding="utf-8"))) <= known


def test_what_the_image_is_made_of_is_there_and_nothing_else_is_sent() -> None:
    everything, *allowed, left_out = [
        line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]
    assert (everything, left_out) == ("*", "**/__pycache__")
    assert all((ROOT / path.removeprefix("!")).exists() for path in allowed)


def test_the_base_is_named_once_and_packages_come_with_their_hashes() -> None:
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"docker.io/library/python:${PYTHON}"}
    for command in re.findall(r"pip (?:--python \S+ )?install .+?(?=&&|$)", DOCKERFILE.replace("\\\n", " ")):
        assert "--require-hashes" in command or "--no-index" in command, command


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_little_and_has_limits(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges"]
    assert {"mem_limit", "cpus", "pids_limit", "restart", "healthcheck"} <= service.keys()
    assert {"max-size", "max-file"} <= service["logging"]["options"].keys()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_gets_its_secrets_as_files(name: str) -> None:
    service = SERVICES[name]
    named = {value for variable, value in service["environment"].items() if variable.endswith("_FILE")}
    assert named == {f"/run/secrets/{secret}" for secret in service["secrets"]}
    assert not any(re.search("PASSWORD$|TOKEN$|URL$", variable) for variable in service["environment"])


def test_two_daemons_differ_in_name_and_port_only_and_are_served_on_loopback_only() -> None:
    own = ("hostname", "ports")
    first, second = ({key: value for key, value in SERVICES[name].items() if key not in own} for name in DAEMONS)
    assert first == second
    for name in DAEMONS:
        assert SERVICES[name]["hostname"] == name
        assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


def test_a_daemon_has_more_time_to_stop_than_to_drain() -> None:
    drain_seconds = Settings.model_fields["drain_seconds"].default
    for name in DAEMONS:
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > drain_seconds + 5


def test_compose_accepts_the_file() -> None:
    if shutil.which("docker") is None or docker("compose", "version").returncode != 0:
        pytest.skip("docker compose is not installed")
    checked = docker("compose", "config", "--quiet")
    assert (checked.returncode, checked.stderr) == (0, "")


def docker(*arguments: str) -> "subprocess.CompletedProcess[str]":
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COMPOSE_")}
    return subprocess.run(["docker", *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
