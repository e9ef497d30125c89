"""Times that people and other programs give."""

from datetime import UTC, datetime, tzinfo


def in_zone(moment: datetime, zone: tzinfo | None = None) -> datetime:
    """Return a time in a zone, by default this machine's; one without a zone is this machine's.

    Of one that would lie before the first day, or behind the last, the begin or the end of that day in UTC is left.
    """
    try:
        return moment.astimezone(zone)
    except (OverflowError, ValueError):  # the second where it is this machine's zone
        return (datetime.min if moment.year == 1 else datetime.max).replace(tzinfo=UTC)  # noqa: DTZ901 - it gets one


def to_utc(moment: datetime) -> datetime:
    """Return a time in UTC; one without a zone is in UTC already, as programs write it."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_utc(text: str) -> datetime | None:
    """Return a time in UTC from a text; None if it is none, or one that Python cannot represent, such as infinity."""
    try:
        return to_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None
