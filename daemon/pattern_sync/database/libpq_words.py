"""What libpq writes about a connection that failed, in the words of the daemon's driver: one fault, one sentence."""

import re
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from pattern_sync.database.address import DatabaseAddress, Host
from pattern_sync.database.tls import tls_context, why_untrusted
from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable, InvalidSettings

# psycopg resolves names by itself and repeats each attempt's message at the end, with the host's name.
_ATTEMPT = re.compile(
    r"""
    (?:-\ host:\ '(?P<host>[^']*)',\ port:\ '(?P<port>\d+)'(?:,\ hostaddr:\ '[^']*')?:\ [\w\ ]+:\ )?
    connection\ to\ server\ (?:at\ "[^"]*"(?:\ \([^)]*\))?,\ port\ \d+|on\ socket\ "[^"]*")\ failed:\ (?P<words>.*?)
    (?=\ (?:Is\ the\ server|DETAIL:|HINT:|This\ may|connection\ to\ server|Multiple\ connection|-\ host:)|$)
    """,
    re.VERBOSE,
)
_UNRESOLVED = re.compile(r"failed to resolve host '(?P<name>[^']*)': (?:\[Errno -?\d+\] )?(?P<words>.*)")
_SEVERITY = re.compile(r"(FATAL|PANIC|ERROR): +")
_OTHER_NAME = re.compile(r'server certificate for .* does not match host name "(?P<name>[^"]*)"')
_TLS = "SSL error: "
_SSL_REQUEST = struct.pack("!ii", 8, 80_877_103)


@contextmanager
def in_our_words(address: DatabaseAddress) -> Iterator[None]:
    """Connect in this block; a fault that libpq reports gets the words that `Connector` has for it."""
    try:
        yield
    except (AccessRefused, DatabaseUnavailable) as fault:
        raise type(fault)(_sentences(str(fault), address), sqlstate=fault.sqlstate) from fault


def _sentences(message: str, address: DatabaseAddress) -> str:
    """Return a sentence for each host that was tried; the message itself where it is of another form."""
    if unresolved := _UNRESOLVED.search(message):
        named = next((host for host in address.hosts if host.name == unresolved["name"]), address.hosts[0])
        return f"{named}: {unresolved['words']}"
    return "; ".join(dict.fromkeys(_attempts(message, address))) or message


def _attempts(message: str, address: DatabaseAddress) -> Iterator[str]:
    """Yield a sentence for each host that was tried."""
    found = list(_ATTEMPT.finditer(message))
    listed = [attempt for attempt in found if attempt["host"]]
    for attempt in listed or found:
        named = (host for host in address.hosts if (host.name, str(host.port)) == (attempt["host"], attempt["port"]))
        host = next(named, address.hosts[0])
        yield f"{host}: {_sentence(_SEVERITY.sub('', attempt['words']), address, host)}"


def _sentence(words: str, address: DatabaseAddress, host: Host) -> str:
    if words == "fe_sendauth: no password supplied":
        return f'password authentication failed for user "{address.user}" (no password was given)'
    if words == "server does not support SSL, but SSL was required":
        return "the server does not support SSL, which sslmode requires"
    if "certificate verify failed" in words or _OTHER_NAME.search(words):
        return _ask_certificate(address, host) or words
    if words.startswith(_TLS):
        return _about_tls(words.removeprefix(_TLS))
    if "timeout expired" in words:
        return "no answer in time (a lock, an overload or a dead link)"
    return address.explain(words)


def _about_tls(reason: str) -> str:
    if "alert" in reason:
        return f"the server refused TLS or the client's certificate: {reason}"
    hint = " (check ssl_min_protocol_version and ssl_max_protocol_version)" if "protocol" in reason else ""
    return f"TLS failed: {reason}{hint}"


def _ask_certificate(address: DatabaseAddress, host: Host) -> str | None:
    """Shake hands once more: libpq does not pass on why a certificate is refused. None where it is not, this time."""
    try:
        context = tls_context(address.parameters, host.name)
        with socket.create_connection((host.address, host.port), address.connect_seconds) as plain:
            if address.parameters.get("sslnegotiation") != "direct":
                plain.sendall(_SSL_REQUEST)
                plain.recv(1)
            context.wrap_socket(plain, server_hostname=host.name).close()
    except ssl.SSLCertVerificationError as fault:
        return why_untrusted(fault, address.parameters)
    except (OSError, InvalidSettings):
        return None
    return None
