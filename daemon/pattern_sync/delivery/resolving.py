"""The addresses of a host, looked up once and checked: what is connected to is what was checked."""

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import ip_address

from pattern_sync.delivery.faults import Undelivered, words_of
from pattern_sync.domain.addresses import refusal_of


@dataclass(frozen=True, slots=True)
class CheckedAddress:
    """An address that a message may go to; `at` is what a socket of the family connects to."""

    family: socket.AddressFamily
    at: tuple[str | int | bytes, ...]


async def checked_addresses(host: str, port: int) -> tuple[CheckedAddress, ...]:
    """Return the addresses of a host to connect to, in order. Raises Undelivered where there is none."""
    try:
        answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as fault:
        reason = words_of(fault) if isinstance(fault, OSError) else "it is not a name that can be looked up"
        raise Undelivered(f"{host} was not found: {reason}") from None
    checked, refusals = [], []
    for family, _, _, _, at in answers:
        address = str(at[0])
        if (refusal := refusal_of(ip_address(address))) is None:
            checked.append(CheckedAddress(family, at))
        else:
            refusals.append(f"{address}, which is {refusal}")
    if not checked:
        raise Undelivered(f"{host} is {' and '.join(refusals)}: always refused")
    return tuple(checked)
