"""The values of a column, as numbers, texts or dates; null where there is none."""

from datetime import datetime

import polars as pl

_BOOLEANS = ["true", "false"]
_LARGEST = 3.4e38
"""of FP32, about; beyond it a value is infinite to networks"""


def is_number(series: pl.Series) -> bool:
    """Tell whether a column is of a numeric type."""
    return series.dtype.is_numeric()


def numbers(series: pl.Series, decimal: str) -> pl.Series:
    """Return a column as FP64: numbers, booleans as 0 and 1; null for NaN, for infinities, and for other texts.

    A decimal comma may have points between thousands.
    """
    if series.dtype != pl.String:
        read = series.cast(pl.Float64, strict=False)
    elif is_boolean(series):
        read = (series.str.strip_chars().str.to_lowercase() == "true").cast(pl.Float64)
    else:
        texts = series.str.strip_chars()
        if decimal == ",":
            texts = texts.str.replace_all(r"\.(\d{3})", "$1").str.replace(",", ".", literal=True)
        read = texts.cast(pl.Float64, strict=False)
    usable = read.is_finite() & (read.abs() <= _LARGEST)
    return pl.select(pl.when(usable).then(read)).to_series().alias(series.name)


def is_boolean(series: pl.Series) -> bool:
    """Tell whether the values of a column are true and false."""
    if series.dtype == pl.Boolean:
        return True
    found = series.drop_nulls()
    if series.dtype != pl.String or not len(found):
        return False
    return bool(found.str.strip_chars().str.to_lowercase().is_in(_BOOLEANS).all())


def texts(series: pl.Series) -> pl.Series:
    """Return a column as texts without blanks around them; whole numbers without a decimal sign."""
    if series.dtype == pl.String:
        stripped = series.str.strip_chars()
        return pl.select(pl.when(stripped != "").then(stripped)).to_series().alias(series.name)
    if series.dtype == pl.Boolean:
        return pl.select(pl.when(series).then(pl.lit("true")).when(~series).then(pl.lit("false"))).to_series()
    if series.dtype.is_float():
        whole = series.drop_nans().drop_nulls()
        if bool((whole == whole.round()).all()) and (not len(whole) or float(whole.abs().max() or 0) < 2**63):  # type: ignore[arg-type]
            return pl.select(pl.when(series.is_finite()).then(series)).to_series().cast(pl.Int64).cast(pl.String)
    return series.cast(pl.String)


def dates(series: pl.Series) -> pl.Series:
    """Return a column as dates of ISO 8601, null where a text is none."""
    if series.dtype == pl.Date:
        return series.dt.to_string("%Y-%m-%d")
    if series.dtype == pl.Datetime:
        zoned = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if series.dtype.time_zone else series  # type: ignore[attr-defined]
        return zoned.dt.to_string("%Y-%m-%dT%H:%M:%S")
    if series.dtype != pl.String:
        return pl.Series(series.name, [None] * len(series), pl.String)
    stripped = series.str.strip_chars()
    return pl.Series(series.name, [one if one and is_date(one) else None for one in stripped.to_list()], pl.String)


def is_date(text: str) -> bool:
    """Tell whether a text is a date of ISO 8601, with or without a time."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
