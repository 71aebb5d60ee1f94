"""training.data.sources."""

import contextlib
import gzip
import io
import struct
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.http_servers import running
from training.data import sources
from training.data.sources import fashion_mnist, npz
from training.task import Data
from weir.catalog.inputs import Picture, Table
from weir.errors import BadInput, Unavailable


def test_mnist_sample_comes_with_a_package() -> None:
    """It has 5,000 digits of 28x28, 500 of each label."""
    data = sources.load(Data(source="mnist-sample"))
    assert data.rows.shape == (5000, 28, 28)
    assert np.bincount(data.labels.astype(int)).tolist() == [500] * 10
    assert isinstance(data.input, Picture)
    assert (data.rows[:].min(), data.rows[:].max()) == data.input.range


def test_digits_come_with_a_package() -> None:
    """There are 1,797 digits of 8x8, with values from 0 to 16."""
    data = sources.load(Data(source="digits"))
    assert data.rows.shape == (1797, 8, 8)
    assert isinstance(data.input, Picture)
    assert (data.input.row_shape, data.input.range) == ((8, 8), (0.0, 16.0))


def test_an_unknown_source_is_refused() -> None:
    """The error lists the sources."""
    with pytest.raises(BadInput, match="mnist-sample, digits, fashion-mnist, mnist, npz"):
        sources.load(Data(source="imagenet"))


def _idx(path: Path, array: NDArray[np.uint8]) -> None:
    magic = b"\0\0\x08" + bytes([array.ndim])
    path.write_bytes(gzip.compress(magic + struct.pack(f">{array.ndim}i", *array.shape) + array.tobytes()))


@pytest.fixture
def debian(tmp_path: Path) -> Path:
    """A folder laid out as Debian's package, with few rows."""
    for part, rows in (("train", 6), ("t10k", 4)):
        _idx(tmp_path / f"{part}-images-idx3-ubyte.gz", np.arange(rows * 6, dtype=np.uint8).reshape(rows, 2, 3))
        _idx(tmp_path / f"{part}-labels-idx1-ubyte.gz", np.arange(rows, dtype=np.uint8))
    return tmp_path


def test_fashion_mnist_is_read_where_debian_installs_it(debian: Path) -> None:
    """Training rows come first, then the rows of its own test set."""
    data = fashion_mnist.load(debian)
    assert data.rows.shape == (10, 2, 3)
    assert data.test_from == 6
    assert data.rows[0].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert data.label_names[9] == "Ankle boot"


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b""), gzip.compress(b"\0\0\x08\x01" + b"\0" * 20), gzip.compress(b"x")],
    ids=["empty", "no gzip", "nothing", "another kind of array", "no array"],  # what gzip writes names the time
)
def test_damaged_files_of_debian_are_refused(debian: Path, content: bytes) -> None:
    """The error names the file."""
    (debian / "train-images-idx3-ubyte.gz").write_bytes(content)
    with pytest.raises(BadInput):
        fashion_mnist.load(debian)


def test_truncated_files_of_debian_are_refused(debian: Path) -> None:
    """A file that ends within a picture is refused."""
    path = debian / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1]))
    with pytest.raises(BadInput, match="train-images"):
        fashion_mnist.load(debian)


def test_a_download_that_fails_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network, the error names the place in which Keras looks for the file."""

    def refuse(*_: object, **__: object) -> None:
        raise Exception("URL fetch failure")  # noqa: TRY002 (as Keras does)

    monkeypatch.setattr("keras.src.datasets.mnist.get_file", refuse)
    with pytest.raises(Unavailable, match=r"~/.keras/datasets"):
        sources.load(Data(source="mnist"))
    monkeypatch.setattr("keras.src.datasets.fashion_mnist.get_file", refuse)
    with pytest.raises(Unavailable):
        fashion_mnist.load(tmp_path / "none")


def test_mnist_is_what_keras_downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MNIST is read from the file that Keras downloads, here from a server on this machine."""
    import keras  # noqa: PLC0415

    arrays = {"x_train": np.zeros((6, 28, 28), np.uint8), "y_train": np.arange(6, dtype=np.uint8)}
    arrays |= {"x_test": np.ones((4, 28, 28), np.uint8), "y_test": np.arange(4, dtype=np.uint8)}
    np.savez(tmp_path / "mnist.npz", **arrays)
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with running(ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(tmp_path)))) as address:

        def local(fname: str, origin: str, file_hash: str) -> Any:  # noqa: ANN401
            assert origin.endswith("/mnist.npz")
            assert file_hash
            return keras.utils.get_file(fname, f"http://{address}/mnist.npz", cache_dir=tmp_path / "cache")

        monkeypatch.setattr("keras.src.datasets.mnist.get_file", local)
        data = sources.load(Data(source="mnist"))
    assert data.rows.shape == (10, 28, 28)
    assert data.test_from == 6


@pytest.mark.parametrize("own_test", [False, True])
def test_a_file_of_your_own_is_read(tmp_path: Path, own_test: bool) -> None:
    """A file has x and y, and may have x_test with y_test, and label_names."""
    arrays: dict[str, Any] = {"x": np.zeros((3, 2, 2)), "y": np.array([0, 1, 2])}
    if own_test:
        arrays |= {"x_test": np.ones((2, 2, 2)), "y_test": np.array([1, 2]), "label_names": np.array(["a", "b", "c"])}
    np.savez(tmp_path / "a.npz", **arrays)
    data = sources.load(Data(source="npz", path=str(tmp_path / "a.npz")))
    assert data.label_names == (("a", "b", "c") if own_test else ("0", "1", "2"))
    assert data.test_from == (3 if own_test else None)
    assert len(data.rows) == (5 if own_test else 3)


