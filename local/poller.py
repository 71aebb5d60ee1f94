"""Poll a queue as Lambda does: receive messages, invoke the function, delete the messages that succeeded."""

import threading
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.events import ACCOUNT, REGION
from local.function import Function, FunctionError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_WAIT_S = 1
_RETRY_S = 1
"""seconds until a failed message is delivered again; on AWS, the queue's visibility timeout"""
_GRACE_S = 3
"""seconds in which running invocations may end when the poller closes"""


class Poller:
    """Invoke a function with the messages of a queue, until closed."""

    def __init__(self, sqs: "SQSClient", queue: str, function: Function, batch_size: int) -> None:
        """Start polling."""
        self._sqs, self._queue, self._function, self._batch_size = sqs, queue, function, batch_size
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="queue", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; running invocations may end within a few seconds, then the function is stopped."""
        self._closing.set()
        self._thread.join(_GRACE_S)
        self._function.close()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._poll()
            except (BotoCoreError, ClientError):
                self._closing.wait(_RETRY_S)

    def _poll(self) -> None:
        received = self._sqs.receive_message(
            QueueUrl=self._queue,
            MaxNumberOfMessages=self._batch_size,
            WaitTimeSeconds=_WAIT_S,
            AttributeNames=["All"],
        )
        messages = received.get("Messages", [])
        if not messages:
            return
        failed = self._failed(messages)
        for message in messages:
            if message["MessageId"] in failed:
                self._sqs.change_message_visibility(
                    QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=_RETRY_S
                )
            else:
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

    def _failed(self, messages: list["MessageTypeDef"]) -> set[str]:
        all_ids = {message["MessageId"] for message in messages}
        try:
            answer = self._function.invoke({"Records": [_record(message) for message in messages]})
        except FunctionError:
            return all_ids
        return failures(answer, all_ids)


def failures(answer: Any, all_ids: set[str]) -> set[str]:  # noqa: ANN401 (any JSON)
    """Return the messages to deliver again: those that the function names.

    No answer, or no `batchItemFailures` in it, is success; a name that the function did not get is failure of all.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    try:
        failed = {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures") or []}
    except (AttributeError, KeyError, TypeError):
        return all_ids
    return all_ids if failed - all_ids else failed


def _record(message: "MessageTypeDef") -> dict[str, object]:
    """Convert a message to a record of Lambda's event."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:weir-batches",
        "awsRegion": REGION,
    }
