"""Internet addresses that no message may go to: link-local ones, where clouds keep credentials, and those of nobody."""

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

_OF_THIS_NETWORK = IPv4Network("0.0.0.0/8")
# What stands for an IPv4 address in its last bits: compatible, mapped, translated, and NAT64's well-known prefix.
_EMBEDDING = tuple(map(IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
_LOOPBACK = IPv6Address("::1")
_LAST_BITS = 0xFFFF_FFFF
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,16}|[0-9]{1,16}", re.ASCII)
_MOST_NUMBERS = 4
_OCTET = 0xFF


def address_of(host: str) -> Address | None:
    """Return the address that a host spells, in any way that resolvers take; None for a name."""
    try:
        return IPv6Address(host.strip("[]")) if ":" in host else _ipv4_address(host)
    except AddressValueError:
        return None


def refusal_of(address: Address) -> str | None:
    """Return why no message may go to an address, in a word or two; None where one may."""
    return next((why for each in _meanings(address) if (why := _plain_refusal(each))), None)


def _ipv4_address(host: str) -> IPv4Address | None:
    """Read decimal, hexadecimal and octal numbers, up to four, the last of which fills what is left: as inet_aton."""
    numbers = host.split(".")
    if len(numbers) > _MOST_NUMBERS or not all(map(_NUMBER.fullmatch, numbers)):
        return None
    try:
        *first, last = map(_number, numbers)
    except ValueError:  # an octal number with an 8 or a 9
        return None
    rest_bits = 8 * (_MOST_NUMBERS - len(first))
    if any(number > _OCTET for number in first) or last >> rest_bits:
        return None
    value = last
    for place, number in enumerate(first):
        value |= number << (24 - 8 * place)
    return IPv4Address(value)


def _number(text: str) -> int:
    if text[:2] in {"0x", "0X"}:
        return int(text, 16)
    return int(text, 8 if text.startswith("0") else 10)


def _meanings(address: Address) -> Iterator[Address]:
    """Yield an address, and the IPv4 addresses to which a gateway would carry what is sent there."""
    yield address
    if not isinstance(address, IPv6Address) or address == _LOOPBACK:
        return
    if any(address in network for network in _EMBEDDING):
        yield IPv4Address(int(address) & _LAST_BITS)
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo


def _plain_refusal(address: Address) -> str | None:
    if address.is_unspecified or (isinstance(address, IPv4Address) and address in _OF_THIS_NETWORK):
        return "unspecified"
    if address.is_link_local:
        return "link-local"
    return "multicast" if address.is_multicast else None
