"""Rows that are nearly equal, which belong in one split: a network that saw one has seen the other.

Each kind of input has a rule, and a few keys a row. Rows are sorted by each key, and compared with the next few: time
grows as n log n (a sorted neighbourhood: Hernández & Stolfo 1995).
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from training.data.rows import Rows, by_chunk, of_input
from training.data.splits.near_pictures import picture_keys
from training.data.splits.near_texts import text_keys
from weir.catalog.columns import Category, Date, width
from weir.catalog.inputs import Input, Picture, Table, Tensor, Text

Keys = NDArray[np.uint64]
Same = Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.bool_]]
"""numbers of rows, twice `(n,)` -> whether the two of each pair are nearly equal"""

_NEXT = 3
"""rows behind a row, in the order of a key, that it is compared with"""
_DIGITS = 4
"""significant digits of a number in a table in which nearly equal rows agree"""
_MOST = 0.1
"""share of all rows in one cluster, or of a table in any, above which the rule is too coarse for the data"""


def clusters(rows: Rows, inputs: tuple[Input, ...]) -> NDArray[np.int64]:
    """Number the clusters of nearly equal rows; -1 for a row that is in none.

    Pictures: dHashes of 64 bits differ in at most 3, and pixels by at most 2 % of their range, on average. Texts: equal
    but for case, digits, blanks and punctuation, or MinHashes of 32 agree in 26 (a Jaccard similarity of 0.8) over runs
    of 8 letters. Tables: numbers agree in 4 significant digits, categories and dates exactly. Of several inputs, the
    texts and pictures decide if there are any: rows of which one is nearly equal are together. Where a cluster would
    have over a tenth of all rows, or over a tenth of the rows of a table would be in clusters, the rule can't tell rows
    of these data apart, and is left out.
    """
    deciding: list[Input] = [one for one in inputs if isinstance(one, Text | Picture)]
    deciding = deciding or list(inputs)
    pairs = [_linked(*_rule(one, of_input(rows, one.name)), _MOST * len(rows)) for one in deciding]
    links = np.concatenate(pairs, axis=1)
    graph = coo_matrix((np.ones(links.shape[1], np.int8), (links[0], links[1])), shape=(len(rows), len(rows)))
    _, component = connected_components(graph, directed=False)
    sizes = np.bincount(component)
    numbers: NDArray[np.int64] = np.where(sizes[component] > 1, component, -1).astype(np.int64)
    return numbers


def _rule(one: Input, rows: Rows) -> tuple[list[Keys], Same]:
    match one:
        case Picture():
            return picture_keys(rows, one)
        case Text():
            return text_keys(rows)
        case Table() | Tensor():
            key = by_chunk(lambda chunk: _rounded(chunk, one), rows)
            counts = np.unique(key, return_inverse=True, return_counts=True)
            shared = counts[2][counts[1]] > 1
            coarse = shared.mean() > _MOST
            return [key], lambda first, second: (key[first] == key[second]) & (not coarse)


def _linked(keys: list[Keys], same: Same, most: float) -> NDArray[np.intp]:
    """Return the pairs `(2, n)` of rows that are nearly equal; none if they would make a cluster of over `most`."""
    found = [np.empty((2, 0), np.intp), *(pair for key in keys for pair in _pairs(key, same))]
    links = np.concatenate(found, axis=1)
    count = len(keys[0])
    graph = coo_matrix((np.ones(links.shape[1], np.int8), (links[0], links[1])), shape=(count, count))
    largest = np.bincount(connected_components(graph, directed=False)[1]).max()
    linked: NDArray[np.intp] = links if largest <= max(most, 2) else links[:, :0]
    return linked


def _pairs(key: Keys, same: Same) -> Iterator[NDArray[np.intp]]:
    order = np.argsort(key, kind="stable")
    for step in range(1, _NEXT + 1):
        first, second = order[:-step], order[step:]
        yes = same(first, second)
        yield np.stack([first[yes], second[yes]])


def _rounded(rows: NDArray[np.generic], one: Table | Tensor) -> Keys:
    """Hash rows of a table, whose numbers are rounded."""
    values = rows.reshape(len(rows), -1).astype(np.float64)
    exact = (
        np.array([isinstance(column, Category | Date) for column in one.columns for _ in range(width(column))])
        if isinstance(one, Table)
        else np.zeros(values.shape[1], bool)
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # zero has no digits; it and NaN stay as they are
        scale = 10.0 ** (_DIGITS - 1 - np.floor(np.log10(np.abs(values))))
        rounded = np.where(exact | ~np.isfinite(scale), values, np.rint(values * scale) / scale)
    bits = np.nan_to_num(rounded, nan=-1.2345e30).astype(np.float32).view(np.uint32).astype(np.uint64)
    factors = np.random.default_rng(0).integers(1, 2**63, bits.shape[1], dtype=np.uint64) | np.uint64(1)
    key: Keys = (bits * factors).sum(axis=1, dtype=np.uint64)
    return key


def merged(groups: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join groups and clusters `(rows,)` that have a row in common; -1 for a row that is in neither."""
    count = len(groups)
    nodes = [np.flatnonzero(groups >= 0), np.flatnonzero(others >= 0)]
    first = np.concatenate(nodes)
    offset = count + int(groups.max(initial=-1)) + 1
    second = np.concatenate([count + groups[nodes[0]], offset + others[nodes[1]]])
    total = offset + int(others.max(initial=-1)) + 1
    graph = coo_matrix((np.ones(len(first), np.int8), (first, second)), shape=(total, total))
    component = connected_components(graph, directed=False)[1][:count]
    joined: NDArray[np.int64] = np.where((groups >= 0) | (others >= 0), component, -1).astype(np.int64)
    return joined
