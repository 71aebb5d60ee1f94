"""Predictions of the Open Inference Protocol, told to a person."""

from collections.abc import Sequence
from typing import Any

Answer = dict[str, Any]


def merged(answers: Sequence[Answer]) -> Answer:
    """Join the answers to several requests, rows one after the other."""
    outputs = [dict(output) for output in answers[0]["outputs"]]
    for answer in answers[1:]:
        for output, more in zip(outputs, answer["outputs"], strict=True):
            output["data"] = [*output["data"], *more["data"]]
            output["shape"] = [output["shape"][0] + more["shape"][0], *output["shape"][1:]]
    return {**answers[0], "outputs": outputs}


def outputs(answer: Answer) -> dict[str, list[Any]]:
    """Take the data of each output by its name, flat."""
    return {output["name"]: output["data"] for output in answer["outputs"]}


def lines(answer: Answer) -> list[str]:
    """Write one line a row: its label, how sure the model is, and its way through the levels.

    An abstaining row has no label, and its group where it gets one.
    """
    found = outputs(answer)
    if "label" not in found:
        return [f"{name}: {data}" for name, data in found.items()]
    labels = found["label"]
    sure = found.get("confidence") or _largest(found.get("probabilities"), len(labels))
    groups = found.get("group") or [""] * len(labels)
    names = [label or _no_label(group) for label, group in zip(labels, groups, strict=True)]
    told = [f"row {i}: {name}" + (f" ({sure[i]:.4f})" if sure else "") for i, name in enumerate(names)]
    if "exit_level" in found and "path" in found:
        ways = zip(told, found["exit_level"], found["path"], strict=True)
        told = [f"{line}, level {level}: {path}" for line, level, path in ways]
    return told


def _no_label(group: str) -> str:
    return f"no label, one of the group {group}" if group else "no label"


def _largest(probabilities: list[float] | None, rows: int) -> list[float]:
    """Take the largest probability of each row."""
    if not probabilities:
        return []
    labels = len(probabilities) // rows
    return [max(probabilities[i * labels : (i + 1) * labels]) for i in range(rows)]
