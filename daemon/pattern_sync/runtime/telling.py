"""The service that tells people of patterns outside the page."""

import random
from datetime import UTC, datetime

from pattern_sync.config import Settings
from pattern_sync.database.pool import Pool
from pattern_sync.database.telling import TellingGateway
from pattern_sync.delivery import Courier, render
from pattern_sync.runtime.core import Core
from pattern_sync.telling import Teller, Terms

# Of a daemon that no proxy gives an address.
_SOURCE = "urn:pattern-sync"


def build_teller(core: Core, settings: Settings, pool: Pool) -> Teller | None:
    """Return the service, or None where nobody is to be told. Raises InvalidSettings."""
    telling = settings.telling()
    if telling is None:
        return None
    public = settings.public()
    page_url = None if public is None else str(public)
    terms = Terms(
        {each.channel: each for each in telling.destinations},
        telling.min_savings,
        telling.every_seconds,
        telling.quiet,
        telling.digest,
        page_url,
    )
    return Teller(
        TellingGateway(pool.lane("telling", 1).fetch),
        Courier(telling.secrets, _now, page_url or _SOURCE),
        render,
        terms,
        core.emit,
        core.supervisor.activity(Teller, core.telling),
        _now,
        random.random,
        core.timings,
    )


def _now() -> datetime:
    return datetime.now(UTC)
