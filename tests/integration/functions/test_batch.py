"""The batch function, with SQS events that carry S3's notifications, over a folder store."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving import artifact, context, load_app, make_manifest, metrics_among_logs, store_version, version_files
from weir.catalog import keys
from weir.catalog.store import Store
from weir.errors import BadBody, ObjectNotFound

pytestmark = pytest.mark.usefixtures("runtime")


def _event(*bodies: object) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"m{i}",
                "receiptHandle": "r",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:q",
                "awsRegion": "us-east-1",
            }
            for i, body in enumerate(bodies)
        ]
    }


def _notice(*names: str, bucket: str = "b") -> dict[str, Any]:
    return {"Records": [{"s3": {"bucket": {"name": bucket}, "object": {"key": name}}} for name in names]}


def _drop(store: Path, path: str) -> None:
    """Upload a file of three rows."""
    file = io.BytesIO()
    np.save(file, np.zeros((3, 4, 4)))
    (store / "batches/in" / path).parent.mkdir(parents=True, exist_ok=True)
    (store / "batches/in" / path).write_bytes(file.getvalue())


def _summary(store: Path, path: str) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((store / "batches/out" / path / "summary.json").read_text())
    return summary


def _failed(answer: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_dropped_files_are_answered(served: Path) -> None:
    """The end-to-end model answers them, or below cascade/ the cascade; keys arrive URL-encoded."""
    _drop(served, "thirds/a day=1/ä.npy")
    _drop(served, "thirds/cascade/b.npy")
    event = _event(_notice("batches/in/thirds/a+day%3D1/%C3%A4.npy"), _notice("batches/in/thirds/cascade/b.npy"))
    assert load_app("batch").handler(event, context()) == {"batchItemFailures": []}
    assert _summary(served, "thirds/a day=1/ä.npy")["answered"] == 3
    assert _summary(served, "thirds/cascade/b.npy")["cascade"] is True


def test_one_message_can_name_several_files(served: Path) -> None:
    """All files of one notification are answered."""
    _drop(served, "thirds/a.npy")
    _drop(served, "thirds/b.npy")
    load_app("batch").handler(_event(_notice("batches/in/thirds/a.npy", "batches/in/thirds/b.npy")), context())
    assert _summary(served, "thirds/a.npy")["rows"] == _summary(served, "thirds/b.npy")["rows"] == 3


def _published(notice: object) -> dict[str, Any]:
    return {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": json.dumps(notice)}


def _subscribed(notice: object) -> dict[str, Any]:
    return {"Records": [{"EventSource": "aws:sns", "Sns": _published(notice)}]}


def _object_created(key: str) -> dict[str, Any]:
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": {"object": {"key": key}}}


TEST = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}


@pytest.mark.parametrize("ignored", [TEST, _published(TEST), _notice("batches/in/thirds/"), _notice("elsewhere/")])
def test_only_s3s_test_event_and_folders_are_skipped(
    served: Path, ignored: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """S3 sends one when the notification is made, and consoles make the others; each is logged, queued or not."""
    app = load_app("batch")
    for event, answer in ((_event(ignored), {"batchItemFailures": []}), (ignored, None)):
        caplog.clear()
        assert app.handler(event, context()) == answer
        (record,) = caplog.records
        assert (record.levelname, record.message.startswith("skipped ")) == ("INFO", True)
    assert not (served / "batches").exists()


@pytest.mark.parametrize(
    "notice",
    [
        _notice("batches/in/thirds/a.npy"),
        _published(_notice("batches/in/thirds/a.npy")),
        _object_created("batches/in/thirds/a.npy"),
        _published(_object_created("batches/in/thirds/a.npy")),
    ],
    ids=["s3", "sns", "eventbridge", "eventbridge in sns"],
)
def test_notices_are_unwrapped(served: Path, notice: dict[str, Any]) -> None:
    """S3 and EventBridge notify a queue, a topic to which a queue is subscribed, or the function itself."""
    app = load_app("batch")
    for event, answer in ((_event(notice), {"batchItemFailures": []}), (notice, None), (_subscribed(notice), None)):
        if event == notice and notice.get("Type"):
            continue  # SNS wraps its envelope in a record
        _drop(served, "thirds/a.npy")
        assert app.handler(event, context()) == answer
        summary = served / "batches/out/thirds/a.npy/summary.json"
        assert json.loads(summary.read_text())["answered"] == 3
        summary.unlink()


@pytest.mark.parametrize(
    "event", [{}, {"key1": "value1"}, [], None, "text", {"Records": []}, {"Records": [{}]}], ids=str
)
def test_an_event_that_names_no_file_fails(served: Path, event: object) -> None:
    """Invoked by itself the function raises, so that Lambda sends the event to the destination of failures."""
    with pytest.raises(BadBody, match=r"a notice of a file is S3's notification or EventBridge's event"):
        load_app("batch").handler(event, context())


def test_a_file_that_fails_without_a_queue_is_raised(served: Path) -> None:
    """The other files of the notice are answered before, and the summary has the reason."""
    _drop(served, "thirds/b.npy")
    with pytest.raises(ObjectNotFound):
        load_app("batch").handler(_notice("batches/in/thirds/gone.npy", "batches/in/thirds/b.npy"), context())
    assert _summary(served, "thirds/b.npy")["answered"] == 3
    assert "the key exists" in _summary(served, "thirds/gone.npy")["error"]


@pytest.mark.parametrize(
    "bad",
    [
        _notice("batches/in/thirds/gone.npy"),
        "no json",
        "[" * 100_000,
        "[]",
        {"Records": [{}]},
        {"Records": []},
        {"key1": "value1"},
        {"Type": "SubscriptionConfirmation", "Message": "Visit the URL", "SubscribeURL": "https://x"},
    ],
    ids=lambda bad: str(bad)[:40],
)
def test_only_a_failing_message_is_delivered_again(served: Path, bad: object, caplog: pytest.LogCaptureFixture) -> None:
    """Its neighbours are answered and not repeated; the log has the reason, which no dead letter carries."""
    _drop(served, "thirds/a.npy")
    answer = load_app("batch").handler(_event(bad, _notice("batches/in/thirds/a.npy")), context())
    assert _failed(answer) == ["m0"]
    assert _summary(served, "thirds/a.npy")["answered"] == 3
    assert "Record processing exception" in caplog.text
    assert "a notice of a file is" in caplog.text or "the key exists in" in caplog.text


def test_a_file_of_a_damaged_model_is_delivered_again(served: Path) -> None:
    """The model may be repaired until then; meanwhile the summary has the reason, and that the file is tried again."""
    (served / keys.artifact("thirds", 1, artifact("large").digest)).write_bytes(b"damaged")
    _drop(served, "thirds/a.npy")
    app = load_app("batch")
    assert _failed(app.handler(_event(_notice("batches/in/thirds/a.npy")), context())) == ["m0"]
    summary = _summary(served, "thirds/a.npy")
    assert "is damaged" in summary["error"]
    assert (summary["failed"], summary["rows"]) == (True, 0)
    store_version(served, make_manifest())
    assert _failed(app.handler(_event(_notice("batches/in/thirds/a.npy")), context())) == []
    assert _summary(served, "thirds/a.npy")["answered"] == 3


@pytest.mark.parametrize(
    "key",
    [
        "elsewhere/a.npy",
        "batches/in/THIRDS/a.npy",
        "batches/in/a.npy",
        "batches/in/thirds/a%2F%2Fb.npy",
        "batches/in/thirds/%0A.npy",
        "batches/in/thirds/%2E%2E/a.npy",
        f"batches/in/thirds/{'a' * 900}.npy",
    ],
)
def test_a_key_that_names_no_batch_file_is_a_dead_letter_in_the_end(
    served: Path, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not lost: its message fails each time; its error is logged, and its neighbours are answered."""
    _drop(served, "thirds/a.npy")
    answer = load_app("batch").handler(_event(_notice(key, "batches/in/thirds/a.npy")), context())
    assert _failed(answer) == ["m0"]
    assert [path.name for path in (served / "batches/out").rglob("summary.json")] == ["summary.json"]
    (error,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert ". Got: " in vars(error)["error"]


def test_a_format_that_is_not_read_is_answered_with_its_error(served: Path) -> None:
    """The summary lists the formats, and the message is not delivered again."""
    (served / "batches/in/thirds").mkdir(parents=True)
    (served / "batches/in/thirds/rows.parquet").write_bytes(b"PAR1")
    event = _event(_notice("batches/in/thirds/rows.parquet"))
    assert load_app("batch").handler(event, context()) == {"batchItemFailures": []}
    assert (
        _summary(served, "thirds/rows.parquet")["error"]
        == "a batch file is .npy, .csv, .jsonl, .png, .jpg, .jpeg. Got: rows.parquet"
    )


def test_bad_rows_are_counted(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are counted in the summary, and in the one line of metrics of the invocation."""
    (served / "batches/in/thirds").mkdir(parents=True)
    (served / "batches/in/thirds/a.csv").write_text("1\n" + ",".join("0" * 16) + "\nnan" + ",0" * 15)
    load_app("batch").handler(_event(_notice("batches/in/thirds/a.csv")), context())
    summary = _summary(served, "thirds/a.csv")
    assert (summary["rows"], summary["answered"], summary["bad_rows"]) == (3, 1, 2)
    metrics = metrics_among_logs(capsys.readouterr().out)
    assert (metrics["Messages"], metrics["Predictions"], metrics["BadRows"]) == ([1], [1], [2])


@pytest.mark.parametrize("prefix", ["", "/pre/fix"])
def test_batches_run_over_s3(bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    """The same function over an S3 that is reached by HTTP; keys of a notice begin at the root of the bucket."""
    store = Store(f"s3://{bucket}{prefix}", endpoint=s3_endpoint)
    for key, content in version_files(make_manifest()).items():
        store.put(key, content)
    store.put("batches/in/thirds/a b.csv", ",".join("0" * 16).encode())
    monkeypatch.setenv("MODEL_STORE", store.url)
    monkeypatch.setenv("MODEL_STORE_ENDPOINT", s3_endpoint)
    event = _event(_notice(f"{prefix}/batches/in/thirds/a+b.csv".lstrip("/"), bucket=bucket))
    assert load_app("batch").handler(event, context()) == {"batchItemFailures": []}
    assert json.loads(store.get("batches/out/thirds/a b.csv/summary.json"))["answered"] == 1
    assert json.loads(store.get("batches/out/thirds/a b.csv/predictions.jsonl"))["row"] == 0


def test_an_unknown_model_is_answered_with_its_error(served: Path) -> None:
    """Another delivery would not help; the summary has the error."""
    _drop(served, "nobody/a.npy")
    assert _failed(load_app("batch").handler(_event(_notice("batches/in/nobody/a.npy")), context())) == []
    assert "published" in _summary(served, "nobody/a.npy")["error"]


def test_a_notice_of_another_bucket_is_a_dead_letter_in_the_end(
    bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A file of the same key in the function's own store is not answered in its place."""
    monkeypatch.setenv("MODEL_STORE", f"s3://{bucket}")
    monkeypatch.setenv("MODEL_STORE_ENDPOINT", s3_endpoint)
    event = _event(_notice("batches/in/thirds/a.csv", bucket="other"))
    assert _failed(load_app("batch").handler(event, context())) == ["m0"]
    assert f"batch files are in the store s3://{bucket}. Got: s3://other/batches/in/thirds/a.csv" in caplog.text


def test_the_same_message_twice_gives_the_same_answer(served: Path) -> None:
    """SQS delivers at least once."""
    _drop(served, "thirds/a.npy")
    app = load_app("batch")
    app.handler(_event(_notice("batches/in/thirds/a.npy")), context())
    first = (served / "batches/out/thirds/a.npy/predictions.jsonl").read_bytes()
    app.handler(_event(_notice("batches/in/thirds/a.npy")), context())
    assert (served / "batches/out/thirds/a.npy/predictions.jsonl").read_bytes() == first