def _with_test(x: int, y: int, x_test: int, y_test: int) -> dict[str, Any]:
    """Make arrays of these lengths."""
    rows = {"x": np.zeros((x, 2, 2)), "x_test": np.zeros((x_test, 2, 2))}
    return {**rows, "y": np.arange(y), "y_test": np.zeros(y_test, int)}


@pytest.mark.parametrize(
    ("arrays", "rule"),
    [
        ({"x": np.zeros((3, 2, 2))}, "has the arrays x and y"),
        ({"x": np.zeros(3), "y": np.zeros(3, int), "x_test": np.zeros(3)}, "x_test and y_test or neither"),
        (
            {"x": np.zeros((3, 2)), "y": np.zeros(3, int), "x_test": np.zeros((3, 3)), "y_test": np.zeros(3, int)},
            "rows of x_test have the shape",
        ),
        ({"x": np.zeros((3, 2, 2)), "y": np.zeros(3)}, "y holds whole numbers"),
        ({"x": np.zeros((0, 2, 2)), "y": np.zeros(0, int)}, r"pictures have the shape \(rows, height, width\)"),
        ({"x": np.array(3.0), "y": np.zeros(3, int)}, "y has one label for each row of x"),
        ({"x": np.zeros((3, 2, 2)), "y": np.array(0)}, "y has one label for each row of x"),
        ({"x": np.zeros((3, 2, 2)), "y": np.eye(3, dtype=int)}, "y has one label for each row of x"),
        (_with_test(3, 4, 5, 4), r"y has one label for each row of x\. Got: y \(4,\), x \(3, 2, 2\)"),
        (
            _with_test(3, 3, 5, 4),
            r"y_test has one label for each row of x_test\. Got: y_test \(4,\), x_test \(5, 2, 2\)",
        ),
        (_with_test(3, 3, 5, 5) | {"y_test": np.zeros((5, 1), int)}, "y_test has one label for each row of x_test"),
        (_with_test(3, 3, 5, 5) | {"x_test": np.array(1.0)}, "y_test has one label for each row of x_test"),
        ({"x": np.zeros((3, 2, 2)), "y": np.array([None] * 3)}, "without objects"),
    ],
)
def test_a_file_that_lacks_something_is_refused(tmp_path: Path, arrays: dict[str, Any], rule: str) -> None:
    """The error states the rule that the arrays break."""
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(BadInput, match=rule):
        sources.load(Data(source="npz", path=str(tmp_path / "a.npz")))


@pytest.mark.parametrize("content", [None, b"", b"text", b"PK\x03\x04damaged"])
def test_a_file_that_is_no_npz_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """A missing, empty or damaged file, or one of another format, is refused."""
    if content is not None:
        (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(BadInput, match=r"numpy\.savez"):
        sources.load(Data(source="npz", path=str(tmp_path / "a.npz")))


def _zip(*members: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, member in members:
            archive.writestr(name, member)
    return content.getvalue()


def _npy(header: bytes) -> bytes:
    """An array of the format's version 1 that has only a header."""
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


_LZMA = _zip(("x.npy", _npy(b"{}") * 20), compression=zipfile.ZIP_LZMA)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (_zip(("x", b"text")), "numpy.savez wrote"),
        (_zip(("x.npy", _npy(b"{'descr': (((("))), "numpy.savez wrote"),
        (
            _zip(("x.npy", _npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (%d,)}" % 10**40))),
            "numpy.savez wrote",
        ),
        (
            _zip(("x.npy", _npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (%d,)}" % 10**16))),
            "fits into memory",
        ),
        (_LZMA[:60] + bytes(20) + _LZMA[80:], "numpy.savez wrote"),
    ],
    ids=["no array", "a header", "a shape", "more than there is", "its compression"],
)
def test_an_archive_of_something_else_is_refused(tmp_path: Path, content: bytes, rule: str) -> None:
    """Whatever numpy or a compression raises for it, the error is one line that names the file."""
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(BadInput, match=rule):
        npz.arrays(str(tmp_path / "a.npz"))


def test_a_file_that_is_damaged_anywhere_is_refused_or_read(tmp_path: Path) -> None:
    """Whichever byte has changed, of a compressed file or a plain one, the error is that of a damaged file."""
    path, y = tmp_path / "a.npz", np.arange(3)
    for save in (np.savez, np.savez_compressed):
        save(path, x=np.arange(12.0).reshape(3, 2, 2), y=y)
        content = path.read_bytes()
        for place in range(len(content)):
            path.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
            with contextlib.suppress(BadInput):
                npz.arrays(str(path))


@pytest.mark.parametrize(("shape", "row"), [((12, 4, 5), (4, 5)), ((12, 4, 5, 3), (4, 5, 3)), ((12, 4), (4,))])
def test_a_npz_has_pictures_in_grey_or_in_colour_or_a_table(
    tmp_path: Path, shape: tuple[int, ...], row: tuple[int, ...]
) -> None:
    """The number of its dimensions tells which."""
    np.savez(tmp_path / "a.npz", x=np.random.default_rng(0).integers(0, 255, shape), y=np.arange(12) % 2)
    data = npz.load(str(tmp_path / "a.npz"))
    assert data.input.row_shape == row
    assert isinstance(data.input, Table if len(row) == 1 else Picture)
