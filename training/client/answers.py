"""Show the answers of the Open Inference Protocol to a person."""

from collections.abc import Sequence
from typing import Any

Answer = dict[str, Any]


def merged(answers: Sequence[Answer]) -> Answer:
    """Join the answers to several requests into one, rows in order."""
    outputs = [dict(output) for output in answers[0]["outputs"]]
    for answer in answers[1:]:
        for output, more in zip(outputs, answer["outputs"], strict=True):
            output["data"] = [*output["data"], *more["data"]]
            output["shape"] = [output["shape"][0] + more["shape"][0], *output["shape"][1:]]
    return {**answers[0], "outputs": outputs}


def outputs(answer: Answer) -> dict[str, list[Any]]:
    """Return the flat data of each output, by name."""
    return {output["name"]: output["data"] for output in answer["outputs"]}


def lines(answer: Answer) -> list[str]:
    """Write one line per row: its label, the confidence, the exit level and the path through the levels.

    A row that abstains has no label; its line names its group, if it has one.
    """
    columns = outputs(answer)
    if "label" not in columns:
        return [f"{name}: {data}" for name, data in columns.items()]
    labels = columns["label"]
    confidence = columns.get("confidence") or _largest(columns.get("probabilities"), len(labels))
    groups = columns.get("group") or [""] * len(labels)
    names = [label or _without_label(group) for label, group in zip(labels, groups, strict=True)]
    rows = [f"row {i}: {name}" + (f" ({confidence[i]:.4f})" if confidence else "") for i, name in enumerate(names)]
    if "exit_level" in columns and "path" in columns:
        exits = zip(rows, columns["exit_level"], columns["path"], strict=True)
        rows = [f"{row}, level {level}: {path}" for row, level, path in exits]
    return rows


def _without_label(group: str) -> str:
    return f"no label, one of the group {group}" if group else "no label"


def _largest(probabilities: list[float] | None, rows: int) -> list[float]:
    """Return the largest probability of each row; nothing when the answer has no probabilities."""
    if not probabilities:
        return []
    labels = len(probabilities) // rows
    return [max(probabilities[i * labels : (i + 1) * labels]) for i in range(rows)]
