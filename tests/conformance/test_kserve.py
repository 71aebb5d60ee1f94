"""KServe: `test_server.py`, `test_inference_client.py` and the requests of its end-to-end tests.

`tests/check/test_kserve.py` has the published client, V1 and V2.
"""

import numpy as np
import pytest

from tests.conformance.cases import ROW, V1, Ask, Case, Suite, check, get, infer, named, post, tensor

INFER = "/v2/models/thirds/infer"
PREDICT = "/v1/models/thirds:predict"
NESTED = [[0.0] * 4] * 4
TAGS = {"test-str": "a", "test-bool": True, "test-int": 100, "test-float": 1.3}
ONE_INPUT = "Weir's models take numbers of one shape, not columns of a table."
NO_EXPLAINER = "Weir has no explainers."

LIVENESS = (
    get("the server is alive", "/", 200, '{"status": "alive"}', has='{"status":"alive"}', mounts=V1),
    get("the models by name", "/v1/models", 200, "a list of names", has='"thirds"', mounts=V1),
    get(
        "a model",
        "/v1/models/thirds",
        200,
        "its name and whether it is ready",
        has='"name":"thirds","ready":true',
        mounts=V1,
    ),
    get(
        "a version of a model",
        "/v1/models/thirds/versions/2",
        200,
        "its name and whether it is ready",
        has='"ready":true',
        mounts=V1,
    ),
    get("an unknown model", "/v1/models/InvalidModel", 404, "404 and an error", has="InvalidModel", mounts=V1),
    get("an unknown model, V2", "/v2/models/InvalidModel", 404, "404 and an error", has="InvalidModel"),
    get("an unknown model is not ready", "/v2/models/InvalidModel/ready", 404, "404"),
    get("the server is live, V2", "/v2/health/live", 200, "200", has='"live":true'),
    get("the server is ready, V2", "/v2/health/ready", 200, "200", has='"ready":true'),
    get("a model is ready, V2", "/v2/models/thirds/ready", 200, "its name and true", has='"ready":true'),
    get("the metadata of the server", "/v2", 200, "name, version and extensions", has='"extensions":['),
    get("the metadata of a model", "/v2/models/thirds", 200, "inputs and outputs", has='"inputs":['),
    get(
        "the models by name, V2",
        "/v2/models",
        404,
        "a list of names",
        why_not="POST /v2/repository/index lists them, as in Triton.",
    ),
    get("an unknown path", "/unknown_path", 404, "404", mounts=V1),
    get("Prometheus's metrics", "/metrics", 404, "200", why_not="CloudWatch has them.", mounts=V1),
    *(
        Case(f"HEAD {path or 'the server'}", "200: probes of a load balancer", "HEAD", path, 200, mounts=V1)
        for path in ("/", "/v1/models/thirds", "/v2/health/ready")
    ),
)

