"""weir.batch.files: batch files, sound, damaged and hostile."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from weir.batch.files import read
from weir.catalog.inputs import Tensor
from weir.errors import BadBody
from weir.inputs.rows import RowReader

SHAPE = (2, 3)
READER = RowReader((Tensor(name="x", shape=(-1, *SHAPE)),))
ARRAYS = arrays(
    st.sampled_from([np.dtype(kind) for kind in ("<f4", ">f8", "u1", "<i8", ">u2", "<f2")]),
    st.tuples(st.integers(1, 5), st.just(2), st.just(3)),
    elements=st.integers(0, 200),
)


def _npy(array: NDArray[np.generic]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _with_header(header: str, body: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode("latin-1") + b"\n"
    size = len(text).to_bytes(2 if version == b"\x01\x00" else 4, "little")
    return b"\x93NUMPY" + version + size + text + body


def _header(shape: str = "(1, 2, 3)", descr: str = "'<f8'") -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}"


@given(ARRAYS, st.booleans(), st.booleans())
def test_npy_gives_its_rows(array: NDArray[np.generic], flat: bool, fortran: bool) -> None:
    """A .npy of any real datatype, byte order and memory order, of whole or flat rows, gives its rows."""
    stored = array.reshape(len(array), -1) if flat else array
    rows = read("a.npy", _npy(np.asfortranarray(stored) if fortran else stored), READER)
    np.testing.assert_array_equal(rows.values, array.astype(np.float32))
    assert rows.values.dtype == np.float32
    assert rows.errors == {}


def test_npy_of_the_second_version_gives_its_rows() -> None:
    """Version 2.0, which NumPy writes for long headers, has the same values."""
    body = np.arange(6.0).tobytes()
    assert read("a.npy", _with_header(_header(), body, b"\x02\x00"), READER).values.ravel().tolist() == list(range(6))


def test_bad_rows_of_a_npy_are_named() -> None:
    """A row with NaN, or a value beyond FP32, is an error of this row only."""
    array = np.ones((4, *SHAPE))
    array[1, 0, 0], array[3, 1, 2] = np.nan, 1e300
    rows = read("a.npy", _npy(array), READER)
    assert set(rows.errors) == {1, 3}
    assert rows.values[0].tolist() == np.ones(SHAPE).tolist()


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "a .npy is what numpy.save writes"),
        (b"\x93NUMPY", "a .npy is what numpy.save writes"),
        (b"\x93NUMPY\x03\x00" + b"\x00" * 90, "a .npy is what numpy.save writes"),
        (_npy(np.zeros((3, *SHAPE)))[:-1], "is followed by exactly its values"),
        (_npy(np.zeros((3, *SHAPE))) + b"x", "is followed by exactly its values"),
        (_npy(np.array(3.0)), "in a .npy, rows have the shape"),
        (_npy(np.zeros((3, 7))), "in a .npy, rows have the shape"),
        (_npy(np.zeros(6)), "in a .npy, rows have the shape"),
        (_npy(np.zeros((3, *SHAPE), complex)), "a .npy holds real numbers"),
        (_npy(np.zeros((3, *SHAPE), bool)), "a .npy holds real numbers"),
        (_npy(np.full((3, *SHAPE), "a")), "a .npy holds real numbers"),
        (_npy(np.zeros((0, *SHAPE))), "at least one row"),
        (_with_header(_header(descr="'|O'"), b"0" * 48), "a .npy holds real numbers"),
        (_with_header(_header(descr="'|V0'")), "a .npy holds real numbers"),
        (_with_header(_header(descr="[('a', '<f8')]"), b"0" * 48), "a .npy holds real numbers"),
        (_with_header(_header(descr="()")), "a .npy is what numpy.save writes"),
        (_with_header(_header(descr="'nothing'")), "a .npy is what numpy.save writes"),
        (_with_header(_header("(99999999999999, 2, 3)")), "is followed by exactly its values"),
        (_with_header(_header(f"({'9' * 30}, 2, 3)")), "is followed by exactly its values"),
        (_with_header(_header("(-1, 2, 3)")), "is followed by exactly its values"),
        (_with_header(_header("(-1, 2, 3)"), b"0" * 48), "is followed by exactly its values"),
        (_with_header(_header("(-1, -2, 3)"), b"0" * 48), "is followed by exactly its values"),
        (_with_header(_header("(0, -1)")), "is followed by exactly its values"),
        (_with_header(_header(f"(0, {'9' * 30})")), "a .npy has a shape that NumPy knows"),
        (_with_header(_header(f"({'1, ' * 40})"), b"0" * 8), "a .npy has a shape that NumPy knows"),
        (_with_header(_header(), np.zeros(6).tobytes(), b"\x03\x00"), "a .npy is what numpy.save writes"),
        (_with_header("__import__('os')"), "a .npy is what numpy.save writes"),
        (_with_header("{" * 5000), "a .npy is what numpy.save writes"),
        (_with_header("-" * 9000), "a .npy is what numpy.save writes"),
    ],
)
def test_a_npy_that_cannot_be_read_is_refused(data: bytes, rule: str) -> None:
    """Whatever its header claims, no memory is reserved for it."""
    with pytest.raises(BadBody, match=rule):
        read("a.npy", data, READER)


@pytest.mark.filterwarnings("ignore")
@given(
    st.one_of(
        st.text(st.characters(max_codepoint=255), max_size=60),
        st.lists(st.sampled_from([*"{}()[]:,'-+0123456789<>|=fiuOV ", "'descr'", "'shape'", "True"])).map("".join),
        st.builds(
            _header,
            st.lists(st.integers(-3, 3) | st.booleans() | st.integers(2**62, 2**70)).map(
                lambda sizes: str(tuple(sizes))
            ),
            st.sampled_from(["'<f8'", "'u1'", "'|V0'", "'|O'", "()", "[]"])
            | st.text("<>|=fiuV0123456789()[], ").map(repr),
        ),
    ),
    st.sampled_from([b"", b"\x00" * 48, b"\x00" * 96]),
)
def test_no_header_breaks_the_reader(header: str, body: bytes) -> None:
    """Whatever the header holds, the file is read or refused."""
    try:
        rows = read("a.npy", _with_header(header, body), READER)
    except BadBody:
        return
    assert rows.values.shape[1:] == SHAPE
    assert rows.values.nbytes <= len(body) * 4


@given(ARRAYS)
def test_csv_gives_its_rows(array: NDArray[np.generic]) -> None:
    """A .csv has one row a line, values row-major."""
    text = "\n".join(",".join(str(value) for value in row.ravel().tolist()) for row in array)
    np.testing.assert_array_equal(read("a.csv", text.encode(), READER).values, array.astype(np.float32))


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3,4,5,6\n",
        "1,2,3,4,5,6",
        "1,2,3,4,5,6\r\n",
        "\ufeff1,2,3,4,5,6\n",
        "a,b,c,d,e,f\n1,2,3,4,5,6\n",
        "\n1,2,3,4,5,6\n\n",
        '"1","2","3","4","5","6"\n',
        " 1, 2, 3, 4, 5, 6e0\n",
    ],
)
def test_csv_files_of_many_programs_are_read(text: str) -> None:
    """Headers, byte-order marks, line ends, quotes, spaces and blank lines are no rows."""
    rows = read("a.csv", text.encode(), READER)
    assert rows.values.tolist() == [[[1, 2, 3], [4, 5, 6]]]
    assert rows.errors == {}


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("1,2,3,4,5", "a row has 6 values. Got: 5"),
        ("1,2,3,4,5,6,7", "a row has 6 values. Got: 7"),
        ("1,2,3,4,5,x", "a row holds numbers"),
        ("1,2,3,4,5,", "a row holds numbers"),
        ("1,2,3,4,5,nan", "values are finite in FP32. Got: nan"),
        ("1,2,3,4,5,1e39", "values are finite in FP32. Got: 1e39"),
        ("1,2,3,4,5,1e999", "values are finite in FP32. Got: 1e999"),
    ],
)
def test_bad_lines_of_a_csv_are_named(line: str, rule: str) -> None:
    """A bad line is an error of this row only; the others keep their numbers."""
    rows = read("a.csv", f"1,2,3,4,5,6\n{line}\n1,2,3,4,5,6\n".encode(), READER)
    assert set(rows.errors) == {1}
    assert rows.errors[1].startswith(rule)
    assert len(rows.values) == 3


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "at least one row"),
        (b"a,b\n", "at least one row"),
        (b"\xff\xff,1", "a .csv is UTF-8 text"),
        (b'"' + b"1" * 200_000, "a .csv is UTF-8 text"),
    ],
)
def test_a_csv_that_cannot_be_read_is_refused(data: bytes, rule: str) -> None:
    """The error states the rule that a .csv breaks."""
    with pytest.raises(BadBody, match=rule):
        read("a.csv", data, READER)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("header", ["", "a,b,c,d,e,f", "0,1,2,3,4,5", "label,1,2,3,4,5", '"a,b;c",d,e,f,g,h'])
def test_delimiters_and_headers_are_sniffed(delimiter: str, header: str) -> None:
    """Spreadsheets write semicolons or tabs, and data frames the numbers of their columns as names."""
    lines = [header.replace(",", delimiter)] * bool(header) + [delimiter.join("123456"), delimiter.join("654321")]
    rows = read("a.csv", "\n".join(lines).encode(), READER)
    assert rows.values.ravel().tolist() == [1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1]
    assert (rows.errors, rows.header) == ({}, bool(header))


@pytest.mark.parametrize(
    "first",
    [
        "0,1,2,3,4,6",
        "1,2,3,4,5,6",
        "0.0,1.0,2.0,3.0,4.0,5.0",
        "nan,0,0,0,0,0",
        "1,2,3,,5,6",
        "0,1,2",
        "0.5,N/A,1,2,3,4",
        "1,2,missing,4,5,6",
        "N/A,2,3,4,5,6",
        "null,2,none,4,5,6",
    ],
)
def test_a_first_row_of_numbers_is_no_header(first: str) -> None:
    """A row that is bad, or lacks a value, is counted and not taken for a header."""
    rows = read("a.csv", f"{first}\n1,2,3,4,5,6\n".encode(), READER)
    assert (len(rows.values), rows.header) == (2, False)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_wide_rows_are_read(delimiter: str) -> None:
    """A line may be longer than a cell of the csv module can be, whatever separates its values."""
    one = Tensor(name="x", shape=(-1, 150_000))
    rows = read("a.csv", delimiter.join(["1"] * 150_000).encode(), RowReader((one,)))
    assert (rows.errors, rows.values.shape) == ({}, (1, 150_000))


@pytest.mark.parametrize("first", ["0", "0,1", "0,1,2"])
def test_few_numbers_in_order_are_a_row(first: str) -> None:
    """Rows of so few values may well be 0, 1 and 2."""
    one = Tensor(name="x", shape=(-1, first.count(",") + 1))
    assert len(read("a.csv", f"{first}\n{first}\n".encode(), RowReader((one,))).values) == 2


def test_decimal_commas_are_bad_rows_and_no_header() -> None:
    """Semicolons separate the values, and the error shows one."""
    rows = read("a.csv", b"1,5;2,5;3,5;4,5;5,5;6,5\n1;2;3;4;5;6\n", READER)
    assert list(rows.errors) == [0]
    assert "'1,5'" in rows.errors[0]


def test_a_bad_first_row_decides_no_delimiter() -> None:
    """Most of the first lines do."""
    rows = read("a.csv", b"1;2;3;4\n1,2,3,4,5,6\n6,5,4,3,2,1\n", READER)
    assert rows.errors == {0: "a row has 6 values. Got: 1"}


def test_rows_of_another_length_are_split_too() -> None:
    """When no line has as many values as a row, the errors say how many there are."""
    assert read("a.csv", b"1;2;3\n", READER).errors == {0: "a row has 6 values. Got: 3"}


@pytest.mark.parametrize("file", ["a.CSV", "a.Csv"])
def test_the_extension_of_a_csv_is_in_any_case(file: str) -> None:
    """Some systems write names in capitals."""
    assert len(read(file, b"1,2,3,4,5,6\n", READER).values) == 1


def test_the_extension_of_a_npy_is_in_any_case() -> None:
    """Some systems write names in capitals."""
    assert len(read("A.NPY", _npy(np.zeros((2, 6))), READER).values) == 2


@pytest.mark.parametrize("file", ["a.parquet", "a", "a.npy.gz", "a.tsv"])
def test_other_formats_are_refused(file: str) -> None:
    """The error lists the formats that are read."""
    with pytest.raises(BadBody, match=r"a batch file is \.npy, \.csv, \.jsonl"):
        read(file, b"", READER)
