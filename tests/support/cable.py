"""A network link that can be pulled like a cable: two ends in two network namespaces, and packets that vanish."""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from tests.support.proxy import Proxy, with_address

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Cable:
    """A link whose far end forwards to a server; `url` leads over it, there and back."""

    url: str
    namespace: str

    def pull(self) -> None:
        """Drop every packet, without a word to either side."""
        self._set("down")

    def plug_in(self) -> None:
        self._set("up")

    def _set(self, state: str) -> None:
        _ip("-netns", self.namespace, "link", "set", "far", state)


@contextmanager
def cable_to(url: str) -> Iterator[Cable]:
    """Yield a cable to the server of a URL. Skips the test where no network namespace can be made."""
    number = os.getpid() % 200, next(_numbers) % 250
    namespace, near = f"ps{number[0]}-{number[1]}", f"near{number[0]}-{number[1]}"
    here, there = f"10.213.{number[0]}.1", f"10.213.{number[0]}.2"
    with ExitStack() as stack:
        if reason := _ip("netns", "add", namespace, check=False):
            pytest.skip(f"no network namespace can be made here: {reason}")
        stack.callback(_ip, "netns", "delete", namespace, check=False)
        _ip("link", "add", near, "type", "veth", "peer", "name", "far", "netns", namespace)
        # It would stay as long as anybody's mount namespace knows the network namespace.
        stack.callback(_ip, "link", "delete", near, check=False)
        _ip("address", "add", f"{here}/30", "dev", near)
        _ip("link", "set", near, "up")
        _ip("-netns", namespace, "address", "add", f"{there}/30", "dev", "far")
        _ip("-netns", namespace, "link", "set", "far", "up")
        with psycopg.connect(url) as connection:
            host, port = connection.info.host, connection.info.port
        server_side = stack.enter_context(Proxy(host, port, listen_on=here))
        far = [sys.executable, "-m", "tests.support.far_end", there, here, str(server_side.port)]
        process = subprocess.Popen(["ip", "netns", "exec", namespace, *far], stdout=subprocess.PIPE, text=True)
        stack.callback(process.wait)
        stack.callback(process.kill)
        assert process.stdout is not None
        stack.callback(process.stdout.close)
        far_port = process.stdout.readline().strip()
        yield Cable(with_address(url, f"{there}:{far_port}"), namespace)


def _ip(*arguments: str, check: bool = True) -> str:
    """Run `ip`; return what it complains about."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=check)
    return done.stderr.strip() if done.returncode else ""
