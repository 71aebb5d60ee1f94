"""What each request counts: the metrics of its response, and of the work of each level."""

from http import HTTPStatus

from weir.api.inference import Inference
from weir.observability import metrics


def count_response(status: int, *, is_cold: bool) -> None:
    """Count a response: whether it is the first of its process, an error (400 and more), or a fault (500 and more)."""
    metrics.add("ColdStart", int(is_cold))
    metrics.add("Errors", int(status >= HTTPStatus.BAD_REQUEST))
    metrics.add("Faults", int(status >= HTTPStatus.INTERNAL_SERVER_ERROR))


def count_inference(inference: Inference) -> None:
    """Count the predictions of a request, and the rows and the time of each level."""
    metrics.add("Predictions", inference.rows)
    for number, use in enumerate(inference.uses):
        metrics.add(f"Level{number}Rows", use.rows)
        metrics.add(f"Level{number}Time", use.time_us, "Microseconds")
    metrics.add("Escalations", inference.escalations)
    if inference.full_texts:
        metrics.add("CutTexts", inference.full_texts)
