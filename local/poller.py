"""What Lambda does between a queue and a function: take messages, call, delete those that succeeded."""

import threading
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.events import ACCOUNT
from local.function import Function, FunctionError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_WAIT_S = 1
_AGAIN_S = 1
"""seconds until a failed message is delivered again; on AWS, the queue's visibility timeout"""
_GRACE_S = 3
"""seconds that the messages being answered have when the poller ends"""


class Poller:
    """Call a function with the messages of a queue, until closed."""

    def __init__(self, sqs: "SQSClient", queue: str, function: Function, batch_size: int) -> None:
        """Begin."""
        self._sqs, self._queue, self._function, self._batch_size = sqs, queue, function, batch_size
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="queue", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; messages that are being answered have a few seconds to end, then their function ends."""
        self._closing.set()
        self._thread.join(_GRACE_S)
        self._function.close()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._poll()
            except (BotoCoreError, ClientError):
                self._closing.wait(_AGAIN_S)

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
                    QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=_AGAIN_S
                )
            else:
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

    def _failed(self, messages: list["MessageTypeDef"]) -> set[str]:
        everything = {message["MessageId"] for message in messages}
        try:
            answer = self._function.invoke({"Records": [_record(message) for message in messages]})
        except FunctionError:
            return everything
        return failures(answer, everything)


def failures(answer: Any, everything: set[str]) -> set[str]:  # noqa: ANN401 (whatever a function answers)
    """Name the messages that come again: those that the function names, and all when it names one that it did not get.

    Nothing, or no `batchItemFailures`, is success.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    try:
        failed = {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures") or []}
    except (AttributeError, KeyError, TypeError):
        return everything
    return everything if failed - everything else failed


def _record(message: "MessageTypeDef") -> dict[str, object]:
    """Lay a message out as Lambda does."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:{ACCOUNT}:weir-batches",
        "awsRegion": "us-east-1",
    }
