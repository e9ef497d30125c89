"""A connection to a host, to an address that was checked."""

import asyncio
import socket

from pattern_sync.delivery.faults import Undelivered, words_of
from pattern_sync.delivery.resolving import CheckedAddress, checked_addresses

# For each address, so that one which nobody answers at leaves time for the next.
_CONNECT_SECONDS = 5.0


async def connected(host: str, port: int) -> socket.socket:
    """Return a connected, non-blocking socket, which the caller closes. Raises Undelivered."""
    faults = []
    for address in await checked_addresses(host, port):
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                return await _connected_to(address)
        except TimeoutError:
            faults.append(f"{address.at[0]!s} did not answer in {_CONNECT_SECONDS:g} s")
        except OSError as fault:
            faults.append(f"{address.at[0]!s}: {words_of(fault)}")
    raise Undelivered(f"{host} cannot be reached on port {port}: {', '.join(faults)}")


async def _connected_to(address: CheckedAddress) -> socket.socket:
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address.at)
    except BaseException:
        sock.close()
        raise
    return sock
