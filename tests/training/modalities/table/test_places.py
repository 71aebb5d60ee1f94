"""training.modalities.table.places."""

import pytest

from tests.training.tables import TABLE
from training.modalities.table.places import check_changes, check_names, of_categories, of_numbers, places
from training.task import NetworkSpec
from weir.errors import BadInput


def test_every_column_has_its_values_in_order() -> None:
    """A number and a category have one value, a date four."""
    found = [(column.name, where.start, where.stop) for column, where in places(TABLE)]
    assert found == [("height", 0, 1), ("rooms", 1, 2), ("colour", 2, 3), ("since", 3, 7)]


@pytest.mark.parametrize(
    ("columns", "numbers", "categories"),
    [((), [0, 1, 3, 4, 5, 6], [2]), (("since", "height"), [0, 3, 4, 5, 6], []), (("colour",), [], [2])],
)
def test_networks_read_the_columns_that_they_name(
    columns: tuple[str, ...], numbers: list[int], categories: list[int]
) -> None:
    """None named are all; the order is that of the table."""
    assert of_numbers(TABLE, columns) == numbers
    assert of_categories(TABLE, columns) == categories


def test_names_that_no_column_has_are_refused() -> None:
    """So are names that come twice."""
    check_names(TABLE, ["since", "height"])
    with pytest.raises(BadInput, match=r"some of height, rooms, colour, since\. Got: width"):
        check_names(TABLE, ["height", "width"])
    with pytest.raises(BadInput, match="named once"):
        check_names(TABLE, ["height", "height"])


def test_changes_that_only_pictures_have_are_refused() -> None:
    """The error names the keys."""
    check_changes(NetworkSpec(name="n", architecture="table-mlp"))
    with pytest.raises(BadInput, match=r"not shifted, mirrored or erased in training\. Got: shift = 2, flip = True"):
        check_changes(NetworkSpec(name="n", architecture="table-mlp", shift=2, flip=True))