_V1: dict[str, tuple[object, int, str, str]] = {
    "instances, nested": ({"instances": [NESTED]}, 200, "200", '"predictions":[['),
    "instances, flat": ({"instances": [ROW]}, 200, "200", '"predictions":[['),
    "four instances": ({"instances": [ROW] * 4}, 200, "200", '"predictions":[['),
    "instances by the name of the input": ({"instances": [{"image": NESTED}]}, 200, "200", '"predictions":[['),
    "inputs": ({"inputs": [NESTED]}, 200, "200", '"outputs":[['),
    "inputs by the name of the input": ({"inputs": {"image": [NESTED]}}, 200, "200", '"outputs":[['),
    "keys of the caller": ({"instances": [ROW], "id": "a", "parameters": TAGS}, 200, "200", '"predictions":'),
    "an empty list": ({"instances": []}, 400, "the model decides", ""),
    "instances as a text": ({"instances": "invalid"}, 400, "400", ""),
    "instances as an object": ({"instances": {}}, 400, "400", ""),
    "instances as a number": ({"instances": 1}, 400, "400", ""),
    "no instances": ({}, 400, "400", ""),
    "a list of requests": ([{"instances": [ROW]}], 400, "400", ""),
    "rows of the wrong length": ({"instances": [ROW[:-1]]}, 400, "400", ""),
    "rows of three channels": ({"instances": [[[[0.0] * 3] * 4] * 4]}, 400, "400", ""),
    "a picture in base64": ({"instances": [{"image": {"b64": "iVBORw0KGgo="}}]}, 400, "a transformer reads it", ""),
    "a picture in base64 under data": ({"instances": [{"data": "iVBORw0KGgo="}]}, 400, "a transformer reads it", ""),
    "columns of a table": ({"inputs": [{"sepal_length_(cm)": [5.1]}]}, 400, "a table", ""),
    "rows of a table": ({"inputs": [[{"sepal_length_(cm)": 5.1}]]}, 400, "a table", ""),
    "texts": ({"instances": [{"text": "a"}]}, 400, "the model decides", ""),
}
PREDICTIONS = (
    *(
        post(
            f"V1 with {about}",
            PREDICT,
            body,
            status,
            wants,
            has=has,
            mounts=V1,
            why_not=""
            if wants in {"200", "400", "the model decides"}
            else "A picture is sent as the body, with its media type."
            if "base64" in about
            else ONE_INPUT,
        )
        for about, (body, status, wants, has) in _V1.items()
    ),
    post("V1 of a version", "/v1/models/thirds/versions/2:predict", {"instances": [ROW]}, 200, "200", mounts=V1),
    post("V1 of an unknown model", "/v1/models/InvalidModel:predict", {"instances": [ROW]}, 404, "404", mounts=V1),
    post("V1 with a JSON that is cut", PREDICT, b'{"instances": [[0', 400, "400", mounts=V1),
    post("V1 with an empty body", PREDICT, b"", 400, "400", mounts=V1),
    post("V1 with bytes that are no UTF-8", PREDICT, b"0\x80\x80\x06World!", 400, "400", mounts=V1),
    post("V1 with a brace alone", PREDICT, b"{", 400, "400", mounts=V1),
    post("V1 explain", "/v1/models/thirds:explain", {"instances": [ROW]}, 404, "200", why_not=NO_EXPLAINER, mounts=V1),
    post(
        "V1 explain of a version",
        "/v1/models/thirds/versions/1:explain",
        {"instances": [ROW]},
        404,
        "200",
        why_not=NO_EXPLAINER,
        mounts=V1,
    ),
    post("V2 explain", "/v2/models/thirds/explain", infer(), 404, "200", why_not=NO_EXPLAINER),
    Case("V1 predict by GET", "405", "GET", PREDICT, 405, mounts=V1),
    Case("V1 model by POST", "405", "POST", "/v1/models/thirds", 405, b"{}", mounts=V1),
    post(
        "a structured CloudEvent",
        PREDICT,
        {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": {"instances": [ROW]}},
        400,
        "200, and an event back",
        mounts=V1,
        headers={"Content-Type": "application/cloudevents+json"},
        why_not="Weir reads no CloudEvents.",
    ),
    post(
        "a binary CloudEvent",
        PREDICT,
        {"instances": [ROW]},
        200,
        "200",
        mounts=V1,
        headers={"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "t"},
    ),
)

V2 = (
    post("V2 with nested data", INFER, infer(tensor([NESTED])), 200, "200", has='"datatype":"FP32"'),
    post("V2 with flat data", INFER, infer(), 200, "200", has='"model_name":"thirds"'),
    post("V2 of a version", "/v2/models/thirds/versions/2/infer", infer(), 200, "200", has='"model_version":"2"'),
    post(
        "V2 with an id",
        INFER,
        infer(id="d3b15cad-50a2-4eaf-80ce-8b0a428bd298"),
        200,
        "the same id",
        has='"id":"d3b15cad-50a2-4eaf-80ce-8b0a428bd298"',
    ),
    post("V2 with parameters of the caller", INFER, infer(parameters=TAGS), 200, "200"),
    post("V2 with parameters of the caller on an input", INFER, infer(tensor(parameters=TAGS)), 200, "200"),
    post(
        "V2 with parameters of the caller on an output",
        INFER,
        infer(outputs=[{"name": "label", "parameters": TAGS}]),
        200,
        "200",
    ),
    post(
        "V2 with every optional key null",
        INFER,
        infer(tensor(parameters=None), id=None, parameters=None, outputs=None, model_name=None, model_version=None),
        200,
        "200",
    ),
    post("V2 with the client's own keys", INFER, infer(model_name="thirds", request_id="1"), 200, "200"),
    post("V2 with inputs as a text", INFER, {"inputs": "invalid"}, 400, "400"),
    post("V2 with no inputs", INFER, {"inputs": []}, 400, "the model decides"),
    post("V2 with another datatype", INFER, infer(tensor(datatype="FP64")), 400, "the model decides"),
    post("V2 with FP16 in the JSON", INFER, infer(tensor(datatype="FP16")), 400, "400"),
    post("V2 with the shape of a scalar", INFER, infer(tensor(shape=[])), 400, "the model decides"),
    post(
        "V2 with a table of columns",
        INFER,
        infer({"name": "a", "shape": [1], "datatype": "FP32", "data": [7.4]}, parameters={"content_type": "pd"}),
        400,
        "a table",
        why_not=ONE_INPUT,
    ),
    post(
        "V2 with texts",
        INFER,
        infer({"name": "input-0", "shape": [1], "datatype": "BYTES", "data": ["a"]}),
        400,
        "the model decides",
    ),
    post("V2 of an unknown model", "/v2/models/InvalidModel/infer", infer(), 404, "404"),
    *(
        post(
            f"V2 with {about}",
            INFER,
            infer(**other),
            200,
            wants,
            has='"binary_data_size"' if binary else '"data":[',
        )
        for about, other, wants, binary in (
            ("all outputs binary", {"parameters": {"binary_data_output": True}}, "bytes behind the JSON", True),
            ("no output binary", {"parameters": {"binary_data_output": False}}, "JSON", False),
            (
                "one output binary",
                {"outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}]},
                "bytes",
                True,
            ),
            (
                "one output as JSON",
                {"outputs": [{"name": "probabilities", "parameters": {"binary_data": False}}]},
                "JSON",
                False,
            ),
            (
                "all outputs binary but one",
                {
                    "outputs": [{"name": "label", "parameters": {"binary_data": False}}],
                    "parameters": {"binary_data_output": True},
                },
                "the output's own parameter comes first",
                False,
            ),
            ("outputs by name", {"outputs": named(["label", "probabilities"])}, "both", False),
        )
    ),
    post("V2 with the shape beyond the data", INFER, infer(tensor(shape=[2, 4, 4])), 400, "400"),
)


def _binary(media_type: str) -> Case:
    head = infer(tensor(data=..., parameters={"binary_data_size": 64}))
    return post(
        f"V2 with bytes behind the JSON as {media_type or 'no media type'}",
        INFER,
        head + np.zeros(16, "<f4").tobytes(),
        200,
        "200",
        headers={"Inference-Header-Content-Length": str(len(head))}
        | ({"Content-Type": media_type} if media_type else {}),
    )


SUITE = Suite(
    "KServe",
    "https://github.com/kserve/kserve/tree/master/python/kserve/test",
    (*LIVENESS, *PREDICTIONS, *V2, *(_binary(kind) for kind in ("application/octet-stream", "application/json", ""))),
)


@pytest.mark.parametrize(("case", "mount"), SUITE.parameters())
def test_kserve(ask: Ask, case: Case, mount: str) -> None:
    """The answer is what the table says."""
    check(ask, case, mount)
