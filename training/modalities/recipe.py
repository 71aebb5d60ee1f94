"""How networks of an architecture are trained unless their task says otherwise."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Settings of a training; a value in the task takes the place of the one here.

    An epoch is one pass over the training rows. `steps` (batches) takes the place of `epochs` where the number of
    passes should fall as rows grow: `epochs = ceil(steps * batch_size / rows)`.
    """

    epochs: int | None = None
    steps: int | None = None
    batch_size: int | None = 32
    """None: `2 ** round(log2(rows / 60))`, within 32 and 256"""
    learning_rate: float = 0.002
    """at its highest; it falls to nothing along a cosine"""
    warm_up: float = 0.0
    """share of the steps in which the learning rate rises to its highest, linearly"""
    patience: int | None = 10
    """epochs without a better validation loss after which training stops; None: it runs all epochs"""
    weight_decay: float = 0.0
    """decoupled weight decay of AdamW, per unit of learning rate; of matrices and kernels alone: neither biases nor
    normalisation nor scales decay"""
    beta_2: float = 0.999
    """of AdamW"""
    label_smoothing: float = 0.0
    """share of each target's probability that is spread over all labels (Szegedy et al. 2016, arXiv 1512.00567)"""
    average: float | None = None
    """decay, per step, of the moving average of the weights that validation and the result use; None: no average"""
