"""MLServer: its REST tests, its codecs' content types, and the requests that `mlserver infer` sends.

`tests/check/test_mlserver.py` has the published command.
"""

import gzip

import pytest

from tests.conformance.cases import ROW, V1, Ask, Case, Suite, check, get, infer, post, tensor

INFER = "/v2/models/thirds/infer"
NO_TEXT = "Weir has no generative models."
NO_CODEC = "No model of Weir takes this kind of content, and what cannot be honoured is refused."
ELSEWHERE = "Weir has one document for all models: /openapi.json, and /docs shows it."
NO_LOADING = "Models are loaded on demand."

HEALTH = tuple(
    get(about, path, 200, "200", has=has)
    for about, path, has in (
        ("live", "/v2/health/live", '"live":true'),
        ("ready", "/v2/health/ready", '"ready":true'),
        ("a version is ready", "/v2/models/thirds/versions/1/ready", ""),
        ("a model is ready", "/v2/models/thirds/ready", ""),
        ("metadata of the server: name", "/v2", '"name":"'),
        ("metadata of the server: version", "/v2", '"version":"'),
        ("metadata of the server: extensions", "/v2", '"extensions":['),
        ("metadata of a model: name", "/v2/models/thirds", '"name":"thirds"'),
        ("metadata of a model: platform", "/v2/models/thirds", '"platform":"'),
        ("metadata of a model: versions", "/v2/models/thirds", '"versions":["1","2"]'),
        ("metadata of a model: inputs", "/v2/models/thirds", '"inputs":[{"name":"image"'),
        ("metadata of a model: outputs", "/v2/models/thirds", '"outputs":[{"name":"probabilities"'),
    )
)

DOCUMENTS = (
    get("the document of the API", "/openapi.json", 200, "an OpenAPI document", has='"openapi"', mounts=V1),
    get("the page of the API", "/docs", 200, "HTML", has="<html", mounts=V1),
    *(
        get(path, path, 404, "200", why_not=ELSEWHERE)
        for path in (
            "/v2/docs",
            "/v2/docs/dataplane.json",
            "/v2/models/thirds/docs",
            "/v2/models/thirds/docs/dataplane.json",
            "/v2/models/thirds/versions/1/docs",
            "/v2/models/thirds/versions/1/docs/dataplane.json",
        )
    ),
)

