"""The address by which people reach the daemon: a proxy's."""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

_EXAMPLE = "write it like https://review.example/patterns/"
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|[0-9a-f:.]+")
# Characters that no browser and no proxy encodes or decodes on the way, so that a comparison is enough.
_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# The daemon's own paths begin with these. It could not know whether a proxy has removed such a prefix already.
_TAKEN = frozenset({"api", "livez", "readyz", "metrics", "openapi.json", "asyncapi.json"})


@dataclass(frozen=True, slots=True)
class PublicUrl:
    """Its parts: the origin as browsers send it, the host without its port, and the path without its last slash."""

    origin: str
    host: str
    prefix: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take the URL apart. Raises ValueError, whose text does not repeat a password."""
        try:
            parts = urlsplit(text)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            raise ValueError(f"{text!r} is not a URL; {_EXAMPLE}") from None
        if parts.username is not None or parts.password is not None:
            raise ValueError("the URL holds a name or a password; leave them out, browsers do not send them")
        if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host):
            raise ValueError(f"{text!r} does not name a host to reach by http or https; {_EXAMPLE}")
        if parts.query or parts.fragment:
            raise ValueError(f"{text!r} has more than a host and a path; {_EXAMPLE}")
        netloc = f"[{host}]" if ":" in host else host
        if port not in {None, _DEFAULT_PORTS[parts.scheme]}:
            netloc = f"{netloc}:{port}"
        return cls(f"{parts.scheme}://{netloc}", host, _checked_prefix(parts.path))

    def __str__(self) -> str:
        return f"{self.origin}{self.prefix}/"


def _checked_prefix(path: str) -> str:
    prefix = path.rstrip("/")
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"the path {path!r} may hold letters, digits, '.', '_', '~' and '-' between single slashes")
    first = prefix.split("/")[1] if prefix else ""
    if first in _TAKEN:
        raise ValueError(f"the path {path!r} begins like the daemon's own /{first}; choose another one")
    return prefix
