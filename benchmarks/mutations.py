"""Requests that somebody might send, sound ones first, and what can happen to them on the way."""

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
_MOST = 3
"""things that happen to one request"""

_TO_THE_BODY, _TO_A_HEADER = 0.7, 0.9
"""shares of them: up to the first, up to the second; the path gets the rest"""
_OTHER_VERB, _HEADER_GONE, _BLOWN_UP, _PLAIN = 0.02, 0.2, 0.03, 0.5
"""how often these happen, where they can"""

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


def sound(random: Random) -> list[HttpRequest]:
    """Make a request of each kind, for each model and mount."""
    found = []
    for model, shape in _MODELS.items():
        rows = np.asarray([[random.randrange(256) for _ in range(shape[0] * shape[1])] for _ in range(2)], np.float32)
        for mount in ("", "/cascade"):
            path = f"{mount}/v2/models/{model}/infer"
            found += [HttpRequest("POST", path, "", headers, body) for headers, body in _bodies(rows, shape, random)]
        instances = json.dumps({"instances": rows.reshape(2, *shape).tolist()}).encode()
        found.append(HttpRequest("POST", f"/v1/models/{model}:predict", "", [], instances))
    found += [HttpRequest("POST", "/v2/repository/index", "", [], body) for body in (b"", b'{"ready": true}')]
    return [*found, *(HttpRequest("GET", path, "", [(ACCEPT, "gzip")]) for path in ("/v2", "/openapi.json", "/docs"))]


def _bodies(rows: np.ndarray, shape: tuple[int, int], random: Random) -> list[tuple[Headers, bytes]]:  # type: ignore[type-arg]
    """Write the same rows as JSON, flat and nested, as bytes with JSON before them, as bytes alone, as pictures."""
    data = rows.astype("<f4").tobytes()
    tensor = {"name": "image", "shape": [len(rows), *shape], "datatype": "FP32"}
    asked = {
        "outputs": [{"name": "probabilities", "parameters": {"classification": 2, "binary_data": True}}],
        "id": "x",
    }
    flat = json.dumps({"inputs": [{**tensor, "data": rows.ravel().tolist()}], **asked}).encode()
    nested = json.dumps({"inputs": [{**tensor, "data": rows.reshape(-1, *shape).tolist()}]}).encode()
    head = json.dumps(
        {
            "inputs": [{**tensor, "parameters": {"binary_data_size": len(data)}}],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    behind = [(LENGTH, str(len(head)))]
    picture = Image.fromarray(rows[0].reshape(shape).astype(np.uint8)).resize((40, 30))
    colour = picture.convert(random.choice(["RGB", "RGBA", "P", "1"]))
    return [
        ([], flat),
        ([(ACCEPT, "gzip")], nested),
        ([(ENCODING, "gzip")], gzip.compress(flat)),
        (behind, head + data),
        ([*behind, (ENCODING, "deflate")], zlib.compress(head + data)),
        ([(LENGTH, "0")], data),
        ([(TYPE, "image/png")], _encoded(colour, "PNG")),
        ([(TYPE, "image/jpeg")], _encoded(picture, "JPEG")),
    ]


def _encoded(picture: Image.Image, form: str) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form)
    return stream.getvalue()


def mutated(request: HttpRequest, others: Sequence[HttpRequest], random: Random) -> HttpRequest:
    """Let one to three things happen to a request."""
    body, headers, path = request.body, list(request.headers), request.raw_path
    if body and random.random() < _BLOWN_UP:
        return _blown_up(request, random)
    for _ in range(random.randint(1, _MOST)):
        what = random.random()
        if what < _TO_THE_BODY and body:
            body = random.choice(_CHANGES)(body, random.choice(others).body, random)
        elif what < _TO_A_HEADER:
            headers = _other_headers(headers, random)
        else:
            path = random.choice([path + random.choice(_PATHS), random.choice(others).raw_path])
    method = random.choice(["GET", "PUT", "HEAD"]) if random.random() < _OTHER_VERB else request.method
    return HttpRequest(method, path, "", headers, body)


def _other_headers(headers: Headers, random: Random) -> Headers:
    name = random.choice(list(_VALUES))
    kept = [(other, value) for other, value in headers if other != name]
    return kept if random.random() < _HEADER_GONE else [*kept, (name, random.choice(_VALUES[name]))]


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


def _blown_up(request: HttpRequest, random: Random) -> HttpRequest:
    """Blow a body up: with as much of nothing, of lists, of parts of pictures as a limit may let through."""
    body, times = request.body, random.choice([300, 30_000, 1_000_000])
    lists = b"[" + b",".join([b"[" * 450 + b"]" * 450] * (times // 300)) + b"]"
    tensor = b'{"inputs":[{"name":"image","shape":[2,4,4],"datatype":"FP32","data":' + lists + b"}]}"
    parts = random.choice([b"\xff\xe5\0\2", b"\xff", b"\0\0\0\0prIv\x8f\x0d\x2c\x2a", b"\0"])
    head = 33 if body[:4] == b"\x89PNG" else 2
    picture = body[:head] + parts * times + body[head:]
    blown = random.choice([b"0" * times, b"[" * times, b" " * times, b"0," * times, tensor, picture])
    headers = [(name, value) for name, value in request.headers if name != ENCODING]
    if random.random() >= _PLAIN:
        blown, headers = gzip.compress(blown, 1), [*headers, (ENCODING, "gzip")]
    return HttpRequest(request.method, request.raw_path, "", headers, blown)


_CHANGES: tuple[Callable[[bytes, bytes, Random], bytes], ...] = (
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
