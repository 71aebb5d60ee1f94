"""training.levels.grouping."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.levels import grouping
from training.levels.grouping import Shares, cluster, confusion, named, stated
from training.task import Groups
from weir.errors import BadInput

BLOCKS = [(2, 2), (3, 3), (2, 5), (2, 3, 4), (5, 3, 2), (3, 3, 3, 3), (2, 2, 2, 2, 2)]
DEGENERATE = {
    "nothing is confused": np.eye(6),
    "nothing is predicted": np.zeros((6, 6)),
    "one label is always predicted": np.eye(6)[[0] * 6],
    "all predictions are guesses": np.full((6, 6), 1 / 6),
    "all predictions are wrong": (1 - np.eye(6)) / 5,
    "one is never predicted": np.eye(6)[[0, 1, 2, 3, 4, 0]],
    "a circle": np.eye(6)[[1, 2, 3, 4, 5, 0]],
    "one pair only": np.eye(6)[[1, 0, 2, 3, 4, 5]],
}


def _planted(sizes: Sequence[int], seed: int) -> tuple[Shares, tuple[tuple[int, ...], ...]]:
    """Draw 400 rows per label: a fifth are confused within its block, one in fifty with any; blocks are shuffled."""
    random = np.random.default_rng(seed)
    block = random.permutation(np.repeat(range(len(sizes)), sizes))
    together = (block[:, None] == block) & ~np.eye(len(block), dtype=bool)
    chance = 0.78 * np.eye(len(block)) + 0.2 * together / together.sum(axis=1, keepdims=True) + 0.02 / len(block)
    shares = np.array([random.multinomial(400, row / row.sum()) for row in chance]) / 400
    return shares, tuple(sorted(tuple(np.flatnonzero(block == one).tolist()) for one in range(len(sizes))))


@st.composite
def _confusions(draw: st.DrawFn) -> Shares:
    """Draw any counts of 3 to 12 labels: many zeros, labels without rows, labels never predicted."""
    labels = draw(st.integers(3, 12))
    cells = st.lists(st.sampled_from([0, 0, 0, 1, 2, 50]), min_size=labels**2, max_size=labels**2)
    rows = np.array(draw(cells), np.float64).reshape(labels, labels)
    shares: Shares = rows / np.maximum(rows.sum(axis=1, keepdims=True), 1)
    return shares


def test_a_confusion_matrix_has_the_shares_of_each_prediction() -> None:
    """Each row belongs to a label, and adds up to 1; that of a label without rows is zero."""
    predicted, labels = np.array([0, 1, 1, 1, 2, 0]), np.array([0, 0, 1, 1, 1, 1])
    expected = np.array([[1 / 2, 1 / 2, 0], [1 / 4, 1 / 2, 1 / 4], [0, 0, 0]])
    np.testing.assert_allclose(confusion(predicted, labels, 3), expected)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sizes", BLOCKS, ids=str)
def test_planted_groups_are_cluster(sizes: Sequence[int], seed: int) -> None:
    """Their number, sizes and order do not matter, nor the noise of few rows; the eigengap finds their number."""
    shares, planted = _planted(sizes, seed)
    assert cluster(shares, len(sizes)) == planted
    assert cluster(shares, None) == planted


def test_tops_and_shoes_are_cluster() -> None:
    """A network that confuses clothes has two groups; a label that it confuses with none joins one, and splits none."""
    shares = 0.85 * np.eye(10)
    shares[np.ix_([0, 2, 4, 6], [0, 2, 4, 6])] += 0.04
    shares[np.ix_([5, 7, 9], [5, 7, 9])] += 0.02
    shares[3, [0, 4, 6]] = shares[[0, 4, 6], 3] = 0.01
    shares[1, 3] = shares[3, 1] = 0.01
    groups = cluster(shares, None)
    assert any({0, 2, 4, 6} <= set(group) for group in groups)
    assert any({5, 7, 9} <= set(group) for group in groups)
    assert len(groups) == 2


@given(_confusions(), st.data())
def test_every_label_is_in_one_group(shares: Shares, data: st.DataObject) -> None:
    """There are as many groups as given, or 2 to L - 1; they are in order, and a second run gives the same."""
    labels = len(shares)
    count = data.draw(st.none() | st.integers(2, labels - 1))
    groups = cluster(shares, count)
    assert sorted(label for group in groups for label in group) == list(range(labels))
    assert len(groups) == count if count else 2 <= len(groups) < labels
    assert list(groups) == sorted(tuple(sorted(group)) for group in groups)
    assert groups == cluster(shares, count)


@pytest.mark.parametrize("count", [None, 2, 3, 4, 5])
@pytest.mark.parametrize("shares", DEGENERATE.values(), ids=DEGENERATE)
def test_degenerate_matrices_still_give_groups(shares: Shares, count: int | None) -> None:
    """A matrix without confusion, or with a label never predicted or always, gives groups without a warning."""
    groups = cluster(shares, count)
    assert sorted(label for group in groups for label in group) == list(range(6))
    assert len(groups) == count if count else len(groups) >= 2


@pytest.mark.parametrize("labels", [3, 4, 7, 10])
def test_where_nothing_is_confused_groups_are_runs_of_labels(labels: int) -> None:
    """Their order decides, not rounding errors; and the eigengap gives two groups."""
    for count in [None, *range(2, labels)]:
        groups = cluster(np.eye(labels), count)
        assert [label for group in groups for label in group] == list(range(labels))
        assert len(groups) == (count or 2)


def test_labels_that_nothing_tells_apart_stay_together() -> None:
    """Rounding errors do not split two labels that are confused with none between groups."""
    pairs = np.eye(6)[[1, 0, 3, 2, 4, 5]] * 0.1 + np.eye(6) * 0.9
    assert cluster(pairs, 2) == ((0, 1, 4, 5), (2, 3))


@pytest.mark.parametrize("count", [-1, 0, 1, 5, 6])
def test_a_number_of_groups_that_divides_nothing_is_refused(count: int) -> None:
    """One group, a group for each label and a number below 1 are refused."""
    with pytest.raises(BadInput, match=f"5 labels are in 2 to 4 groups. Got: {count}"):
        cluster(np.eye(5), count)


def test_two_labels_have_no_groups() -> None:
    """The only groups would be one, or one for each label, and neither is a division."""
    with pytest.raises(BadInput, match=r"groups are found among at least 3 labels\. Got: 2"):
        cluster(np.eye(2), None)


def test_groups_are_named_after_their_labels() -> None:
    """A name has all labels of up to three; of more labels it has two, and the number of the others."""
    labels = list("abcdefghijk")
    assert named([(0, 2), (1, 3, 4), (5, 6, 7, 8), (9,)], labels) == {
        "a+c": ("a", "c"),
        "b+d+e": ("b", "d", "e"),
        "f+g+2 more": ("f", "g", "h", "i"),
        "j": ("j",),
    }


@given(_confusions())
def test_names_of_groups_differ(shares: Shares) -> None:
    """A label is in one group only, and a name has the first labels of its group."""
    groups, labels = cluster(shares, None), [f"label {number}" for number in range(len(shares))]
    assert len(named(groups, labels)) == len(groups)


def test_labels_that_look_like_joined_ones_lose_no_group() -> None:
    """Two groups that would have one name are refused, not merged."""
    with pytest.raises(BadInput, match="groups get different names from their labels, or the task names them"):
        named([(0, 1), (2,)], ["a", "b", "a+b"])


def test_the_groups_of_a_task_are_taken_as_they_are() -> None:
    """Groups keep their order; the labels of each are in the order of the model's labels."""
    groups = grouping.checked({"shoes": ["boot", "sandal"], "tops": ("shirt",)}, ["shirt", "sandal", "boot"])
    assert list(groups.items()) == [("shoes", ("sandal", "boot")), ("tops", ("shirt",))]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({}, r"labels are divided into at least two groups. Got: \[\]"),
        ({"all": "abc"}, r"labels are divided into at least two groups. Got: \['all'\]"),
        ({"": "a", "x": "bc"}, r"a group has a name and at least one label. Got: \{'': \['a'\]\}"),
        ({" ": "a", "x": "bc"}, r"a group has a name and at least one label. Got: \{' ': \['a'\]\}"),
        ({"x": "abc", "y": ""}, r"a group has a name and at least one label. Got: \{'y': \[\]\}"),
        ({"x": "ab", "y": "cde"}, "labels of groups are among a, b, c. Got: d, e"),
        ({"x": "ab", "y": "bc"}, "every label is in one group. Got: b in 2"),
        ({"x": "aab", "y": "c"}, "every label is in one group. Got: a in 2"),
        ({"x": "a", "y": "b"}, "every label is in one group. Got: c in 0"),
    ],
)
def test_groups_of_a_task_that_do_not_divide_the_labels_are_refused(groups: Mapping[str, str], message: str) -> None:
    """The error states the rule, and what breaks it; each letter is a label."""
    with pytest.raises(BadInput, match=message):
        grouping.checked({name: list(members) for name, members in groups.items()}, ["a", "b", "c"])


