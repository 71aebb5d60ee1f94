"""Triton: `qa/L0_http` (its tests, its curl lines and its fuzzed paths) and `python_http_aio_test.py`.

`tests/integration/local/` has the published clients, synchronous and asyncio, with their own requests.
"""

import gzip
import json
import zlib

import numpy as np
import pytest

from tests.conformance.cases import ROW, Ask, Case, Suite, check, get, infer, named, post, tensor

INFER = "/v2/models/thirds/infer"
RAW = {"Inference-Header-Content-Length": "0"}
ROW_BYTES = np.arange(16, dtype="<f4").tobytes()
NO_EXTENSION = "Weir does not have this extension, and does not list it in the server's metadata."
PAIR = (
    {"name": "a", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]},
    {"name": "b", "shape": [1, 3], "datatype": "INT32", "data": [1, 2, 3]},
)


def _behind(size: object = 64, content: bytes = ROW_BYTES, **changes: object) -> tuple[bytes, dict[str, str]]:
    head = infer(tensor(**{"data": ..., "parameters": {"binary_data_size": size}, **changes}))
    return head + content, {"Inference-Header-Content-Length": str(len(head))}


def _binary(about: str, status: int, wants: str, size: object = 64, content: bytes = ROW_BYTES) -> Case:
    body, headers = _behind(size, content)
    return post(about, INFER, body, status, wants, headers=headers)


HEALTH = tuple(
    get(f"GET {path}", path, 200, "200", has=has)
    for path, has in {
        "/v2/health/live": '"live":true',
        "/v2/health/ready": '"ready":true',
        "/v2/models/thirds/ready": "",
        "/v2/models/thirds/versions/1/ready": "",
        "/v2": '"name":"weir"',
        "/v2/models/thirds": '"name":"thirds"',
        "/v2/models/thirds/versions/2": '"versions":["2"]',
        "/v2/models/thirds/config": '"max_batch_size":1024',
        "/v2/models/thirds/versions/1/config": '"data_type":"TYPE_FP32"',
        "/v2/models/thirds/versions/1/stats": '"version":"1"',
    }.items()
)

STATISTICS = tuple(
    get(f"the statistics have {key}", "/v2/models/thirds/stats", 200, "the key is there", has=f'"{key}":')
    for key in (
        *("name", "version", "last_inference", "inference_count", "execution_count", "inference_stats", "batch_stats"),
        *("success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss"),
        *("response_stats", "memory_usage", "count", "ns"),
    )
)

RAW_BODIES = (
    post("bytes alone, one row", INFER, ROW_BYTES, 200, "200 and bytes back", headers=RAW, has='"binary_data_size":12'),
    post("bytes alone, more rows", INFER, ROW_BYTES * 4, 200, "200 and bytes back", headers=RAW, has='"shape":[4,3]'),
    post("bytes alone, no whole row", INFER, ROW_BYTES[:-1], 400, "400", headers=RAW),
    post("bytes alone, none", INFER, b"", 400, "400", headers=RAW),
    post("bytes alone for a model of two inputs", "/v2/models/pair/infer", bytes(20), 400, "400", headers=RAW),
    *(
        post(
            f"{length!r} as the length of the JSON",
            INFER,
            infer(),
            400,
            "400, and the server lives on",
            headers={"Inference-Header-Content-Length": length},
        )
        for length in ("99999999999", "-1", "abc", "1.5", "0x10", "", "999999999", "1")
    ),
)

BINARY = (
    _binary("values behind the JSON", 200, "200"),
    _binary("values behind the JSON, too short", 400, "400", content=ROW_BYTES[:-4]),
    _binary("values behind the JSON, too long", 400, "400", content=ROW_BYTES + bytes(4)),
    _binary("a size that is not that of the tensor", 400, "400", 60, ROW_BYTES[:60]),
    _binary("a size below 0", 400, "400", -1),
    _binary("a size as a text", 400, "400", "64"),
    _binary("a size that is true", 400, "400", size=True),
    _binary("a size of null", 400, "400: the bytes belong to no tensor", None),
    _binary("a size beyond 64 bits", 400, "400", 2**64),
    post("a size without the header", INFER, _behind()[0], 400, "400"),
)

