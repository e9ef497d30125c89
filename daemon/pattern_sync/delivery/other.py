"""Everything else that people have, through Apprise: an extra, which is imported when it is needed."""

import asyncio
import importlib.util
from collections.abc import Iterable

from pattern_sync.delivery.faults import Undelivered
from pattern_sync.domain.destinations import Destination, DestinationKind
from pattern_sync.domain.messages import Delivery, DeliveryOutcome, Letter

_MODULE = "apprise"
_WAY_OUT = "install it with: pip install 'pattern-sync[apprise]'"


def check_apprise(destinations: Iterable[Destination]) -> None:
    """Raise ValueError for a destination that only Apprise may know, if it does not or is not installed."""
    others = [each for each in destinations if each.kind is DestinationKind.OTHER]
    if others and importlib.util.find_spec(_MODULE) is None:
        raise ValueError(
            f"{others[0].host}:// is mistyped, or is for Apprise, which is not installed; {_WAY_OUT}, or write https://,"
            " slack+https:// or mailto:"
        )
    for each in others:
        if not _is_known(each):
            raise ValueError(
                f"{each.host}:// is mistyped, or misses a part: Apprise does not take this URL; see its documentation"
            )


async def notify_by_apprise(destination: Destination, letter: Letter, deadline: float) -> Delivery:
    """Hand a letter to Apprise; `deadline` is the loop's time. Raises Undelivered and TimeoutError."""
    async with asyncio.timeout_at(deadline):
        return await asyncio.to_thread(_notified, destination, letter)


def _is_known(destination: Destination) -> bool:
    import apprise  # noqa: PLC0415 - as below

    try:
        return apprise.Apprise.instantiate(destination.url) is not None
    except Exception:  # noqa: BLE001 - as below
        return False


def _notified(destination: Destination, letter: Letter) -> Delivery:
    try:
        import apprise  # noqa: PLC0415 - optional, 27 MB, and a second to import
    except ImportError:
        raise Undelivered(f"Apprise, which {destination.host}:// needs, is not installed; {_WAY_OUT}") from None
    try:
        # One URL a call: of several, the one answer would not tell which has failed. A text it would split at commas.
        service = apprise.Apprise()
        is_known = service.add([destination.url])
        is_sent = is_known and service.notify(
            title=letter.subject, body=letter.text, body_format=apprise.NotifyFormat.TEXT
        )
    except Exception as fault:  # noqa: BLE001 - of 100 services' code; the text may hold the URL
        raise Undelivered(f"Apprise failed at {destination.host}:// with {type(fault).__name__}") from None
    if not is_known:
        raise Undelivered(f"Apprise does not know {destination.host}:// or misses a part of its URL")
    if not is_sent:
        raise Undelivered(f"Apprise could not send by {destination.host}:// and does not say why")
    return Delivery(DeliveryOutcome.DELIVERED)
