"""The results of an evaluation, in the shape of `weir evaluate --json`."""

import msgspec


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """How well labels and probabilities fit.

    Where labels have unequal numbers of rows, accuracy alone hides the rare ones. Summaries that were written without
    it lack all else.
    """

    accuracy: float
    balanced_accuracy: float | None = None
    """mean recall of the labels"""
    recalls: dict[str, float] = {}
    """label -> share of its rows that get it, 0 to 1"""
    precisions: dict[str, float] = {}
    """label -> share of the rows that get it which have it, 0 to 1; labels that no row gets are left out"""
    log_loss: float | None = None
    """mean negative log-likelihood of the labels, in nats; of a cascade, of the posterior at the exit of each row"""
    auc: float | None = None
    """area under the ROC curve of the second of two labels, 0 to 1"""

    @property
    def lowest_recall(self) -> tuple[str, float]:
        """The label that is found least often, and its recall."""
        return min(self.recalls.items(), key=lambda one: one[1])


class NetworkResult(Accuracy, frozen=True, kw_only=True):
    """One network alone, on every test row: the end-to-end model, or a level."""

    float_accuracy: float
    """of the float32 model that it was quantized from"""
    size_bytes: int
    latency_us: float
    """microseconds per row"""
    quantization: str
    ece: float
    """expected calibration error in 15 bins of its confidence, 0 to 1"""


class LevelResult(NetworkResult, frozen=True, kw_only=True):
    """One level alone, on every test row, and its share of answers in the cascade.

    Experts answer after the levels before them; their size and time are those of their own networks.
    """

    name: str
    share: float
    """of rows that it answers in the cascade, 0 to 1"""


class CascadeResult(Accuracy, frozen=True, kw_only=True):
    """The cascade, on every test row."""

    latency_us: float
    regret: float
    """share of test rows where the cascade is wrong and the end-to-end model is correct"""
    regrets: dict[str, float] = {}
    """label -> share of its test rows that are lost so"""
    ece: float
    """expected calibration error of the cascade's final posterior, 0 to 1"""
    ece_before: float
    """the same without any temperature"""
    ece_floor: float
    """expected calibration error of a perfectly calibrated predictor with these confidences, on as many rows"""


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What `weir evaluate --json` prints."""

    end_to_end: NetworkResult
    levels: tuple[LevelResult, ...]
    cascade: CascadeResult
    promise: str = ""
    """what the thresholds promise, in words"""
    rows: int | None = None
    """test rows that all this was measured on"""
    label_rows: dict[str, int] = {}
    """label -> how many of them have it"""