_FORMS: dict[str, tuple[object, int, str]] = {
    "flat data": (ROW, 200, "200"),
    "data nested as the shape": ([[[0.0] * 4] * 4], 200, "200"),
    "data nested otherwise, of the same count": ([[0.0] * 8] * 2, 200, "200"),
    "whole numbers for floats": ([0] * 16, 200, "200"),
    "too few values": (ROW[:-1], 400, "an error"),
    "too many values": ([*ROW, 0.0, 0.0], 400, "an error"),
    "no values": ([], 400, "an error"),
    "texts for numbers": (["0"] * 16, 400, "400"),
    "true for numbers": ([True] * 16, 400, "400"),
    "null for numbers": ([None] * 16, 400, "400"),
    "an object as data": ({"a": 1}, 400, "400"),
    "a number as data": (3, 400, "400"),
    "a text as data": ("0", 400, "400"),
    "values beyond FP32": ([1e39] * 16, 400, "400"),
}
DATA = tuple(post(about, INFER, infer(tensor(data)), status, wants) for about, (data, status, wants) in _FORMS.items())

NESTING = (
    post("data in 120 lists", INFER, infer(tensor(_deep := json.loads("[" * 120 + "0" + "]" * 120))), 400, "an error"),
    post(
        "one value in 50 lists",
        INFER,
        infer(tensor([json.loads("[" * 50 + "0" + "]" * 50), *ROW[1:]])),
        200,
        "200: up to 100 levels are read",
    ),
    post("data in 250,000 lists", INFER, infer(tensor([])).replace(b"[]", b"[" * 250_000 + b"]" * 250_000), 400, "400"),
    post(
        "an index with 250,000 lists for ready",
        "/v2/repository/index",
        b'{"ready":' + b"[" * 250_000 + b"true" + b"]" * 250_000 + b"}",
        400,
        "400, and the server lives on",
    ),
)

SHAPES = tuple(
    post(f"the shape {shape}", INFER, infer(tensor(shape=shape)), 400, wants, why_not=why_not)
    for shape, wants, why_not in (
        ([2**4, 2**60 + 2], "400: the number of elements overflows", ""),
        ([2**2, 2**60 + 2, 1], "400: the number of bytes overflows", ""),
        ([2**63, 4, 4], "400", ""),
        ([2**64, 4, 4], "400", ""),
        ([2, -5], "500", "Weir answers 400: the request is at fault."),
        ([-1, 4, 4], "500", "Weir answers 400: the request is at fault."),
        ([0, 4, 4], "an error", ""),
        ([1, 4, 5], "an error", ""),
        ([16], "an error", ""),
        ([], "an error", ""),
        ([1, 4, 4, 1], "an error", ""),
        ([1.5, 4, 4], "400", ""),
        (["1", 4, 4], "400", ""),
        (None, "400", ""),
        (16, "400", ""),
        ([1025, 4, 4], "an error: beyond max_batch_size", ""),
    )
)

TENSORS = (
    post("an unknown input", INFER, infer(tensor(name="INPUT9")), 400, "400"),
    post("the input twice", INFER, infer(tensor(), tensor()), 400, "400"),
    post("no input", INFER, {"inputs": []}, 400, "400"),
    post("no inputs", INFER, {}, 400, "400"),
    post("inputs of null", INFER, {"inputs": None}, 400, "400"),
    post("inputs as an object", INFER, {"inputs": tensor()}, 400, "400"),
    *(post(f"an input without {key}", INFER, infer(tensor(**{key: ...})), 400, "400") for key in tensor()),
    *(
        post(f"an input whose {key} is null", INFER, infer(tensor(**{key: None})), 400, "400")
        for key in ("name", "datatype")
    ),
    *(
        post(f"an input of {datatype!r}", INFER, infer(tensor(datatype=datatype)), 400, "400")
        for datatype in ("FP64", "FP16", "INT32", "BYTES", "BOOL", "fp32", "FLOAT", "")
    ),
    post("two inputs", "/v2/models/pair/infer", infer(*PAIR), 200, "200"),
    post("two inputs in another order", "/v2/models/pair/infer", infer(*PAIR[::-1]), 200, "200"),
    post("one of two inputs", "/v2/models/pair/infer", infer(PAIR[0]), 400, "400"),
    post(
        "whole numbers beyond INT32",
        "/v2/models/pair/infer",
        infer(PAIR[0], {**PAIR[1], "data": [2**31, 0, 0]}),
        400,
        "400",
    ),
    post("fractions for INT32", "/v2/models/pair/infer", infer(PAIR[0], {**PAIR[1], "data": [0.5, 0, 0]}), 400, "400"),
)

