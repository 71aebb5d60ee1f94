"""How networks of pictures are trained unless their task says otherwise."""

from dataclasses import replace

from training.modalities.recipe import Recipe

CLASSIC = Recipe(decays="everything", balance=False)
"""the task states the epochs"""

DEEP = Recipe(
    epochs=24,
    batch_size=64,
    warm_up=0.05,
    patience=None,
    weight_decay=0.05,
    label_smoothing=0.1,
    average=0.99,
)
SHORT = replace(DEEP, epochs=28)
"""of networks whose epochs take so little time that further ones are worth it"""

FINE_TUNED = replace(DEEP, epochs=12, batch_size=32, learning_rate=0.0005)
"""small steps, so that what a backbone has learned elsewhere is not lost"""
FROZEN = replace(FINE_TUNED, learning_rate=0.002)
"""only the layer behind a backbone learns"""
