"""What `docker logs` shows of a container that cannot start, and its exit code."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.engine import Deployment, Engine

URL, URL_FILE = "PATTERN_SYNC_DATABASE_URL", "PATTERN_SYNC_DATABASE_URL_FILE"


@contextmanager
def ended(engine: Engine, container: str) -> Iterator[tuple[int, str]]:
    """Yield the exit code and the log of a container that ends by itself."""
    try:
        yield engine.exit_code(container), engine.logs(container)
    finally:
        engine.run("rm", "--force", container)


def test_without_a_url_the_setting_is_named(engine: Engine, image: str) -> None:
    container = engine.run("run", "--detach", "--read-only", "--env", "PATTERN_SYNC_API_TOKEN=word", image)
    with ended(engine, container) as (code, log):
        assert code == 2
        assert "PATTERN_SYNC_DATABASE_URL is not set" in log


def test_without_a_token_the_setting_is_named(engine: Engine, image: str) -> None:
    container = engine.run("run", "--detach", "--read-only", "--env", f"{URL}=postgresql://nobody@nowhere/app", image)
    with ended(engine, container) as (code, log):
        assert code == 2
        assert "PATTERN_SYNC_API_TOKEN" in log


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({URL_FILE: "", URL: "postgresql://owner:wrong@database/app"}, 3, "password authentication failed for user"),
        ({URL_FILE: "/run/secrets/absent"}, 2, f"{URL_FILE}, '/run/secrets/absent', cannot be read"),
        ({URL_FILE: "/dev/null"}, 2, f"{URL_FILE}, '/dev/null', is empty"),
        ({"PATTERN_SYNC_API_TOKEN_FILE": "/dev/null"}, 2, "holds no token"),
    ],
    ids=["a wrong password", "a secret that is not mounted", "an empty secret", "an empty token"],
)
def test_a_wrong_secret_is_named_and_not_shown(
    deployment: Deployment, settings: dict[str, str], code: int, message: str
) -> None:
    container = deployment.start_another(**settings)
    with ended(deployment.engine, container) as (ended_with, log):
        assert (ended_with, message in log) == (code, True), log
        assert "wrong@" not in log
        assert "Traceback" not in log


def test_a_secret_that_is_closed_to_the_containers_user_is_named(deployment: Deployment) -> None:
    secret = deployment.secret("database_url")
    secret.chmod(0o400)
    try:
        container = deployment.start_another()
        with ended(deployment.engine, container) as (code, log):
            assert code == 2
            assert "'/run/secrets/database_url', cannot be read: Permission denied" in log
    finally:
        secret.chmod(0o444)


def test_a_database_without_the_schema_asks_for_migrate(deployment: Deployment) -> None:
    url = deployment.secret("database_url").read_text().replace("/app", "/postgres")
    container = deployment.start_another(**{URL_FILE: "", URL: url})
    with ended(deployment.engine, container) as (code, log):
        assert code == 4
        assert "pattern-sync migrate" in log