FOLDERS = {"wild": ("fox",), "pets": ("dog", "cat")}


@pytest.mark.parametrize(
    ("settings", "folders", "expected"),
    [
        (Groups(generalist="a"), FOLDERS, ({"wild": ("fox",), "pets": ("cat", "dog")}, "those of the folders")),
        (
            Groups(generalist="a", named={"f": ("fox", "dog"), "c": ("cat",)}),
            FOLDERS,
            ({"f": ("dog", "fox"), "c": ("cat",)}, "given"),
        ),
        (Groups(generalist="a", count=2), FOLDERS, ({}, "")),
        (Groups(generalist="a"), {}, ({}, "")),
        (Groups(generalist="a"), {"pets": ("cat", "dog")}, ({}, "no group has the labels fox")),
        (Groups(generalist="a"), {"all": ("cat", "dog", "fox")}, ({}, "all labels are in one, all")),
        (Groups(generalist="a"), {"a": ("cat",), "b": ("dog",), "c": ("fox",)}, ({}, "each has one label")),
    ],
    ids=["folders", "named", "count", "flat folders", "a label outside", "one group", "groups of one label"],
)
def test_groups_are_those_of_nested_folders_unless_the_task_says_otherwise(
    settings: Groups, folders: Mapping[str, Sequence[str]], expected: tuple[Mapping[str, Sequence[str]], str]
) -> None:
    """Folders that do not divide the labels leave groups to be found, and the reason is told."""
    assert stated(settings, folders, ("cat", "dog", "fox")) == expected
