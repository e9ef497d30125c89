"""Destinations as the settings name them, and what is refused with a way out and without a secret."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pattern_sync.domain.destinations import DestinationKind, http_endpoint, parse_destinations
from pattern_sync.domain.mail_route import MailRoute, MailSecurity

SECRET = "s3cr3t"
VIA = f"via=smtps://ann:{SECRET}@mail.example"


@pytest.mark.parametrize(
    ("url", "kind", "host"),
    [
        (f"https://hooks.slack.com/services/T0/B0/{SECRET}", DestinationKind.CHAT, "hooks.slack.com"),
        (f"HTTPS://Hooks.Slack.Com/services/{SECRET}", DestinationKind.CHAT, "hooks.slack.com"),
        (f"slack+https://chat.example/hooks/{SECRET}", DestinationKind.CHAT, "chat.example"),
        (f"slack+http://chat.internal:8065/hooks/{SECRET}", DestinationKind.CHAT, "chat.internal"),
        (f"https://receiver.example/{SECRET}?token={SECRET}", DestinationKind.WEBHOOK, "receiver.example"),
        (f"http://10.0.0.5:8080/{SECRET}", DestinationKind.WEBHOOK, "10.0.0.5"),
        (f"http://[fd00::5]:8080/{SECRET}", DestinationKind.WEBHOOK, "fd00::5"),
        (f"https://bücher.example/{SECRET}", DestinationKind.WEBHOOK, "xn--bcher-kva.example"),
        (f"https://receiver.example./{SECRET}", DestinationKind.WEBHOOK, "receiver.example"),
        (f"mailto:bob@team.example?{VIA}", DestinationKind.MAIL, "mail.example"),
        (f"tgram://{SECRET}/12345", DestinationKind.OTHER, "tgram"),
        (f"slack://{SECRET}/b/c/#general", DestinationKind.OTHER, "slack"),
    ],
)
def test_the_scheme_decides_the_kind_and_only_the_host_is_shown(url: str, kind: DestinationKind, host: str) -> None:
    (destination,) = parse_destinations(url)
    assert (destination.kind, destination.host) == (kind, host)
    assert destination.url == url
    assert destination.channel == hashlib.sha256(url.encode()).hexdigest()[:12]
    assert SECRET not in repr(destination)


def test_several_are_kept_in_order_whatever_space_is_between_them() -> None:
    found = parse_destinations("  https://a.example/1\n\thttps://b.example/2  http://c.example ")
    assert [each.host for each in found] == ["a.example", "b.example", "c.example"]
    assert parse_destinations("  ") == ()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example", ("a.example", 443, "/", "a.example")),
        ("http://a.example:80/x?y=z&q=a%20b", ("a.example", 80, "/x?y=z&q=a%20b", "a.example")),
        ("https://a.example:8443/ä/?ö", ("a.example", 8443, "/%C3%A4/?%C3%B6", "a.example:8443")),
        ("slack+https://[::1]:1/x", ("::1", 1, "/x", "[::1]:1")),
        ("https://hooks.slack.com//a/../b", ("hooks.slack.com", 443, "//a/../b", "hooks.slack.com")),
    ],
)
def test_an_http_url_says_where_the_request_goes(url: str, shown: tuple[str, int, str, str]) -> None:
    endpoint = http_endpoint(parse_destinations(url)[0])
    assert (endpoint.host, endpoint.port, endpoint.target, endpoint.authority) == shown
    assert endpoint.is_tls is ("https" in url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"https://ann:{SECRET}@receiver.example/", ("password", "leave them out")),
        (f"http://{SECRET}@receiver.example/", ("name or a password",)),
        (f"slack+https://ann:{SECRET}@chat.example/", ("leave them out",)),
        (f"https://receiver.example\\@{SECRET}.example/", ("leave them out",)),
        (f"https:///{SECRET}", ("names no host", "behind the ://")),
        (f"https://:443/{SECRET}", ("names no host",)),
        (f"https://receiver.example:99999/{SECRET}", ("host and port",)),
        (f"https://receiver.example:0/{SECRET}", ("port is 0",)),
        (f"https://receiver.example:{SECRET}/", ("host and port",)),
        (f"https://{SECRET}_!.example/", ("no valid host",)),
        (f"https://[::1/{SECRET}", ("not a URL",)),
        (f"https://receiver.example/#{SECRET}", ("fragment", "%23")),
        (f"https://receiver.example/{SECRET}#", ("fragment",)),
        (f"receiver.example/{SECRET}", ("scheme",)),
        (f"//receiver.example/{SECRET}", ("scheme",)),
        (f"https:{SECRET}", ("nothing behind its scheme",)),
        (f"{SECRET}://", ("nothing behind",)),
        (f"http://169.254.169.254/{SECRET}", ("link-local", "always refused")),
        (f"http://2852039166/{SECRET}", ("link-local",)),
        (f"http://0xa9fea9fe/{SECRET}", ("link-local",)),
        (f"http://0251.0376.0251.0376/{SECRET}", ("link-local",)),
        (f"http://①⑥⑨.254.169.254/{SECRET}", ("link-local",)),
        (f"http://169。254。169。254/{SECRET}", ("link-local",)),
        (f"http://[::ffff:169.254.169.254]/{SECRET}", ("link-local",)),
        (f"http://[64:ff9b::a9fe:a9fe]/{SECRET}", ("link-local",)),
        (f"http://[2002:a9fe:a9fe::1]/{SECRET}", ("link-local",)),
        (f"http://[fe80::1]/{SECRET}", ("link-local",)),
        (f"http://0.0.0.0/{SECRET}", ("unspecified",)),
        (f"http://[::]/{SECRET}", ("unspecified",)),
        (f"http://224.0.0.1/{SECRET}", ("multicast",)),
        (f"mailto:?{VIA}", ("no recipient",)),
        (f"mailto:{SECRET}?{VIA}", ("not a mail address",)),
        (f"mailto:bob@team.example%0d%0aBcc:{SECRET}@x.example?{VIA}", ("not a mail address",)),
        (f"mailto:bob@team.example,{SECRET}@?{VIA}", ("not a mail address",)),
        (f"mailto:{','.join(f'{n}{SECRET}@team.example' for n in range(21))}?{VIA}", ("21 recipients", "20")),
        (f"mailto:{SECRET}@team.example", ("no mail server", "via=")),
        (f"mailto:{SECRET}@team.example?via=", ("no mail server",)),
        (f"mailto:bob@team.example?{VIA}&cc={SECRET}@team.example", ("nothing else",)),
        (f"mailto:bob@team.example?{VIA}&via=smtp://b.example", ("once each",)),
        (f"mailto:bob@team.example?via=smtps://ann:a&{SECRET}@mail.example", ("%26",)),
        (f"mailto:bob@team.example?{VIA}&from=bob%0aBcc:{SECRET}", ("from=",)),
        (f"mailto:bob@team.example?via=https://mail.example/{SECRET}", ("not the URL of a mail server",)),
        (f"mailto:bob@team.example?via={SECRET}", ("not the URL of a mail server",)),
        (f"mailto:bob@team.example?via=smtps://ann:a/{SECRET}@mail.example", ("more than a mail server", "%2F")),
        (f"mailto:bob@team.example?via=smtps://ann:a?{SECRET}@mail.example", ("more than a mail server", "%3F")),
        (f"mailto:bob@team.example?via=smtps://ann:a#{SECRET}@mail.example", ("fragment", "%23")),
        (f"mailto:bob@team.example?via=smtp://ann:{SECRET}@mail.example", ("without encryption", "smtp+starttls://")),
        (f"mailto:bob@team.example?via=smtps://{SECRET}@mail.example", ("without the other", "user:password@")),
        (f"mailto:bob@team.example?via=smtps://:{SECRET}@mail.example", ("without the other",)),
        (f"mailto:bob@team.example?via=smtps://ann:ä{SECRET}@mail.example", ("printable ASCII",)),
        (f"mailto:bob@team.example?via=smtps://ann:%00{SECRET}@mail.example", ("printable ASCII",)),
        (f"mailto:bob@team.example?via=smtps://ann:{SECRET}@", ("names no host",)),
        (f"mailto:bob@team.example?via=smtps://ann:{SECRET}@169.254.1.1", ("link-local",)),
        (f"mailto:bob@team.example?{VIA}:0", ("port is 0",)),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_place_with_a_way_out(url: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"^the second URL cannot be used: ") as caught:
        parse_destinations(f"https://fine.example/ {url}")
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"https://a.example/{SECRET}", f"https://a.example/{SECRET}"),
        (f"https://a.example/{SECRET}", f"HTTPS://A.example:443/{SECRET}"),
        (f"https://hooks.slack.com/{SECRET}", f"slack+https://hooks.slack.com/{SECRET}"),
        (f"mailto:bob@team.example?{VIA}", f"mailto:bob@team.example?{VIA}:465"),
        (f"tgram://{SECRET}/1", f"tgram://{SECRET}/1"),
    ],
)
def test_the_same_destination_twice_is_refused_however_it_is_written(first: str, second: str) -> None:
    with pytest.raises(ValueError, match="the third URL is the same as the first; leave one") as caught:
        parse_destinations(f"{first} https://b.example/ {second}")
    assert SECRET not in str(caught.value)


def test_more_than_ten_are_refused_and_ten_are_not() -> None:
    urls = [f"https://host{number}.example/" for number in range(11)]
    assert len(parse_destinations(" ".join(urls[:10]))) == 10
    with pytest.raises(ValueError, match="there are 11 URLs; use at most 10"):
        parse_destinations(" ".join(urls))


@pytest.mark.parametrize(
    ("url", "route"),
    [
        (
            f"mailto:a@b.example,c@d.example?{VIA}:2465&from=x@y.example",
            (
                ("a@b.example", "c@d.example"),
                "x@y.example",
                MailSecurity.TLS,
                "mail.example",
                2465,
                "ann",
                SECRET,
            ),
        ),
        (
            "mailto:a@b.example?via=smtp://relay.internal",
            (("a@b.example",), "a@b.example", MailSecurity.OFFERED_STARTTLS, "relay.internal", 25, None, None),
        ),
        (
            "mailto:a@b.example?via=smtp+starttls://ann%40team.example:p%2Fw%26%23%25@relay.internal",
            (
                ("a@b.example",),
                "ann@team.example",
                MailSecurity.REQUIRED_STARTTLS,
                "relay.internal",
                587,
                "ann@team.example",
                "p/w&#%",
            ),
        ),
        (
            "mailto:a@b.example?from=a+x@b.example&via=smtps%3A%2F%2Fann%3Apw%40mail.example",
            (("a@b.example",), "a+x@b.example", MailSecurity.TLS, "mail.example", 465, "ann", "pw"),
        ),
    ],
)
def test_a_mail_url_names_recipients_a_sender_and_a_server(url: str, route: tuple[object, ...]) -> None:
    assert MailRoute.parse(url) == MailRoute(*route)  # type: ignore[arg-type] # a row of the table
    assert SECRET not in repr(MailRoute.parse(url))


@given(
    st.sampled_from(["", "http://", "slack+https://", "mailto:", "mailto:a@b.example?via=smtps://", "tgram://"]),
    st.text(st.characters() | st.sampled_from("@:/?#[]&=%.,\\"), max_size=40),
)
def test_any_text_is_a_destination_or_refused_in_words(prefix: str, text: str) -> None:
    try:
        found = parse_destinations(prefix + text)
    except ValueError as fault:
        assert re.match(r"(the \w+ URL |there are \d+ URLs)", str(fault))  # noqa: PT017 - most texts are refused
        return
    for destination in found:
        assert re.fullmatch(r"[a-z0-9_.:+%-]+", destination.host)
        if destination.kind in {DestinationKind.WEBHOOK, DestinationKind.CHAT}:
            assert re.fullmatch(r"/[!-~]*", http_endpoint(destination).target)
        if destination.kind is DestinationKind.MAIL:
            route = MailRoute.parse(destination.url)
            assert re.fullmatch(r"[!-~]+", "".join([*route.recipients, route.sender]))
