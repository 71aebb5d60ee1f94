"""Messages that the local queue delivers no more."""

from typing import TYPE_CHECKING

from tests.integration.local.processes import eventually

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def dead_letter(sqs: "SQSClient") -> str:
    """Wait until a message has failed as often as its queue allows, and return its body."""
    url = sqs.get_queue_url(QueueName="weir-dead-letters")["QueueUrl"]
    bodies: list[str] = []

    def arrived() -> bool:
        messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", [])
        bodies.extend(message["Body"] for message in messages)
        return bool(bodies)

    assert eventually(arrived, timeout_s=60), "no dead letter after 60 seconds"
    return bodies[0]
