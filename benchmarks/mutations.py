"""Valid requests of every kind, and random mutations of them."""

import gzip
import io
import json
import zlib
from collections.abc import Callable, Sequence
from random import Random

import numpy as np
from PIL import Image

from local.events import HttpRequest

Headers = list[tuple[str, str]]

LENGTH, TYPE, ENCODING, ACCEPT = (
    "inference-header-content-length",
    "content-type",
    "content-encoding",
    "accept-encoding",
)
_MODELS = {"thirds": (4, 4), "layers": (4, 4), "mnist-sample": (28, 28)}
_MAX_MUTATIONS = 3
"""of one request"""
_OF_BODY, _OF_BODY_OR_HEADER = 0.7, 0.9
"""share of mutations that change the body, or the body or a header; the others change the path"""
_OTHER_METHOD = 0.02
"""share of requests that get another method"""
_HEADER_REMOVED = 0.2
"""share of mutations of a header that remove it"""
_INFLATED = 0.03
"""share of requests whose body is made huge"""
_UNCOMPRESSED = 0.5
"""share of huge bodies that are not compressed"""

_TOKENS = (
    *(b"null", b"true", b"NaN", b"-0", b"1e39", b"1e999", b"9" * 400, b"1.5", b"-1", b"[]", b"{}", b'""', b'"\\ud800"'),
    *(
        b"[" * 990,
        b'{"a":' * 985,
        b"]" * 990,
        b",",
        b"\x00",
        b"\xff\xfe",
        b'"binary_data_size":',
        b'"data":',
        b'"shape":',
    ),
    *(
        b'"parameters":{"binary_data_output":true}',
        b'"classification":3',
        b"18446744073709551616",
        b"-9223372036854775809",
    ),
)
_VALUES: dict[str, Sequence[str]] = {
    LENGTH: ("0", "1", "-1", "17", "999999999", "9999999999", "x", "", "1.5", "\u0661"),
    TYPE: (
        "image/png",
        "image/jpeg",
        "image/gif",
        "IMAGE/PNG; a=b",
        "application/json",
        "application/octet-stream",
        "",
    ),
    ENCODING: ("gzip", "deflate", "br", "identity", "gzip, gzip", "x"),
    ACCEPT: ("gzip", "gzip;q=0", "*", "deflate, gzip;q=0.5", ";;q"),
}
_PATHS = (
    "",
    "/",
    "x",
    "%2e%2e",
    "/versions/1/infer",
    "/versions/champion/ready",
    "/stats",
    "/config",
    ":predict",
    "\x00",
)


def valid_requests(random: Random) -> list[HttpRequest]:
    """Make a valid request of each kind, for each model and mount."""
    requests = []
    for model, shape in _MODELS.items():
        rows = np.asarray([[random.randrange(256) for _ in range(shape[0] * shape[1])] for _ in range(2)], np.float32)
        for mount in ("", "/cascade"):
            path = f"{mount}/v2/models/{model}/infer"
            requests += [HttpRequest("POST", path, "", headers, body) for headers, body in _bodies(rows, shape, random)]
        instances = json.dumps({"instances": rows.reshape(2, *shape).tolist()}).encode()
        requests.append(HttpRequest("POST", f"/v1/models/{model}:predict", "", [], instances))
    requests += [HttpRequest("POST", "/v2/repository/index", "", [], body) for body in (b"", b'{"ready": true}')]
    requests += [HttpRequest("GET", path, "", [(ACCEPT, "gzip")]) for path in ("/v2", "/openapi.json", "/docs")]
    return requests


