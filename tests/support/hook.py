"""A receiver of webhooks in a thread of its own, for tests of processes."""

import base64
import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = bytes(range(32))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


@dataclass(frozen=True, slots=True)
class Post:
    """A message that was posted, whether or not it was taken."""

    path: str
    key: str
    body: bytes


@dataclass(slots=True)
class Hook:
    """What was posted; `status` is what is answered, and `misbehaves` says when it is 503 instead."""

    url: str = ""
    status: int = 204
    posts: list[Post] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)
    misbehaves: bool = False

    def keys(self, path: str = "/hook") -> list[str]:
        return [each.key for each in self.posts if each.path == path]


@contextmanager
def hook() -> Iterator[Hook]:
    """Serve on a port of this machine; every signature is checked."""
    got = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            key = self.headers["webhook-id"]
            signed = f"{key}.{self.headers['webhook-timestamp']}.".encode() + body
            expected = f"v1,{base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()}"
            if self.headers["webhook-signature"] != expected:
                got.forged.append(key)
            got.posts.append(Post(self.path, key, body))
            fails = got.misbehaves and len(got.posts) % 7 == 0
            self.send_response(503 if fails else got.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        got.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield got
        finally:
            server.shutdown()
            thread.join()
