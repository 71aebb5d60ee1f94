"""The results of an evaluation, in the shape of `weir evaluate --json`."""

import msgspec


class NetworkResult(msgspec.Struct, frozen=True, kw_only=True):
    """One network alone, on every test row: the end-to-end model, or a level."""

    accuracy: float
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


class CascadeResult(msgspec.Struct, frozen=True, kw_only=True):
    """The cascade, on every test row."""

    accuracy: float
    latency_us: float
    regret: float
    """share of test rows where the cascade is wrong and the end-to-end model is correct"""
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
