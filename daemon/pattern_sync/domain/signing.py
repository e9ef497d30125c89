"""How a webhook proves who sent it: the headers of Standard Webhooks 1.0.0, and those of CloudEvents 1.0 beside them.

The secret is `whsec_` and base64; while it is replaced there are two, and a receiver may verify with either.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self
from urllib.parse import quote

_PREFIX = "whsec_"
_LEAST_BYTES = 24
_WAY_OUT = 'make one with: echo "whsec_$(openssl rand -base64 32)"'
_ORDINALS = ("first", "second")
_TYPE_PREFIX = "pattern_sync."


@dataclass(frozen=True, slots=True)
class SigningSecrets:
    """The one or two secrets with which webhooks are signed."""

    keys: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one secret, or two with a space between them. Raises ValueError, whose text repeats none of them."""
        words = text.split()
        if not words or len(words) > len(_ORDINALS):
            raise ValueError(f"there are {len(words)} secrets; give one, or the new and the old one; {_WAY_OUT}")
        return cls(tuple(_key(word, ordinal) for word, ordinal in zip(words, _ORDINALS, strict=False)))

    def signature(self, key: str, sent_at: datetime, text: str) -> str:
        """Return the signatures of a message, one for each secret, with spaces between them."""
        signed = f"{key}.{_seconds(sent_at)}.{text}".encode()
        digests = (hmac.digest(secret, signed, hashlib.sha256) for secret in self.keys)
        return " ".join(f"v1,{base64.b64encode(digest).decode('ascii')}" for digest in digests)


def event_type(kind: str) -> str:
    """Return what a body and its headers call an event of a kind of message."""
    return f"{_TYPE_PREFIX}{kind}"


def webhook_headers(secrets: SigningSecrets | None, key: str, sent_at: datetime, text: str) -> Mapping[str, str]:
    """Return the headers of Standard Webhooks; without secrets there is no signature."""
    headers = {"webhook-id": key, "webhook-timestamp": str(_seconds(sent_at))}
    if secrets is not None:
        headers["webhook-signature"] = secrets.signature(key, sent_at, text)
    return headers


def event_headers(key: str, source: str, kind: str, created_at: datetime) -> Mapping[str, str]:
    """Return the headers of CloudEvents in binary mode; `source` is a URI reference that names this installation."""
    return {
        "ce-specversion": "1.0",
        "ce-id": key,
        "ce-source": quote(source, safe="/:?#[]@!$&'()*+,;=%~"),
        "ce-type": event_type(kind),
        "ce-time": in_utc(created_at),
    }


def in_utc(moment: datetime) -> str:
    """Return a time as RFC 3339 writes it."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _key(word: str, ordinal: str) -> bytes:
    if not word.startswith(_PREFIX):
        raise ValueError(f"the {ordinal} secret does not begin with {_PREFIX}; {_WAY_OUT}")
    encoded = word.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"the {ordinal} secret is not base64 behind {_PREFIX}; {_WAY_OUT}") from None
    if len(key) < _LEAST_BYTES:
        raise ValueError(f"the {ordinal} secret has {len(key)} bytes; use at least {_LEAST_BYTES}; {_WAY_OUT}")
    return key
