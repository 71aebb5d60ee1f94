"""Answer files uploaded to `batches/in/`: S3 notifies SQS, and SQS calls this function, one message a file."""

import os
from typing import Any
from urllib.parse import unquote_plus

import msgspec
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from weir.batch import answering
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
    """Answer every object that one S3 notification names; S3's test event names none."""
    for notice in msgspec.json.decode(record.body).get("Records", []):
        key = unquote_plus(notice["s3"]["object"]["key"])
        summary = answering.answer_notice(registry, key)
        log = logger().error if summary.error else logger().info
        log("answered a file", extra={"key": key, "rows": summary.rows, "error": summary.error})
        metrics.add("Predictions", summary.answered)
        metrics.add("BadRows", summary.bad_rows)


def handler(event: dict[str, Any], context: LambdaContext) -> Any:  # noqa: ANN401 (Powertools' own type)
    """Process the messages of one SQS batch; only those that failed are delivered again."""
    with metrics:
        metrics.add("Messages", len(event["Records"]))
        return process_partial_response(
            event=event, record_handler=answer_message, processor=processor, context=context
        )
