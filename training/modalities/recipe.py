"""How networks of an architecture are trained unless their task says otherwise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from training.task import BestBy, Decays


@dataclass(frozen=True)
class Recipe:
    """Settings of a training; a value in the task takes the place of the one here.

    An epoch is one pass over the training rows. `steps` (batches) takes the place of `epochs` where the number of
    passes should fall as rows grow: `epochs = ceil(steps * batch_size / rows)`. With both it is the more of them; with
    neither, the task states the epochs.
    """

    epochs: int | None = None
    steps: int | None = None
    many_steps: int | None = None
    """steps on more than 30,000 rows; None: as many as on fewer"""
    batch_size: int | None = 32
    """None: `2 ** round(log2(rows / 60))`, within 32 and 256"""
    learning_rate: float = 0.002
    """at its highest; it falls to nothing along a cosine"""
    warm_up: float = 0.0
    """share of the steps in which the learning rate rises to its highest, linearly"""
    patience: int | None = 10
    """epochs without a better validation loss after which training stops; None: it runs all epochs"""
    weight_decay: float = 0.0
    """decoupled weight decay of AdamW, per unit of learning rate"""
    decays: Decays = "kernels"
    """what decays: matrices and kernels alone, so neither biases nor normalisation nor scales; or everything"""
    beta_2: float = 0.999
    """of AdamW"""
    label_smoothing: float = 0.0
    """share of each target's probability that is spread over all labels (Szegedy et al. 2016, arXiv 1512.00567)"""
    average: float | None = None
    """decay, per step, of the moving average of the weights that validation and the result use; None: no average"""
    best_by: BestBy = "loss"
    """which epoch is kept: that of the lowest calibrated validation loss, or of the highest validation accuracy and
    then of the lowest loss"""
    steps_per_execution: int = 1
    """steps that TensorFlow takes in one call; more where a step is so short that calls take much of the time"""
    balance: bool = True
    """weigh the training rows by their label where labels are uneven, unless the task says otherwise"""

    def batch_size_for(self, rows: int) -> int:
        """Choose the rows of a batch for so many training rows."""
        if self.batch_size is not None:
            return self.batch_size
        return int(min(max(2 ** round(math.log2(rows / 60)), _LEAST_BATCH), _LARGEST_BATCH))

    def epochs_for(self, rows: int, batch_size: int) -> int | None:
        """Choose the passes over so many training rows; None: the task states them."""
        if self.steps is None:
            return self.epochs
        steps = self.many_steps if self.many_steps and rows > _MANY_ROWS else self.steps
        return max(math.ceil(steps * batch_size / rows), self.epochs or 1)


_LEAST_BATCH, _LARGEST_BATCH = 32, 256
_MANY_ROWS = 30_000


def combined(recipes: Sequence[Recipe]) -> Recipe:
    """Combine the recipes of the branches of one network: the slower rate, the longer training, the best epoch.

    Each branch alone would be trained with its own. Together they are trained as long as the longest, at the rate that
    none of them finds too fast; the epoch with the lowest validation loss is kept.
    """
    if len(recipes) == 1:
        return recipes[0]
    steps = [one.steps for one in recipes if one.steps is not None]
    epochs = [one.epochs for one in recipes if one.epochs is not None]
    sizes = [one.batch_size for one in recipes if one.batch_size is not None]
    return Recipe(
        epochs=max(epochs, default=None),
        steps=max(steps, default=None),
        batch_size=max(sizes, default=None),
        learning_rate=min(one.learning_rate for one in recipes),
        warm_up=max(one.warm_up for one in recipes),
        weight_decay=min(one.weight_decay for one in recipes),
        label_smoothing=min(one.label_smoothing for one in recipes),
        balance=any(one.balance for one in recipes),
    )
