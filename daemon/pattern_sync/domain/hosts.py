"""The host and the port of a URL, checked."""

import re
from urllib.parse import SplitResult

from pattern_sync.domain.addresses import address_of, refusal_of

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?", re.ASCII)


def host_and_port(parts: SplitResult, default_port: int) -> tuple[str, int]:
    """Return the host in ASCII, and the port. Raises ValueError, whose text is about "it" and holds nothing of it."""
    try:
        named, port = (parts.hostname or "").rstrip("."), parts.port
        host = named if ":" in named else named.encode("idna").decode("ascii").lower()
    except ValueError:  # of a label that no name can have, too
        raise ValueError("it has no valid host and port; write them like host.example:8443") from None
    if not host:
        raise ValueError("it names no host; write the host behind the ://")
    address = address_of(host)
    if address is None and not _NAME.fullmatch(host):
        raise ValueError("it has no valid host; use letters, digits, dots and dashes, or an address")
    if address is not None and (why := refusal_of(address)):
        raise ValueError(f"its address is {why}, which is always refused; name the receiver's own address")
    if port == 0:
        raise ValueError("its port is 0; leave it out, or use one from 1 to 65535")
    return host, port or default_port
