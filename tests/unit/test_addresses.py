"""The addresses that no message may go to, however they are spelt."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pattern_sync.domain.addresses import address_of, refusal_of

METADATA = 0xA9FEA9FE  # 169.254.169.254


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("169.254.169.254", "link-local"),
        ("169.254.0.1", "link-local"),
        ("2852039166", "link-local"),
        ("0xa9fea9fe", "link-local"),
        ("0XA9FEA9FE", "link-local"),
        ("025177524776", "link-local"),
        ("0251.0376.0251.0376", "link-local"),
        ("0xa9.0xfe.0xa9.0xfe", "link-local"),
        ("169.254.43518", "link-local"),
        ("169.16689662", "link-local"),
        ("0xa9.254.0251.254", "link-local"),
        ("fe80::1", "link-local"),
        ("[fe80::1]", "link-local"),
        ("febf:ffff::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("::ffff:169.254.169.254", "link-local"),
        ("::ffff:a9fe:a9fe", "link-local"),
        ("::ffff:0:169.254.169.254", "link-local"),
        ("::169.254.169.254", "link-local"),
        ("2002:a9fe:a9fe::", "link-local"),
        ("2002:a9fe:a9fe::1", "link-local"),
        ("64:ff9b::169.254.169.254", "link-local"),
        ("64:ff9b::a9fe:a9fe", "link-local"),
        ("2001:0:a9fe:a9fe::1", "link-local"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("ff02::1", "multicast"),
        ("::ffff:224.0.0.1", "multicast"),
        ("64:ff9b::e000:1", "multicast"),
        ("0.0.0.0", "unspecified"),
        ("0", "unspecified"),
        ("0x0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("0.0.0.1", "unspecified"),
        ("::", "unspecified"),
        ("::ffff:0.0.0.0", "unspecified"),
        ("2002::1", "unspecified"),
        ("64:ff9b::", "unspecified"),
    ],
)
def test_every_spelling_of_a_refused_address_is_refused(host: str, why: str) -> None:
    address = address_of(host)
    assert address is not None
    assert refusal_of(address) == why


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "::1",
        "::ffff:127.0.0.1",
        "10.0.0.5",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "fd00::1",
        "1.1.1.1",
        "2606:4700::1111",
        "64:ff9b::10.0.0.5",
        "169.253.255.255",
        "169.255.0.0",
    ],
)
def test_private_and_public_addresses_are_allowed(host: str) -> None:
    address = address_of(host)
    assert address is not None
    assert refusal_of(address) is None


@pytest.mark.parametrize(
    "host",
    [
        "chat.example",
        "169.254",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.256",
        "4294967296",
        "08.1.1.1",
        "0x",
        "",
        "1..2",
        "fe80::g",
        "1:2",
    ],
)
def test_a_name_or_what_no_resolver_takes_for_an_address_is_none(host: str) -> None:
    if host == "169.254":  # two numbers are an address, of another network than it looks
        assert str(address_of(host)) == "169.0.0.254"
    else:
        assert address_of(host) is None


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 4),
    st.lists(st.sampled_from(["{}", "0x{:x}", "0{:o}"]), min_size=4, max_size=4),
)
def test_numbers_are_read_as_resolvers_read_them(value: int, count: int, forms: list[str]) -> None:
    octets = [value >> shift & 0xFF for shift in (24, 16, 8, 0)][: count - 1]
    numbers = [*octets, value & (2 ** (8 * (5 - count)) - 1)]
    spelt = ".".join(form.format(number) for form, number in zip(forms, numbers, strict=False))
    assert address_of(spelt) == ip_address(value)


@given(st.sampled_from(["::", "::ffff:0:0", "64:ff9b::", "::ffff:0:0:0"]))
def test_an_embedded_address_is_refused_as_the_address_itself(prefix: str) -> None:
    assert refusal_of(ip_address(int(ip_address(prefix)) + METADATA)) == "link-local"
