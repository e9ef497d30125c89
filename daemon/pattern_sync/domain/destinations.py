"""Where messages go to, as the settings name it."""

import hashlib
import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import StrEnum

from pattern_sync.domain.http_endpoint import HttpEndpoint
from pattern_sync.domain.mail_route import MailRoute

MOST_DESTINATIONS = 10
_CHANNEL_DIGITS = 12
_SLACK_HOST = "hooks.slack.com"
_CHAT_PREFIX = "slack+"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(.*)", re.ASCII | re.IGNORECASE | re.DOTALL)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


class DestinationKind(StrEnum):
    """What a destination takes."""

    WEBHOOK = "webhook"
    CHAT = "chat"
    MAIL = "mail"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Destination:
    """One receiver of messages: `channel` is its public name, `host` what may be shown of its URL, a secret.

    Of a URL for Apprise, the scheme stands for the host: where others have a host, many of these have a token.
    """

    kind: DestinationKind
    channel: str
    host: str
    url: str = field(repr=False)


def parse_destinations(text: str) -> tuple[Destination, ...]:
    """Return the destinations of URLs with spaces between them. Raises ValueError, whose text repeats none of them."""
    urls = text.split()
    if len(urls) > MOST_DESTINATIONS:
        raise ValueError(f"there are {len(urls)} URLs; use at most {MOST_DESTINATIONS}, or one that passes them on")
    found: dict[Hashable, tuple[str, Destination]] = {}
    for place, url in zip(_ORDINALS, urls, strict=False):
        try:
            identity, destination = _parsed(url)
        except ValueError as fault:
            raise ValueError(f"the {place} URL cannot be used: {fault}") from None
        if identity in found:
            raise ValueError(f"the {place} URL is the same as the {found[identity][0]}; leave one of them out")
        found[identity] = place, destination
    return tuple(destination for _, destination in found.values())


def http_endpoint(destination: Destination) -> HttpEndpoint:
    """Return where a webhook or a chat is reached."""
    return HttpEndpoint.parse(_without_prefix(destination.url))


def _parsed(url: str) -> tuple[Hashable, Destination]:
    """Return a destination, and what it shares with every other spelling of the same one."""
    if not (found := _SCHEME.fullmatch(url)):
        raise ValueError("it does not begin with a scheme; write it like https://host.example/path")
    scheme, rest = found[1].lower(), found[2]
    channel = hashlib.sha256(url.encode(errors="surrogatepass")).hexdigest()[:_CHANNEL_DIGITS]
    if scheme == "mailto":
        route = MailRoute.parse(url)
        return route, Destination(DestinationKind.MAIL, channel, route.host, url)
    if not rest.startswith("//") or not rest.strip("/"):
        raise ValueError("there is nothing behind its scheme; write it like https://host.example/path")
    if scheme.removeprefix(_CHAT_PREFIX) in {"http", "https"}:
        endpoint = HttpEndpoint.parse(_without_prefix(url))
        is_chat = scheme.startswith(_CHAT_PREFIX) or endpoint.host == _SLACK_HOST
        kind = DestinationKind.CHAT if is_chat else DestinationKind.WEBHOOK
        return endpoint, Destination(kind, channel, endpoint.host, url)
    return url, Destination(DestinationKind.OTHER, channel, scheme, url)


def _without_prefix(url: str) -> str:
    return url[len(_CHAT_PREFIX) :] if url.lower().startswith(_CHAT_PREFIX) else url
