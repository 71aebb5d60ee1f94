"""training.modalities.recipe."""

import pytest

from training.modalities.recipe import Recipe


@pytest.mark.parametrize(
    ("rows", "size"), [(10, 32), (1_900, 32), (3_000, 64), (7_700, 128), (15_000, 256), (10**6, 256)]
)
def test_batches_grow_with_the_rows(rows: int, size: int) -> None:
    """About sixty a pass, of a power of two rows."""
    assert Recipe(batch_size=None).batch_size_for(rows) == size
    assert Recipe().batch_size_for(rows) == 32


@pytest.mark.parametrize(
    ("recipe", "rows", "epochs"),
    [
        (Recipe(), 100, None),
        (Recipe(epochs=7), 100, 7),
        (Recipe(steps=100), 320, 10),
        (Recipe(steps=100), 321, 10),
        (Recipe(steps=100), 319, 11),
        (Recipe(steps=100), 10**6, 1),
        (Recipe(steps=4000, many_steps=8000), 32_000, 8),
        (Recipe(steps=4000, many_steps=8000), 16_000, 8),
    ],
)
def test_epochs_follow_from_steps(recipe: Recipe, rows: int, epochs: int | None) -> None:
    """As many passes over the rows as so many batches of 32 take; above 30,000 rows there may be more of them."""
    assert recipe.epochs_for(rows, 32) == epochs
