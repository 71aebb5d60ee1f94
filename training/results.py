"""What an evaluation found, in the shape of `weir evaluate --json`."""

import msgspec


class NetworkResult(msgspec.Struct, frozen=True, kw_only=True):
    """The end-to-end model, alone on every test row."""

    accuracy: float
    float_accuracy: float
    """of the float32 model that it was quantized from"""
    size_bytes: int
    latency_us: float
    """microseconds per row"""
    quantization: str


class LevelResult(NetworkResult, frozen=True, kw_only=True):
    """One level, alone on every test row, and the share of rows that it answers in the cascade."""

    name: str
    share: float


class CascadeResult(msgspec.Struct, frozen=True, kw_only=True):
    """The levels in turn."""

    accuracy: float
    latency_us: float
    regret: float
    """share of test rows where the cascade is wrong and the end-to-end model right"""


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What `weir evaluate --json` prints."""

    end_to_end: NetworkResult
    levels: tuple[LevelResult, ...]
    cascade: CascadeResult
    promise: str = ""
    """what the thresholds promise, in words"""
