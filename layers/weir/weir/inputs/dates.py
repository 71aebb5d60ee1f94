"""Dates in numbers."""

from datetime import UTC, datetime

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (dates without a zone stay as they are)
_DAY_S = 86_400
_HOUR_S = 3_600


def parts_of(text: object) -> tuple[float, float, float, float]:
    """Read a date of ISO 8601, with or without a time, as `weir.catalog.columns.DATE_PARTS`.

    A time with a zone is read as UTC.

    Raises:
        TypeError: it is no text.
        ValueError: it is no date.
    """
    moment = datetime.fromisoformat(text)  # type: ignore[arg-type] # raises TypeError for what is no text
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    seconds = (moment - _EPOCH).total_seconds()
    return seconds / _DAY_S, moment.month, moment.weekday(), seconds % _DAY_S / _HOUR_S
