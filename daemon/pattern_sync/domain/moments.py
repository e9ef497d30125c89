"""Times that people give."""

from datetime import UTC, datetime, tzinfo


def in_zone(moment: datetime, zone: tzinfo | None = None) -> datetime:
    """Return a time in a zone, by default this machine's; one without a zone is this machine's.

    Of one that would lie before the first day, or behind the last, the begin or the end of that day in UTC is left.
    """
    try:
        return moment.astimezone(zone)
    except (OverflowError, ValueError):  # the second where it is this machine's zone
        return (datetime.min if moment.year == 1 else datetime.max).replace(tzinfo=UTC)  # noqa: DTZ901 - it gets one
