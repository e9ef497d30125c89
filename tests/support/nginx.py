"""A real nginx that runs the very text of the documentation."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.certificates import self_signed
from tests.support.waiting import eventually

_DOCUMENT = Path(__file__).parents[2] / "docs" / "proxy.md"
HOST = "review.example"
DAEMON = "http://127.0.0.1:8002"
SIGN_IN = "http://127.0.0.1:4180"
_BLOCK = re.compile(r"```nginx\n(.*?)```", re.DOTALL)
_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    types {{ text/html html; }}
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{snippet}
}}
"""


def documented_snippet(number: int) -> str:
    """Return one of the nginx snippets of the page about proxies."""
    blocks: list[str] = _BLOCK.findall(_DOCUMENT.read_text(encoding="utf-8"))
    return blocks[number]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def running_nginx(folder: Path, snippet: str, port: int, changes: Mapping[str, str]) -> Iterator[None]:
    """Run a snippet on a port, with other addresses in place of the documented ones; skip where there is no nginx."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("there is no nginx; install the distribution's package `nginx-light`")
    certificate = self_signed(folder, HOST, f"DNS:{HOST}")
    text = snippet
    for old, new in {
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "/etc/ssl/review.example.crt": str(certificate.file),
        "/etc/ssl/review.example.key": str(certificate.key),
        **changes,
    }.items():
        assert old in text, f"the documented snippet has no {old!r}"
        text = text.replace(old, new)
    file = folder / "nginx.conf"
    file.write_text(_CONFIGURATION.format(folder=folder, snippet=text))
    process = subprocess.Popen(
        [program, "-p", str(folder), "-c", str(file), "-e", str(folder / "error.log")], stderr=subprocess.DEVNULL
    )
    try:
        eventually(lambda: _answers(port), what="nginx")
        yield
    except BaseException:
        print((folder / "error.log").read_text())  # noqa: T201 - for the report of a failure
        raise
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
