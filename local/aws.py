"""The AWS services on this machine: moto's S3 and SQS, as a real server over HTTP."""

import json
import logging
from typing import TYPE_CHECKING, Any

import boto3
import requests
from botocore.exceptions import BotoCoreError
from moto.server import ThreadedMotoServer

from local.events import REGION
from local.template import QueueSource
from weir.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

BUCKET = "weir-store"

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}
"""variables of a client of these services; any credentials will do"""


class Aws:
    """A bucket that notifies a queue of new files; one at a time in a process, for moto keeps its state by process."""

    def __init__(self, host: str, source: QueueSource) -> None:
        """Start moto, and make the bucket, the queue and its dead-letter queue.

        Raises:
            Unavailable: boto3 makes no clients, as when AWS_PROFILE names a profile that does not exist.
        """
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address=host, port=0, verbose=False)
        self._server.start()
        _, port = self._server.get_host_and_port()
        self.endpoint = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104 (compared, not bound)
        requests.post(f"{self.endpoint}/moto-api/reset", timeout=10)  # moto keeps its state for the whole process
        try:
            self.sqs: SQSClient = self._client("sqs")
            self.queue = self._queues(source)
            self._bucket(source)
        except BotoCoreError as exc:
            self._server.stop()
            raise Unavailable("boto3 could not make clients for the local S3 and SQS", exc) from exc

    def close(self) -> None:
        """Stop moto; its bucket and queues are gone."""
        self.sqs.close()
        self._server.stop()

    def _client(self, service: str) -> Any:  # noqa: ANN401 (boto3 makes its clients at run time)
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=ENVIRONMENT["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
        )

    def _queues(self, source: QueueSource) -> str:
        dead = self.sqs.create_queue(QueueName="weir-dead-letters")["QueueUrl"]
        arn = self._arn(dead)
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": source.max_receives})
        return self.sqs.create_queue(QueueName="weir-batches", Attributes={"RedrivePolicy": redrive})["QueueUrl"]

    def _arn(self, queue: str) -> str:
        return self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def _bucket(self, source: QueueSource) -> None:
        s3 = self._client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_notification_configuration(
            Bucket=BUCKET,
            NotificationConfiguration={
                "QueueConfigurations": [
                    {
                        "QueueArn": self._arn(self.queue),
                        "Events": ["s3:ObjectCreated:*"],
                        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": source.prefix}]}},
                    }
                ]
            },
        )
        s3.close()
