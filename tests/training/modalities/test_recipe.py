"""training.modalities.recipe."""

import pytest

from training.modalities.recipe import Recipe, combined


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


def test_branches_of_one_network_are_trained_as_long_as_the_longest() -> None:
    """By steps or by epochs, whichever is more on so many rows, at the rate that none of them finds too fast."""
    both = combined([Recipe(steps=4000, batch_size=None, learning_rate=0.002), Recipe(epochs=6, learning_rate=0.02)])
    assert both.learning_rate == 0.002
    assert [both.epochs_for(rows, 64) for rows in (6_400, 640_000)] == [40, 6]
    one = Recipe(epochs=3)
    assert combined([one]) is one
