"""Where an HTTP request goes to."""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, urlsplit

from pattern_sync.domain.hosts import host_and_port

_DEFAULT_PORTS = {"http": 80, "https": 443}
# All that a request's target may hold as it is; the rest is percent-encoded.
_SAFE = "/%:@!$&'()*+,;=~"


@dataclass(frozen=True, slots=True)
class HttpEndpoint:
    """The parts of an http or https URL; `target`, the path and the query, is a secret: it may hold a token."""

    is_tls: bool
    host: str
    port: int
    target: str = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Take the URL apart. Raises ValueError, whose text is about "it" and holds nothing of it."""
        try:
            parts = urlsplit(url)
        except ValueError:
            raise ValueError("it is not a URL; write it like https://host.example/path") from None
        if parts.username is not None or parts.password is not None:
            raise ValueError(
                "it holds a name or a password; leave them out, a webhook is signed with the secret of the settings"
            )
        if "#" in url:
            raise ValueError("it has a fragment, which no server gets; leave the # and what follows out, or write %23")
        host, port = host_and_port(parts, _DEFAULT_PORTS[parts.scheme])
        query = f"?{quote(parts.query, safe=_SAFE + '?')}" if parts.query else ""
        return cls(parts.scheme == "https", host, port, f"{quote(parts.path or '/', safe=_SAFE)}{query}")

    @property
    def authority(self) -> str:
        """Return what the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        is_default = self.port == _DEFAULT_PORTS["https" if self.is_tls else "http"]
        return host if is_default else f"{host}:{self.port}"