INFERENCE = (
    post("a request", INFER, infer(), 200, "200", has='"outputs":['),
    post(
        "a request to a version", "/v2/models/thirds/versions/2/infer", infer(), 200, "200", has='"model_version":"2"'
    ),
    post(
        "a request with a header of the caller",
        INFER,
        infer(),
        200,
        "200, and the header comes back",
        headers={"x-foo": "bar"},
        why_not="Headers of a request are not repeated in the response.",
    ),
    post(
        "every key that MLServer's types have",
        INFER,
        infer(
            tensor(parameters={"content_type": None, "headers": None}),
            id=None,
            parameters={"content_type": None, "headers": None},
            outputs=None,
        ),
        200,
        "200",
    ),
    post("headers among the parameters", INFER, infer(parameters={"headers": {"x-foo": "bar"}}), 200, "200"),
    post(
        "headers among the parameters of an input", INFER, infer(tensor(parameters={"headers": {"a": "b"}})), 200, "200"
    ),
    post("parameters of the caller", INFER, infer(parameters={"batch_index": 0, "inference_id": "a"}), 200, "200"),
    post(
        "parameters of the caller on an output",
        INFER,
        infer(outputs=[{"name": "label", "parameters": {"a": 1}}]),
        200,
        "200",
    ),
    *(
        post(f"content_type np of {place}", INFER, infer(*body, **other), 200, "200")
        for place, body, other in (
            ("the request", (), {"parameters": {"content_type": "np"}}),
            ("an input", (tensor(parameters={"content_type": "np"}),), {}),
            ("an output", (), {"outputs": [{"name": "label", "parameters": {"content_type": "np"}}]}),
        )
    ),
    *(
        post(
            f"content_type {kind} of {place}",
            INFER,
            infer(*body, **other),
            400,
            "another codec, where the model has it",
            why_not=NO_CODEC,
        )
        for kind in ("pd", "str", "base64", "datetime", "hf")
        for place, body, other in (
            ("the request", (), {"parameters": {"content_type": kind}}),
            ("an input", (tensor(parameters={"content_type": kind}),), {}),
            ("an output", (), {"outputs": [{"name": "label", "parameters": {"content_type": kind}}]}),
        )
    ),
    post(
        "another datatype that is none",
        INFER,
        infer(tensor(datatype="INT322")),
        400,
        "422",
        why_not="A bad request is 400 in the protocol.",
    ),
    *(
        post(f"the datatype {datatype}", INFER, infer(tensor(datatype=datatype)), 400, "the model decides")
        for datatype in ("INT32", "FP64", "BYTES", "BOOL", "UINT8")
    ),
    post(
        "an unknown model and version",
        "/v2/models/my-model/versions/v0/infer",
        infer(),
        404,
        "404 and an error",
        has="my-model",
    ),
    post("an unknown model", "/v2/models/my-model/infer", infer(), 404, "404"),
    post("an unknown version", "/v2/models/thirds/versions/v1.2.3/infer", infer(), 404, "404"),
    get("metadata of an unknown version", "/v2/models/thirds/versions/v1.2.3", 404, "404"),
    get("an unknown version is not ready", "/v2/models/thirds/versions/v1.2.3/ready", 404, "404"),
    *(
        post(
            f"an input without {key}",
            INFER,
            infer(tensor(**{key: ...})),
            400,
            "422",
            why_not="A bad request is 400 in the protocol.",
        )
        for key in ("name", "shape", "datatype", "data")
    ),
    *(
        post(about, INFER, body, 400, "422", why_not="A bad request is 400 in the protocol.")
        for about, body in (("no inputs", b"{}"), ("no JSON", b"x"), ("a list", b"[]"), ("an empty body", b""))
    ),
    post("a compressed request", INFER, gzip.compress(infer()), 200, "200", headers={"Content-Encoding": "gzip"}),
    *(
        post(f"data {about}", INFER, infer(tensor(data)), 200, "200")
        for about, data in (
            ("in lists of one", [[value] for value in ROW]),
            ("nested", [[[0.0] * 4] * 4]),
            ("flat", ROW),
        )
    ),
    *(
        post(f"{end} of {path}", f"/v2/models/{path}/{end}", infer(), 404, "200", why_not=NO_TEXT)
        for end in ("generate", "generate_stream", "infer_stream")
        for path in ("thirds", "thirds/versions/1")
    ),
    post(
        "a handler of the model's own",
        "/my-custom-endpoint",
        [1, 2, 3],
        404,
        "200",
        why_not="Models have no handlers of their own.",
    ),
)

_BATCH = infer(tensor(ROW * 3, shape=[3, 4, 4]), id="9f3e2a", parameters=None)
BATCH = (
    post(
        "mlserver infer: one row",
        INFER,
        infer(id="00000000-0000-4000-8000-000000000000"),
        200,
        "the id comes back",
        headers={"seldon-puid": "1", "x-request-id": "1"},
        has='"id":"00000000-0000-4000-8000-000000000000"',
    ),
    post("mlserver infer: a micro-batch", INFER, _BATCH, 200, "a prediction for each row", has='"shape":[3,3]'),
    post("mlserver infer: gzip accepted", INFER, _BATCH, 200, "200", headers={"Accept-Encoding": "identity"}),
    post(
        "mlserver infer: a row of the wrong shape",
        INFER,
        infer(tensor([0.0], shape=[1, 1])),
        400,
        "an error of this batch",
    ),
    post(
        "mlserver infer: texts",
        INFER,
        infer({"name": "image", "shape": [1], "datatype": "BYTES", "data": ["a"]}),
        400,
        "the model decides",
    ),
)

REPOSITORY = (
    *(
        post(f"the index with ready {ready!r}", "/v2/repository/index", body, 200, "every model", has='"name":"thirds"')
        for ready, body in (
            ("None", {"ready": None}),
            ("True", {"ready": True}),
            ("False", {"ready": False}),
            ("absent", {}),
        )
    ),
    *(
        post(
            f"{verb} {model}",
            f"/v2/repository/models/{model}/{verb}",
            b"",
            404,
            "200" if model == "thirds" else "404",
            why_not=NO_LOADING if model == "thirds" else "",
        )
        for verb in ("load", "unload")
        for model in ("thirds", "my-model")
    ),
)

SUITE = Suite(
    "MLServer",
    "https://github.com/SeldonIO/MLServer/tree/master/tests",
    (*HEALTH, *DOCUMENTS, *INFERENCE, *BATCH, *REPOSITORY),
)


@pytest.mark.parametrize(("case", "mount"), SUITE.parameters())
def test_mlserver(ask: Ask, case: Case, mount: str) -> None:
    """The answer is what the table says."""
    check(ask, case, mount)
