"""The service that tells people of patterns, and of paused rules, outside the page."""

import random
from datetime import UTC, datetime
from uuid import uuid4

from pattern_sync.config import PREFIX, Settings, TellingSettings
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.connector import Connector
from pattern_sync.database.pool import Pool
from pattern_sync.database.reviews import Fetch
from pattern_sync.database.statements import load_statements
from pattern_sync.database.telling import TellingGateway
from pattern_sync.delivery import Courier, check_apprise, render
from pattern_sync.domain.destinations import Destination
from pattern_sync.domain.errors import InvalidSettings
from pattern_sync.domain.messages import Delivery, Message, MessageKind
from pattern_sync.runtime.core import Core
from pattern_sync.telling import Messages, Teller, Terms, Tested

# Of a daemon that no proxy gives an address.
_SOURCE = "urn:pattern-sync"


def usable_telling(settings: Settings) -> TellingSettings | None:
    """Return whom messages are sent to; None is nobody. Raises InvalidSettings, also where Apprise is missing."""
    telling = settings.telling()
    if telling is not None:
        try:
            check_apprise(telling.destinations)
        except ValueError as fault:
            raise InvalidSettings(f"{PREFIX}NOTIFY_URLS: {fault}.") from None
    return telling


def build_teller(core: Core, settings: Settings, pool: Pool) -> Teller | None:
    """Return the service, or None where nobody is to be told. Raises InvalidSettings."""
    telling = usable_telling(settings)
    if telling is None:
        return None
    terms = Terms(
        {each.channel: each for each in telling.destinations},
        telling.min_savings,
        telling.every_seconds,
        telling.quiet,
        telling.digest,
        settings.rules,
        _page_url(settings),
    )
    return Teller(
        TellingGateway(pool.lane("telling", 1).fetch),
        _courier(settings, telling),
        render,
        terms,
        core.emit,
        core.supervisor.activity(Teller, core.telling),
        _now,
        core.now,
        random.random,
        core.timings,
    )


def build_messages(settings: Settings, fetch: Fetch) -> Messages:
    """Return the messages as operators see them. Raises InvalidSettings."""
    telling = usable_telling(settings)
    return Messages(TellingGateway(fetch), None if telling is None else lambda: _send_test(settings, telling))


async def test_destinations(settings: Settings, address: DatabaseAddress) -> tuple[Tested, ...]:
    """Send a test to every destination from a program that is no daemon. Raises NobodyToTell, DatabaseError."""
    async with Pool(Connector(address, load_statements())) as pool:
        return await build_messages(settings, pool.lane("telling", 1).fetch).test()


async def _send_test(settings: Settings, telling: TellingSettings) -> dict[Destination, Delivery]:
    courier = _courier(settings, telling)
    message = Message(str(uuid4()), MessageKind.TEST, _now(), (), 0, 0.0, 0, _page_url(settings))
    return {
        each: await courier.deliver(each, render(each, message), message.key, message.kind, message.created_at)
        for each in telling.destinations
    }


def _courier(settings: Settings, telling: TellingSettings) -> Courier:
    return Courier(telling.secrets, _now, _page_url(settings) or _SOURCE)


def _page_url(settings: Settings) -> str | None:
    public = settings.public()
    return None if public is None else str(public)


def _now() -> datetime:
    return datetime.now(UTC)
