"""training.client.batch_client, over an S3 that is reached by HTTP."""

from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.training.quick import weir
from training.client.batch_client import show, upload_and_wait
from training.publishing.stores import open_store
from weir.batch.answering import Summary
from weir.catalog.keys import batch_key
from weir.catalog.mounts import END_TO_END
from weir.errors import BadInput, Unavailable

KEY = batch_key("thirds", "a.csv", END_TO_END)
CREATED = ["s3:ObjectCreated:*"]


def _notify(bucket: str, endpoint: str, *, events: list[str] = CREATED, **limits: str) -> None:
    """Let a bucket notify a queue of the keys that begin and end with something."""
    sqs, s3 = boto3.client("sqs", endpoint_url=endpoint), boto3.client("s3", endpoint_url=endpoint)
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rules = [{"Name": name, "Value": value} for name, value in limits.items()]
    configuration: Any = {"QueueArn": arn, "Events": events}
    if rules:
        configuration["Filter"] = {"Key": {"FilterRules": rules}}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [configuration]}
    )


@pytest.mark.parametrize("prefix", ["", "/pre/fix"])
@pytest.mark.parametrize(
    ("events", "limits", "expected"),
    [
        (CREATED, {"prefix": "{}batches/in/"}, True),
        (["s3:ObjectCreated:Put"], {"prefix": "{}batches/in/", "suffix": ".csv"}, True),
        (CREATED, {}, True),
        (CREATED, {"prefix": "elsewhere/"}, False),
        (CREATED, {"suffix": ".npy"}, False),
        (["s3:ObjectRemoved:*"], {"prefix": "{}batches/in/"}, False),
    ],
)
def test_a_file_is_uploaded_only_where_someone_is_notified(
    bucket: str, s3_endpoint: str, prefix: str, events: list[str], limits: dict[str, str], expected: bool
) -> None:
    """Elsewhere nobody would answer it: the error comes at once, and the store is as it was."""
    _notify(
        bucket,
        s3_endpoint,
        events=events,
        **{name: text.format(f"{prefix}/".lstrip("/")) for name, text in limits.items()},
    )
    store = open_store(f"s3://{bucket}{prefix}", s3_endpoint)
    with pytest.raises(Unavailable if expected else BadInput, match="did not answer" if expected else "notifies"):
        upload_and_wait(store, KEY, b"1", timeout_s=1, on_wait=lambda *_: None)
    assert (store.read(KEY.source) is not None) == expected


@pytest.mark.parametrize(("prefix", "expected"), [("", True), ("/pre/fix", False)])
def test_a_bucket_that_does_not_tell_is_taken_for_a_stacks(
    bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, prefix: str, expected: bool
) -> None:
    """Whoever may upload need not have the permission to read the bucket's notifications."""
    store: Any = open_store(f"s3://{bucket}{prefix}", s3_endpoint)
    error = store._s3.exceptions.ClientError({"Error": {"Code": "AccessDenied"}}, "GetBucketNotificationConfiguration")
    monkeypatch.setattr(store._s3, "get_bucket_notification_configuration", lambda **_: (_ for _ in ()).throw(error))
    assert store.notifies(KEY.source) is expected


@pytest.mark.parametrize("prefix", ["", "/pre/fix"])
def test_weir_batch_says_at_once_that_nobody_is_notified(
    bucket: str, s3_endpoint: str, tmp_path: Path, prefix: str
) -> None:
    """It is one line, and the exit code of bad input."""
    (tmp_path / "a.csv").write_text("1")
    store = ["--store", f"s3://{bucket}{prefix}", "--store-endpoint", s3_endpoint]
    done = weir("batch", "thirds", tmp_path / "a.csv", "--timeout", "5", *store)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"at its root. Got: s3://{bucket}{prefix}" in done.stderr


def _summary(*, answered: int = 0, **fields: Any) -> Summary:  # noqa: ANN401 (fields of several types)
    return Summary(model="thirds", file="a.csv", cascade=False, rows=answered, answered=answered, bad_rows=0, **fields)


def test_an_unanswered_file_is_told_with_the_reason() -> None:
    """A failure that is not the file's is tried again."""
    told = "batches/in/thirds/a.csv was not answered: why"
    assert show(_summary(error="why"), KEY, as_json=False) == told
    assert (
        show(_summary(error="why", failed=True), KEY, as_json=False) == f"{told}; it is tried again, three times in all"
    )


def test_a_header_is_told() -> None:
    """Nobody wonders about a row that is missing."""
    assert "header:" in show(_summary(answered=1, header=True), KEY, as_json=False)
    assert "header:" not in show(_summary(answered=1), KEY, as_json=False)
