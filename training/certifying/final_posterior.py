"""The final posterior of a cascade under settled thresholds, on which abstention and prediction sets are certified."""

from collections.abc import Sequence
from dataclasses import dataclass

from training.fitting.calibration import fused_temperature
from training.replay.recording import Recording
from weir.engine.abstention import abstains
from weir.engine.arrays import Labels
from weir.engine.cascade import Threshold
from weir.engine.predictions import Predictions


@dataclass(frozen=True)
class FinalPredictions:
    """A cascade's predictions for some rows, and their correct labels."""

    predictions: Predictions
    labels: Labels
    """`(rows,)`"""

    def counts(self, threshold: float) -> tuple[int, int]:
        """Count the rows that get a label under an abstention threshold, and those that get a wrong one."""
        answered = ~abstains(self.predictions, threshold)
        return int(answered.sum()), int((answered & (self.predictions.label != self.labels)).sum())


class FinalPosterior:
    """A cascade's posterior at the exit, calibrated on validation rows."""

    def __init__(self, thresholds: Sequence[Threshold], validation: Recording) -> None:
        """Fit the fused temperature."""
        self._thresholds = thresholds
        fused = validation.cascade.fused
        self.temperature = fused_temperature(validation.predictions(thresholds), validation.labels, fused)

    def of(self, rows: Recording) -> FinalPredictions:
        """Compute it for other rows."""
        return FinalPredictions(rows.predictions(self._thresholds, self.temperature), rows.labels)
