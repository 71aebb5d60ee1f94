"""Answer files uploaded to `batches/in/`: S3 notifies SQS, and SQS calls this function, one message a file."""

import os
from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from weir.batch import answering, notices
from weir.observability import logger, metrics
from weir.runtime.registry import Registry
from weir.settings import Settings

registry = Registry.from_settings(Settings.from_environment(os.environ))
processor = BatchProcessor(
    event_type=EventType.SQS,
    raise_on_entire_batch_failure=False,
    logger=logger(),  # type: ignore[arg-type]  # Powertools documents its own Logger here
)


def answer_message(record: SQSRecord) -> None:
    """Answer every object that one message names."""
    answer_objects(notices.decode(record.body))


def answer_objects(found: Sequence[notices.S3Object]) -> None:
    """Answer every object, and log each; then raise the error of the first that failed."""
    if not found:
        logger().info("skipped s3:TestEvent, which names no file")
    failures = [error for error in map(_failure, found) if error]
    if failures:
        raise failures[0]


def _failure(found: notices.S3Object) -> Exception | None:
    place = {"bucket": found.bucket, "key": found.key}
    if found.key.endswith("/"):
        logger().info("skipped a key that ends in a slash: a folder", extra=place)
        return None
    try:
        summary = answering.answer_object(registry, found.bucket, found.key, found.sequencer)
    except Exception as error:  # noqa: BLE001 (whatever it is, it is raised once the other objects are answered)
        logger().exception("answering a file failed", extra={**place, "error": str(error)})
        return error
    if summary is None:
        logger().info("skipped a notice that came again: its file was answered before", extra=place)
        return None
    if summary.error:
        logger().error("a file has no answers", extra={**place, "rows": summary.rows, "error": summary.error})
    else:
        logger().info("answered a file", extra={**place, "rows": summary.rows})
    metrics.add("Predictions", summary.answered)
    metrics.add("BadRows", summary.bad_rows)
    return None


def handler(event: Any, context: LambdaContext) -> Any:  # noqa: ANN401 (any JSON; Powertools' own type)
    """Process the messages of one SQS batch, or a notice by itself, whose failure Lambda sends to a destination.

    Of the messages only those that failed are delivered again.
    """
    with metrics:
        match event:
            case {"Records": [{"messageId": _, "body": _}, *_] as messages} if all(
                "messageId" in one for one in messages
            ):
                metrics.add("Messages", len(messages))
                return process_partial_response(
                    event=event, record_handler=answer_message, processor=processor, context=context
                )
            case _:
                answer_objects(notices.objects(event))
                return None
