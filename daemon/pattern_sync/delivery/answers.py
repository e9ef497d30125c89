"""What an HTTP answer says of a letter, as Standard Webhooks has it."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from pattern_sync.domain.messages import Delivery, DeliveryOutcome

# Longer would be for ever: a letter is given up before.
LONGEST_RETRY_AFTER_SECONDS = 86_400.0
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_SUCCESSES = range(200, 300)
_REDIRECTS = range(300, 400)
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)


def delivery_of(host: str, status_code: int, retry_after: str | None, now: datetime) -> Delivery:
    """Return what an answer means; `retry_after` is the header of that name."""
    if status_code in _SUCCESSES:
        return Delivery(DeliveryOutcome.DELIVERED, status_code)
    answered = f"{host} answered {_named(status_code)}"
    if status_code == HTTPStatus.GONE:
        return Delivery(DeliveryOutcome.GONE, status_code, f"{answered}: it wants no more messages")
    if status_code in _REFUSED:
        return Delivery(DeliveryOutcome.REFUSED, status_code, answered)
    if status_code in _REDIRECTS:
        answered += ", a redirect, which is not followed; use the URL of the receiver itself"
    wait = retry_after_seconds(retry_after, now) if status_code in _BUSY else None
    return Delivery(DeliveryOutcome.FAILED, status_code, answered, wait)


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """Return how long to wait, at most a day, by seconds or a date; None where the header says nothing."""
    if value is None:
        return None
    if _DIGITS.fullmatch(value):
        seconds = float(value) if _SECONDS.fullmatch(value) else LONGEST_RETRY_AFTER_SECONDS
    else:
        try:
            moment = parsedate_to_datetime(value)
            seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
        except (ValueError, OverflowError, TypeError, IndexError):
            return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)


def _named(status_code: int) -> str:
    try:
        return f"{status_code} ({HTTPStatus(status_code).phrase})"
    except ValueError:
        return str(status_code)