OUTPUTS = (
    post("one output", INFER, infer(outputs=named(["label"])), 200, "only that one", has='"name":"label"'),
    post("outputs in another order", INFER, infer(outputs=named(["label", "probabilities"])), 200, "in that order"),
    post("no list of outputs", INFER, infer(), 200, "all outputs", has='"name":"label"'),
    post("an empty list of outputs", INFER, infer(outputs=[]), 200, "all outputs", has='"name":"probabilities"'),
    post("outputs of null", INFER, infer(outputs=None), 200, "all outputs"),
    post("an unknown output", INFER, infer(outputs=named(["OUTPUT9"])), 400, "400"),
    post(
        "an output twice",
        INFER,
        infer(outputs=named(["label", "label"])),
        400,
        "400",
        has="each output is requested once",
    ),
    post("outputs as texts", INFER, infer(outputs=["label"]), 400, "400"),
    *(
        post(
            f"binary_data_output {everywhere}, binary_data {own}",
            INFER,
            infer(
                outputs=[{"name": "probabilities", "parameters": {"binary_data": own}}],
                parameters={"binary_data_output": everywhere},
            ),
            200,
            "the output's own parameter comes first, then that of the request",
            has='"binary_data_size":12' if (everywhere if own is None else own) else '"data":[',
        )
        for everywhere in (True, False, None)
        for own in (True, False, None)
    ),
    *(
        post(
            f"the {count} best classes",
            INFER,
            infer(outputs=[{"name": "probabilities", "parameters": {"classification": count}}]),
            200,
            "texts value:index:label",
            has=f'"shape":[1,{min(count, 3)}],"datatype":"BYTES"',
        )
        for count in (1, 2, 3, 9)
    ),
    *(
        post(
            f"classification {count!r}",
            INFER,
            infer(outputs=[{"name": "probabilities", "parameters": {"classification": count}}]),
            400,
            "400",
        )
        for count in (-1, "2", 1.5, True)
    ),
    post(
        "classification 0",
        INFER,
        infer(outputs=[{"name": "probabilities", "parameters": {"classification": 0}}]),
        400,
        "0 is no classification",
        why_not="Weir refuses it: leave it out, or send null.",
    ),
    post(
        "classification of an output of texts",
        INFER,
        infer(outputs=[{"name": "label", "parameters": {"classification": 1}}]),
        400,
        "400",
    ),
)