def _bodies(rows: np.ndarray, shape: tuple[int, int], random: Random) -> list[tuple[Headers, bytes]]:  # type: ignore[type-arg]
    """Encode the same rows as JSON, flat and nested, as JSON followed by bytes, as bytes alone, and as pictures."""
    data = rows.astype("<f4").tobytes()
    tensor = {"name": "image", "shape": [len(rows), *shape], "datatype": "FP32"}
    outputs = {
        "outputs": [{"name": "probabilities", "parameters": {"classification": 2, "binary_data": True}}],
        "id": "x",
    }
    flat = json.dumps({"inputs": [{**tensor, "data": rows.ravel().tolist()}], **outputs}).encode()
    nested = json.dumps({"inputs": [{**tensor, "data": rows.reshape(-1, *shape).tolist()}]}).encode()
    head = json.dumps(
        {
            "inputs": [{**tensor, "parameters": {"binary_data_size": len(data)}}],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    with_head = [(LENGTH, str(len(head)))]
    picture = Image.fromarray(rows[0].reshape(shape).astype(np.uint8)).resize((40, 30))
    colour = picture.convert(random.choice(["RGB", "RGBA", "P", "1"]))
    return [
        ([], flat),
        ([(ACCEPT, "gzip")], nested),
        ([(ENCODING, "gzip")], gzip.compress(flat)),
        (with_head, head + data),
        ([*with_head, (ENCODING, "deflate")], zlib.compress(head + data)),
        ([(LENGTH, "0")], data),
        ([(TYPE, "image/png")], _encoded(colour, "PNG")),
        ([(TYPE, "image/jpeg")], _encoded(picture, "JPEG")),
    ]


def _encoded(picture: Image.Image, form: str) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form)
    return stream.getvalue()


def mutated(request: HttpRequest, others: Sequence[HttpRequest], random: Random) -> HttpRequest:
    """Mutate a request one to three times; bodies may get parts of other requests."""
    body, headers, path = request.body, list(request.headers), request.raw_path
    if body and random.random() < _INFLATED:
        return _inflated(request, random)
    for _ in range(random.randint(1, _MAX_MUTATIONS)):
        place = random.random()
        if place < _OF_BODY and body:
            body = random.choice(_BODY_MUTATIONS)(body, random.choice(others).body, random)
        elif place < _OF_BODY_OR_HEADER:
            headers = _other_headers(headers, random)
        else:
            path = random.choice([path + random.choice(_PATHS), random.choice(others).raw_path])
    method = random.choice(["GET", "PUT", "HEAD"]) if random.random() < _OTHER_METHOD else request.method
    return HttpRequest(method, path, "", headers, body)


def _other_headers(headers: Headers, random: Random) -> Headers:
    name = random.choice(list(_VALUES))
    kept = [(other, value) for other, value in headers if other != name]
    return kept if random.random() < _HEADER_REMOVED else [*kept, (name, random.choice(_VALUES[name]))]


def _flip(body: bytes, _: bytes, random: Random) -> bytes:
    changed = bytearray(body)
    for __ in range(random.randint(1, 8)):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _cut(body: bytes, _: bytes, random: Random) -> bytes:
    return body[: random.randrange(len(body))]


def _grow(body: bytes, _: bytes, random: Random) -> bytes:
    return body + random.randbytes(random.randint(1, 64))


def _drop(body: bytes, _: bytes, random: Random) -> bytes:
    start = random.randrange(len(body))
    return body[:start] + body[start + random.randint(1, 64) :]


def _repeat(body: bytes, _: bytes, random: Random) -> bytes:
    start = random.randrange(len(body))
    part = body[start : start + random.randint(1, 200)]
    return body[:start] + part * random.randint(2, 50) + body[start:]


def _insert(body: bytes, _: bytes, random: Random) -> bytes:
    at = random.randrange(len(body))
    return body[:at] + random.choice(_TOKENS) + body[at + random.randint(0, 6) :]


def _splice(body: bytes, other: bytes, random: Random) -> bytes:
    at = random.randrange(len(body))
    return body[:at] + other[min(at, len(other)) :]


def _inflated(request: HttpRequest, random: Random) -> HttpRequest:
    """Make a body huge with zeros, spaces, lists or parts of pictures, up to what a limit may let through."""
    body, times = request.body, random.choice([300, 30_000, 1_000_000])
    lists = b"[" + b",".join([b"[" * 450 + b"]" * 450] * (times // 300)) + b"]"
    tensor = b'{"inputs":[{"name":"image","shape":[2,4,4],"datatype":"FP32","data":' + lists + b"}]}"
    parts = random.choice([b"\xff\xe5\0\2", b"\xff", b"\0\0\0\0prIv\x8f\x0d\x2c\x2a", b"\0"])
    head = 33 if body[:4] == b"\x89PNG" else 2
    picture = body[:head] + parts * times + body[head:]
    inflated = random.choice([b"0" * times, b"[" * times, b" " * times, b"0," * times, tensor, picture])
    headers = [(name, value) for name, value in request.headers if name != ENCODING]
    if random.random() >= _UNCOMPRESSED:
        inflated, headers = gzip.compress(inflated, 1), [*headers, (ENCODING, "gzip")]
    return HttpRequest(request.method, request.raw_path, "", headers, inflated)


_BODY_MUTATIONS: tuple[Callable[[bytes, bytes, Random], bytes], ...] = (
    _flip,
    _flip,
    _cut,
    _grow,
    _drop,
    _repeat,
    _insert,
    _insert,
    _splice,
)
