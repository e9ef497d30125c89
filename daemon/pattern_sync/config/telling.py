"""Whom the settings want told of patterns, how their messages are signed, and when they want to hear of them."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pattern_sync.config.names import variable
from pattern_sync.domain.destinations import Destination, DestinationKind, parse_destinations
from pattern_sync.domain.errors import InvalidSettings
from pattern_sync.domain.hours import DigestSchedule, QuietHours
from pattern_sync.domain.signing import SigningSecrets

_LOCAL_TIME = Path("/etc/localtime")

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class TellingSettings:
    """What an operator has set: `min_savings` in USD a month."""

    destinations: Sequence[Destination]
    secrets: SigningSecrets | None
    min_savings: float
    every_seconds: float
    quiet: QuietHours | None
    digest: DigestSchedule | None


def read_telling(
    notify_urls: str | None,
    notify_secret: str | None,
    *,
    min_savings: float,
    every_seconds: float,
    quiet: str | None,
    digest: str | None,
) -> TellingSettings | None:
    """Return what is set; None where nobody is to be told. Raises InvalidSettings, which repeats no secret."""
    destinations = _read("notify_urls", notify_urls, parse_destinations) or ()
    secrets = _read("notify_secret", notify_secret, SigningSecrets.parse)
    hours = _read("notify_quiet", quiet, QuietHours.parse)
    zone = _machines_zone() if hours is None else hours.zone
    schedule = _read("notify_digest", digest, lambda text: DigestSchedule.parse(text, zone))
    if any(each.kind is DestinationKind.WEBHOOK for each in destinations) and secrets is None:
        raise InvalidSettings(
            f"{variable('notify_urls')} names a webhook, but there is no {variable('notify_secret')}, by which its"
            ' receiver knows who sent it. Make one with: echo "whsec_$(openssl rand -base64 32)"'
        )
    if not destinations:
        return None
    return TellingSettings(destinations, secrets, min_savings, every_seconds, hours, schedule)


def _read(name: str, text: str | None, parse: Callable[[str], Read]) -> Read | None:
    if not text:
        return None
    try:
        return parse(text)
    except ValueError as fault:
        raise InvalidSettings(f"{variable(name)}: {fault}.") from None


def _machines_zone() -> ZoneInfo:
    """Return the time zone of this machine, or of the variable TZ; UTC where neither is known."""
    if name := os.environ.get("TZ", "").removeprefix(":"):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            pass
    try:
        with _LOCAL_TIME.open("rb") as file:
            return ZoneInfo.from_file(file, key=str(_LOCAL_TIME.resolve()).partition("zoneinfo/")[2] or "local")
    except (OSError, ValueError):
        return ZoneInfo("UTC")
