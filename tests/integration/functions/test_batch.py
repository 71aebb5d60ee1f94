"""The batch handler, with SQS events that carry S3's notices, over a folder store."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving import context, load_app


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


def _notice(*keys: str) -> dict[str, Any]:
    return {"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": key}}} for key in keys]}


def _drop(store: Path, path: str, rows: int = 3) -> None:
    file = io.BytesIO()
    np.save(file, np.zeros((rows, 4, 4)))
    (store / "batches/in" / path).parent.mkdir(parents=True, exist_ok=True)
    (store / "batches/in" / path).write_bytes(file.getvalue())


def _summary(store: Path, path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((store / "batches/out" / path / "summary.json").read_text())
    return found


def _failed(answer: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_dropped_files_are_answered(served: Path, runtime: str) -> None:
    """By the end-to-end model, or below cascade/ by the levels; keys arrive URL-encoded."""
    _drop(served, "thirds/a day=1/ä.npy")
    _drop(served, "thirds/cascade/b.npy")
    event = _event(_notice("batches/in/thirds/a+day%3D1/%C3%A4.npy"), _notice("batches/in/thirds/cascade/b.npy"))
    assert load_app("batch").handler(event, context()) == {"batchItemFailures": []}
    assert _summary(served, "thirds/a day=1/ä.npy")["answered"] == 3
    assert _summary(served, "thirds/cascade/b.npy")["cascade"] is True


def test_one_message_can_name_several_files(served: Path) -> None:
    """All of them are answered."""
    _drop(served, "thirds/a.npy")
    _drop(served, "thirds/b.npy")
    load_app("batch").handler(_event(_notice("batches/in/thirds/a.npy", "batches/in/thirds/b.npy")), context())
    assert _summary(served, "thirds/a.npy")["rows"] == _summary(served, "thirds/b.npy")["rows"] == 3


def test_s3s_test_event_is_acknowledged(served: Path) -> None:
    """S3 sends it when the notification is made; it names no file."""
    event = _event({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"})
    assert load_app("batch").handler(event, context()) == {"batchItemFailures": []}


@pytest.mark.parametrize(
    "bad",
    [
        _notice("batches/in/thirds/gone.npy"),
        _notice("batches/in/THIRDS/a.npy"),
        _notice("elsewhere/a.npy"),
        "no json",
        "[]",
        {"Records": [{}]},
    ],
)
def test_a_failing_message_alone_comes_again(served: Path, bad: object, caplog: pytest.LogCaptureFixture) -> None:
    """Its neighbours are answered and not repeated; the log says why it failed."""
    _drop(served, "thirds/a.npy")
    answer = load_app("batch").handler(_event(bad, _notice("batches/in/thirds/a.npy")), context())
    assert _failed(answer) == ["m0"]
    assert _summary(served, "thirds/a.npy")["answered"] == 3
    assert "Record processing exception" in caplog.text


def test_an_unknown_model_is_answered_with_its_error(served: Path) -> None:
    """Trying again would not help; the summary says what is wrong."""
    _drop(served, "nobody/a.npy")
    assert _failed(load_app("batch").handler(_event(_notice("batches/in/nobody/a.npy")), context())) == []
    assert "published" in _summary(served, "nobody/a.npy")["error"]


def test_the_same_message_twice_gives_the_same_answer(served: Path) -> None:
    """SQS delivers at least once."""
    _drop(served, "thirds/a.npy")
    app = load_app("batch")
    app.handler(_event(_notice("batches/in/thirds/a.npy")), context())
    first = (served / "batches/out/thirds/a.npy/predictions.jsonl").read_bytes()
    app.handler(_event(_notice("batches/in/thirds/a.npy")), context())
    assert (served / "batches/out/thirds/a.npy/predictions.jsonl").read_bytes() == first
