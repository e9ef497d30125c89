"""A network link that can be pulled like a cable: two ends in two network namespaces, and packets that vanish."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from tests.support.proxy import Proxy, with_address

_numbers = itertools.count()


# Nobody has it. A packet for it is sent, and whoever gets it takes it for somebody else's: it vanishes without a word.
# With an interface taken down, each side would know: a connect fails at once or after the three seconds of an ARP.
NOBODY = "02:00:00:00:00:01"


@dataclass(frozen=True, slots=True)
class End:
    """One end of a cable: its device in a network namespace (none: this one), and the other end's address."""

    device: str
    opposite: str
    namespace: str | None = None

    def lead_to(self, hardware_address: str) -> None:
        self._neighbour("replace", "lladdr", hardware_address, "nud", "permanent")

    def ask_again(self) -> None:
        """Have the next packet find out the other end's address anew."""
        self._neighbour("delete")

    def _neighbour(self, action: str, *what: str) -> None:
        there = ("-netns", self.namespace) if self.namespace else ()
        _ip(*there, "neighbour", action, self.opposite, "dev", self.device, *what)


@dataclass(frozen=True, slots=True)
class Cable:
    """A link whose far end forwards to a server; `url` leads over it, there and back."""

    url: str
    ends: tuple[End, End]

    def pull(self) -> None:
        """Drop every packet, without a word to either side."""
        for end in self.ends:
            end.lead_to(NOBODY)

    def plug_in(self) -> None:
        for end in self.ends:
            end.ask_again()


@contextmanager
def cable_to(url: str) -> Iterator[Cable]:
    """Yield a cable to the server of a URL. Skips the test where no network namespace can be made."""
    number = os.getpid() % 200, next(_numbers) % 250
    namespace, near = f"ps{number[0]}-{number[1]}", f"near{number[0]}-{number[1]}"
    here, there = f"10.213.{number[0]}.1", f"10.213.{number[0]}.2"
    if shutil.which("ip") is None:
        pytest.skip("no network namespace can be made here: the command ip is not installed")
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
        ends = End(near, there), End("far", here, namespace)
        yield Cable(with_address(url, f"{there}:{far_port}"), ends)


def _ip(*arguments: str, check: bool = True) -> str:
    """Run `ip`; return what it complains about."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=check)
    return done.stderr.strip() if done.returncode else ""