PARAMETERS = (
    post("parameters of the caller's own", INFER, infer(parameters={"tag": "a", "n": 1, "ok": True}), 200, "200"),
    post("parameters of the caller's own on an input", INFER, infer(tensor(parameters={"tag": "a"})), 200, "200"),
    post("no parameters", INFER, infer(parameters={}), 200, "200"),
    post("parameters as a list", INFER, infer(parameters=[]), 400, "400"),
    post("binary_data_output as a number", INFER, infer(parameters={"binary_data_output": 1}), 400, "400"),
    *(
        post(
            f"{name} of {value!r}",
            INFER,
            infer(parameters={name: value}),
            400,
            wants,
            why_not=f"{why} Weir refuses what it cannot honour.",
        )
        for name, value, wants, why in (
            ("sequence_id", 1, "a sequence, by a model for sequences", "No model keeps a state."),
            ("sequence_id", "a", "a sequence, by a model for sequences", "No model keeps a state."),
            ("priority", 1, "a place in the queue", "There is no queue."),
            ("timeout", 1000, "an end of waiting in the queue", "There is no queue."),
        )
    ),
    *(
        post(f"{name} of {value!r}", INFER, infer(parameters={name: value}), 200, "as if it were absent")
        for name, value in (("sequence_id", 0), ("priority", 0), ("timeout", 0), ("sequence_start", False))
    ),
    post(
        "an input in shared memory",
        INFER,
        infer(tensor(data=..., parameters={"shared_memory_region": "r", "shared_memory_byte_size": 64})),
        400,
        "400 where the region is not registered",
    ),
    post(
        "an output in shared memory",
        INFER,
        infer(outputs=[{"name": "label", "parameters": {"shared_memory_region": "r"}}]),
        400,
        "400 where the region is not registered",
    ),
    *(
        post(f"the id {own!r}", INFER, infer(id=own), 200, "the same id", has=f'"id":"{own}"')
        for own in ("1", "", "a-b_c", "0" * 200)
    ),
    post("an id of null", INFER, infer(id=None), 200, "no id"),
    post("an id that is a number", INFER, infer(id=7), 400, "400"),
)

_ROWS = infer(tensor(ROW * 40, shape=[40, 4, 4]))
COMPRESSION = (
    *(
        post(
            f"a request compressed with {name}",
            INFER,
            pack(_ROWS),
            200,
            "200",
            headers={"Content-Encoding": name},
        )
        for name, pack in (("gzip", gzip.compress), ("deflate", zlib.compress))
    ),
    post(
        "gzip of two members",
        INFER,
        gzip.compress(_ROWS[:99]) + gzip.compress(_ROWS[99:]),
        200,
        "200",
        headers={"Content-Encoding": "gzip"},
    ),
    post("gzip, cut", INFER, gzip.compress(_ROWS)[:-9], 400, "400", headers={"Content-Encoding": "gzip"}),
    post("JSON that is called gzip", INFER, _ROWS, 400, "400", headers={"Content-Encoding": "gzip"}),
    post(
        "gzip of 100 MB",
        INFER,
        gzip.compress(bytes(100_000_000), 1),
        413,
        "400: beyond the limit of input",
        headers={"Content-Encoding": "gzip"},
        why_not="Weir answers 413, which says so.",
    ),
    post(
        "brotli",
        INFER,
        _ROWS,
        415,
        "400",
        headers={"Content-Encoding": "br"},
        why_not="Weir answers 415, which says so.",
    ),
)

