"""training.toml_lines."""

import pytest

from training.toml_lines import Path, line_of, path_of

TEXT = """name = "a"

[data]  # where from
path = "x"
csv.delimiter = ";"
[data."odd name"]
'key' = 1
[[levels]]
name = "first"
[[levels]]
name = "second"
[levels.more]
deep = 1
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 1),
        (("data",), 3),
        (("data", "path"), 4),
        (("data", "absent"), 3),
        (("data", "csv", "delimiter"), 5),
        (("data", "odd name", "key"), 7),
        (("levels", 0, "name"), 9),
        (("levels", 1, "name"), 11),
        (("levels", 1, "absent"), 10),
        (("levels", 1, "more", "deep"), 13),
        (("nothing",), None),
        ((), None),
    ],
)
def test_a_key_is_found(path: Path, line: int | None) -> None:
    """It is that of the key, or else of the table that it would be in."""
    assert line_of(TEXT, path) == line


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ("Expected `str`, got `int` - at `$.levels[1].name`", ("levels", 1, "name")),
        ("Invalid enum value 'x' - at `$.data.columns[...]`", ("data", "columns")),
        ("Object missing required field `name`", ()),
        ("Expected `object`, got `int` - at `$`", ()),
    ],
)
def test_the_path_of_an_error_is_read(message: str, path: Path) -> None:
    """As msgspec writes it."""
    assert path_of(message) == path
