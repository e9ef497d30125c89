"""The life of the HTTP server: from a taken port to the last response."""

import asyncio
import random
import socket
import threading

import httpx
import pytest
from starlette.responses import PlainTextResponse

from pattern_sync.domain.facts import Fact, HttpServing, HttpWaiting
from pattern_sync.web.listening import ListenAddress
from pattern_sync.web.server import HttpServer
from tests.support.asynchronous import run, settle

STARTS = 20
RETRY_SECONDS = 0.01


class Witness:
    """Records the server's facts."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.refusals: list[str] = []

    def __call__(self, fact: Fact) -> None:
        match fact:
            case HttpServing(url):
                self.urls.append(url)
            case HttpWaiting(reason):
                self.refusals.append(reason)


def server_at(port: int, host: str = "127.0.0.1") -> tuple[HttpServer, Witness]:
    witness = Witness()
    return HttpServer(PlainTextResponse("here"), host, port, witness, RETRY_SECONDS), witness


async def asked(url: str) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).text


def test_a_taken_port_is_reported_once_and_served_once_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempts: list[ListenAddress] = []
    listen = ListenAddress.listen

    def count_and_listen(address: ListenAddress) -> socket.socket:
        attempts.append(address)
        return listen(address)

    monkeypatch.setattr(ListenAddress, "listen", count_and_listen)

    async def check() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            server, witness = server_at(taken.getsockname()[1])
            await server.open()
            serving = asyncio.create_task(server.run())
            await settle(lambda: len(attempts) >= 3)
            assert witness.urls == []
            assert len(witness.refusals) == 1
        await settle(lambda: witness.urls)
        assert await asked(witness.urls[0]) == "here"
        server.close()
        await serving

    run(check())


def test_a_server_closed_while_its_port_is_taken_ends_at_once() -> None:
    async def check() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            server, witness = server_at(taken.getsockname()[1])
            await server.open()
            serving = asyncio.create_task(server.run())
            await asyncio.sleep(0)
            server.close()
            async with asyncio.timeout(1):
                await serving
            assert len(witness.refusals) == 1

    run(check())


def test_a_name_that_comes_later_is_served_then(monkeypatch: pytest.MonkeyPatch) -> None:
    lookups: list[str] = []
    resolve = socket.getaddrinfo

    def resolve_later(host: str, port: int, **options: int) -> object:
        lookups.append(host)
        if len(lookups) < 3:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return resolve("127.0.0.1", port, **options)

    async def check() -> None:
        server, witness = server_at(0, "review.example")
        with monkeypatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", resolve_later)
            await server.open()
            serving = asyncio.create_task(server.run())
            await settle(lambda: witness.urls)
        assert len(witness.refusals) == 1
        assert "review.example" in witness.refusals[0]
        assert await asked(witness.urls[0]) == "here"
        server.close()
        await serving

    run(check())


def test_a_lookup_that_hangs_holds_up_neither_the_start_nor_other_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    monkeypatch.setattr("pattern_sync.web.server.LOOKUP_SECONDS", 0.05)

    def hang(*_: object, **__: object) -> object:
        answers.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "late")

    async def check() -> None:
        server, witness = server_at(0, "review.example")
        with monkeypatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", hang)
            opening = asyncio.create_task(server.open())
            await asyncio.sleep(0)
            assert not opening.done(), "the lookup is not on the event loop"
            await opening
        assert "the name server does not answer" in witness.refusals[0]
        answers.set()

    run(check())


def test_a_server_closed_at_any_moment_frees_its_port() -> None:
    async def check() -> None:
        chance = random.Random(7)
        for _ in range(STARTS):
            server, witness = server_at(0)
            await server.open()
            serving = asyncio.create_task(server.run())
            for _ in range(chance.randrange(20)):
                await asyncio.sleep(0)
            if chance.random() < 0.3:
                assert await asked(witness.urls[0]) == "here"
            server.close()
            await serving
            port = int(witness.urls[0].rstrip("/").rpartition(":")[2])
            socket.create_server(("127.0.0.1", port)).close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(check())