BODIES = (
    *(
        post(about, INFER, body, 400, "400")
        for about, body in {
            "an empty body": b"",
            "no JSON": b"x",
            "a list": b"[]",
            "null": b"null",
            "a number": b"1",
            "JSON that is cut": infer()[:-1],
            "JSON and more": infer() + b"{}",
            "bytes that are no UTF-8": b"\xff\xfe",
            "NaN": infer(tensor([float("nan")] * 16)),
            "Infinity": infer(tensor([float("inf")] * 16)),
        }.items()
    ),
    post("JSON behind a byte order mark", INFER, b"\xef\xbb\xbf" + infer(), 200, "200"),
    post("keys beside the protocol's", INFER, infer(more=1), 200, "200"),
    post(
        "a form with a file",
        INFER,
        b"--x",
        415,
        "an error",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
        has="curl --data-binary @file",
    ),
    post(
        "the media type of curl -d",
        INFER,
        infer(),
        200,
        "200",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
)

NAMES = tuple(
    Case(
        f"{verb} {path}",
        "404" if wants == 404 else str(wants),
        verb,
        path,
        404,
        infer() if verb == "POST" else b"",
        why_not="" if wants == 404 else "A version that does not exist is a 404, whatever its name.",
    )
    for verb, path, wants in (
        *(("GET", f"/v2/models/{name}", 404) for name in ("nobody", "Nobody", "a.b", "thirds9", "%0A", "%C3%A4", "..")),
        *(("GET", f"/v2/models/nobody{end}", 404) for end in ("/config", "/stats", "/ready")),
        *(("GET", f"/v2/models/Nobody{end}", 404) for end in ("/config", "/stats", "/ready")),
        ("POST", "/v2/models/nobody/infer", 404),
        ("POST", "/v2/models/Nobody/infer", 404),
        ("POST", "/v2/models/thirds/versions/9/infer", 404),
        *(("GET", f"/v2/models/thirds/versions/{version}", 400) for version in ("0", "-1", "1.5", "v1", "9999999999")),
        ("GET", "/v2/models%2Fthirds", 404),
        ("GET", "/v2/models/thirds%2Fversions%2F1", 404),
        ("GET", "/v2/models/thirds%2Fready", 404),
        ("POST", "/v2/models/thirds%2Finfer", 404),
        ("GET", "/v2/models/", 404),
        ("GET", "/v2//models/thirds", 404),
        ("GET", "/v3", 404),
    )
)

VERBS = (
    *(
        Case(f"{verb} {path}", "not 200", verb, path, 405)
        for verb in ("PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH")
        for path in (
            "/v2",
            INFER,
            "/v2/models/thirds",
            "/v2/models/thirds/stats",
            "/v2/repository/index",
            "/v2/health/live",
        )
    ),
    *(
        Case(f"HEAD {path}", "200", "HEAD", path, 200)
        for path in ("/v2/health/live", "/v2/health/ready", "/v2", "/v2/models/thirds", "/v2/models/thirds/ready")
    ),
)

REPOSITORY = (
    post("the index without a body", "/v2/repository/index", b"", 200, "every model", has='"name":"two"'),
    *(
        post(
            f"the index with ready {ready!r}",
            "/v2/repository/index",
            {"ready": ready},
            200,
            "every ready model",
            has='"state":"READY"',
        )
        for ready in (True, False, None)
    ),
    *(
        post(f"the index with ready {ready!r}", "/v2/repository/index", {"ready": ready}, 400, "400")
        for ready in (1, "true", [True])
    ),
    *(
        post(about, path, {}, 404, "200, or an error where models are polled", why_not=NO_EXTENSION)
        for about, path in (
            ("load a model", "/v2/repository/models/thirds/load"),
            ("unload a model", "/v2/repository/models/thirds/unload"),
        )
    ),
    post(
        "load with a name of 256 letters",
        "/v2/repository/models/thirds/load",
        {"parameters": {"file:" + "A" * 256: ""}},
        404,
        "500, and the server lives on",
        why_not=NO_EXTENSION,
    ),
)

EXTENSIONS = tuple(
    Case(f"{verb} {path}", "200", verb, path, 404, why_not=NO_EXTENSION)
    for verb, path in (
        ("GET", "/v2/models/stats"),
        ("GET", "/v2/trace/setting"),
        ("POST", "/v2/trace/setting"),
        ("GET", "/v2/models/thirds/trace/setting"),
        ("GET", "/v2/logging"),
        ("POST", "/v2/logging"),
        *(
            (verb, f"/v2/{kind}sharedmemory{path}")
            for kind in ("system", "cuda")
            for verb, path in (("GET", "/status"), ("POST", "/unregister"), ("POST", "/region/x/register"))
        ),
        ("POST", "/v2/models/thirds/generate"),
        ("POST", "/v2/models/thirds/generate_stream"),
        ("GET", "/metrics"),
    )
)

SUITE = Suite(
    "Triton",
    "https://github.com/triton-inference-server/server/tree/main/qa/L0_http",
    (
        *HEALTH,
        *STATISTICS,
        *RAW_BODIES,
        *BINARY,
        *DATA,
        *NESTING,
        *SHAPES,
        *TENSORS,
        *OUTPUTS,
        *PARAMETERS,
        *COMPRESSION,
        *BODIES,
        *NAMES,
        *VERBS,
        *REPOSITORY,
        *EXTENSIONS,
    ),
)


@pytest.mark.parametrize(("case", "mount"), SUITE.parameters())
def test_triton(ask: Ask, case: Case, mount: str) -> None:
    """The answer is what the table says."""
    check(ask, case, mount)
