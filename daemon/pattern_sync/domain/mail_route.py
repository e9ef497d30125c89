"""Whom a mail goes to, and by which server."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

from pattern_sync.domain.hosts import host_and_port

_EXAMPLE = "write it like mailto:ann@team.example?via=smtps://user:password@mail.example"
# Nothing that a header or an SMTP command would take for more than one address.
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)
# What every mechanism of a login can carry.
_LOGIN = re.compile(r"[ -~]+")
_MOST_RECIPIENTS = 20


class MailSecurity(StrEnum):
    """How a connection to a mail server is encrypted, by the scheme of its URL."""

    TLS = "smtps"
    REQUIRED_STARTTLS = "smtp+starttls"
    OFFERED_STARTTLS = "smtp"


_DEFAULT_PORTS = {MailSecurity.TLS: 465, MailSecurity.REQUIRED_STARTTLS: 587, MailSecurity.OFFERED_STARTTLS: 25}


@dataclass(frozen=True, slots=True)
class MailRoute:
    """The parts of a mailto URL with the server it names; no user: no login."""

    recipients: tuple[str, ...] = field(repr=False)
    sender: str = field(repr=False)
    security: MailSecurity
    host: str
    port: int
    user: str | None = field(repr=False)
    password: str | None = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Take the URL apart. Raises ValueError, whose text is about "it" and holds nothing of it."""
        if "#" in url:
            raise ValueError("it has a fragment; leave the # out, or write %23 where it belongs to a password")
        path, _, query = url.partition(":")[2].partition("?")
        recipients = _recipients(path)
        parameters = _parameters(query)
        if not (via := parameters.get("via")):
            raise ValueError(f"it names no mail server in via=; {_EXAMPLE}")
        security, parts = _server(via)
        user, password = _login(parts, security)
        sender = unquote(parameters.get("from") or "") or (user if user and _is_mailbox(user) else recipients[0])
        if not _is_mailbox(sender):
            raise ValueError("its from= is not one mail address; write it like from=pattern-sync@team.example")
        host, port = host_and_port(parts, _DEFAULT_PORTS[security])
        return cls(recipients, sender, security, host, port, user, password)


def _recipients(path: str) -> tuple[str, ...]:
    recipients = tuple(unquote(each) for each in path.split(",") if each)
    if not recipients:
        raise ValueError(f"it names no recipient; {_EXAMPLE}")
    if not all(map(_is_mailbox, recipients)):
        raise ValueError("one of its recipients is not a mail address in ASCII; separate several with commas")
    if len(recipients) > _MOST_RECIPIENTS:
        raise ValueError(f"it has {len(recipients)} recipients; use at most {_MOST_RECIPIENTS}, or a mailing list")
    return recipients


def _parameters(query: str) -> dict[str, str]:
    """Return the parameters as they are written: of a server's URL only the name and the password are decoded."""
    pairs = [each.partition("=") for each in query.split("&") if each]
    names = [name for name, _, _ in pairs]
    # The name is not repeated: behind an & in a password stands the rest of it.
    if not {*names} <= {"via", "from"} or len({*names}) != len(names):
        raise ValueError("it may have via= and from= once each and nothing else; an & in a password is written %26")
    return {name: value for name, _, value in pairs}


def _server(via: str) -> tuple[MailSecurity, SplitResult]:
    try:
        parts = urlsplit(via if "://" in via else unquote(via))
        security = MailSecurity(parts.scheme)
    except ValueError:
        raise ValueError(
            f"its via= is not the URL of a mail server (smtps://, smtp+starttls:// or smtp://); {_EXAMPLE}"
        ) from None
    if parts.path.strip("/") or parts.query:
        raise ValueError("its via= has more than a mail server; write a / or ? of a password as %2F or %3F")
    return security, parts


def _login(parts: SplitResult, security: MailSecurity) -> tuple[str | None, str | None]:
    if parts.username is None:
        return None, None
    if not parts.username or not parts.password:
        raise ValueError("its via= has a user or a password without the other; write user:password@, or neither")
    if security is MailSecurity.OFFERED_STARTTLS:
        raise ValueError(
            "its via= would send a password without encryption; write smtp+starttls:// instead of smtp://, where TLS is"
            " required, or smtps://"
        )
    user, password = unquote(parts.username), unquote(parts.password)
    if not _LOGIN.fullmatch(user) or not _LOGIN.fullmatch(password):
        raise ValueError("its via= has a user or a password with other characters than printable ASCII; choose others")
    return user, password


def _is_mailbox(text: str) -> bool:
    return bool(_MAILBOX.fullmatch(text))
