"""The image, and a deployment of it for all tests of a module."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.engine import Deployment, Engine, find_engine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def engine() -> Engine:
    found = find_engine()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture(scope="session")
def image(engine: Engine) -> Iterator[str]:
    """Yield the image to test: TEST_IMAGE, else one that is built here."""
    tag = f"pattern-sync:test-{os.getpid()}"
    if given := os.environ.get("TEST_IMAGE"):
        engine.run("tag", given, tag)
    else:
        engine.run("build", "--tag", tag, "--build-arg", "VERSION=0.0.0", "--build-arg", "REVISION=tested", ".")
    yield tag
    engine.run("rmi", tag)


@pytest.fixture(scope="session")
def next_image(engine: Engine, image: str) -> Iterator[str]:
    """Yield the same image under another tag, to upgrade to."""
    tag = f"{image}-next"
    engine.run("tag", image, tag)
    yield tag
    engine.run("rmi", tag)


@pytest.fixture(scope="module")
def deployment(engine: Engine, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Return what `docker compose up` starts, ready; at the end `down` must leave nothing."""
    deployment = Deployment(engine, tmp_path_factory.mktemp("deployment"), image.partition(":")[2], _free_ports(2))
    try:
        deployment.compose("up", "--detach", "--wait")
        yield deployment
    finally:
        deployment.compose("down", "--volumes", "--timeout", "5", "--remove-orphans")
    assert deployment.everything() == []


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [int(each.getsockname()[1]) for each in sockets]
