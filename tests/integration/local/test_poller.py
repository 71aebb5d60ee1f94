"""local.poller: a real queue and a real process."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.aws import Aws
from local.function import Function
from local.poller import Poller
from local.template import FunctionSpec, QueueSource
from tests.integration.local.dead_letters import dead_letter
from tests.integration.local.processes import eventually

HANDLER = """
import pathlib
def handler(event, context):
    with pathlib.Path(__file__).with_name("got").open("a") as got:
        got.writelines(record["body"] + "\\n" for record in event["Records"])
    if any(record["body"] == "raise" for record in event["Records"]):
        raise ValueError("all of them")
    bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": name} for name in bad]}
"""


@pytest.fixture
def aws() -> Iterator[Aws]:
    """A queue that delivers a message at most twice."""
    aws = Aws("127.0.0.1", QueueSource("F", 10, "batches/in/", 2))
    aws.sqs.purge_queue(QueueUrl=aws.queue)  # S3 has sent its test event
    yield aws
    aws.close()


@pytest.fixture
def function(tmp_path: Path) -> Iterator[Function]:
    """A function that writes its messages down, and fails for those named so."""
    (tmp_path / "app.py").write_text(HANDLER)
    function = Function(FunctionSpec("F", tmp_path, "app.handler", 10, 128, {}), {}, tmp_path / "log")
    yield function
    function.close()


@pytest.mark.parametrize(
    ("bodies", "dead", "got"),
    [(["good", "bad"], "bad", ["bad", "bad", "good"]), (["raise"], "raise", ["raise", "raise"])],
    ids=["one of two", "all"],
)
def test_only_failed_messages_are_delivered_again(
    aws: Aws, function: Function, tmp_path: Path, bodies: list[str], dead: str, got: list[str]
) -> None:
    """They are delivered as often as the queue allows, then they are dead letters."""
    for body in bodies:
        aws.sqs.send_message(QueueUrl=aws.queue, MessageBody=body)
    poller = Poller(aws.sqs, aws.queue, function, 10)
    letter = dead_letter(aws.sqs)
    poller.close()
    assert letter == dead
    assert sorted((tmp_path / "got").read_text().split()) == got


def test_polling_goes_on_after_a_failure(aws: Aws, function: Function, tmp_path: Path) -> None:
    """A queue that failed is polled again."""
    aws.sqs.delete_queue(QueueUrl=aws.queue)
    poller = Poller(aws.sqs, aws.queue, function, 10)
    time.sleep(0.5)  # long enough for one poll to fail
    aws.sqs.create_queue(QueueName="weir-batches")
    aws.sqs.send_message(QueueUrl=aws.queue, MessageBody="good")
    eventually((tmp_path / "got").exists, timeout_s=60)
    poller.close()
    assert (tmp_path / "got").read_text() == "good\n"
