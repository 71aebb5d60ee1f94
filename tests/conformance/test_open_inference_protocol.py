"""The Open Inference Protocol: what its text says of V2 REST, and its own OpenAPI document.

`open_inference_rest.yaml` is the protocol's file, unchanged; `tests/check/test_protocol.py` runs schemathesis with it.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.conformance.cases import ROW, Ask, Case, Suite, check, get, infer, named, post, tensor

INFER = "/v2/models/thirds/infer"
DOCUMENT: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("open_inference_rest.yaml").read_text())
NO_CASE = "The datatype is not that of the model."

PATHS = tuple(
    get(path, path, 200, wants, has=has)
    for path, wants, has in (
        ("/v2/health/live", "200", ""),
        ("/v2/health/ready", "200", ""),
        ("/v2", "name, version and extensions", '"extensions":['),
        ("/v2/", "name, version and extensions", '"extensions":['),
        ("/v2/models/thirds", "name, versions, platform, inputs, outputs", '"platform":"weir_tflite"'),
        ("/v2/models/thirds/versions/1", "the same, of the version", '"versions":["1"]'),
        ("/v2/models/thirds/ready", "200", ""),
        ("/v2/models/thirds/versions/1/ready", "200", ""),
        ("/v2/models/pair", "-1 for a dimension of any size", '"shape":[-1,2]'),
    )
)

REQUESTS = (
    post("no version: the server chooses", INFER, infer(), 200, "200 and the version", has='"model_version":"1"'),
    post("a version", "/v2/models/thirds/versions/2/infer", infer(), 200, "200", has='"model_version":"2"'),
    post("an id", INFER, infer(id="42"), 200, "the id comes back", has='"id":"42"'),
    post("an empty id", INFER, infer(id=""), 200, "the id comes back", has='"id":""'),
    post("no id", INFER, infer(), 200, "no id", has='{"model_name":"thirds"'),
    post(
        "outputs by name", INFER, infer(outputs=named(["label"])), 200, "that output", has='"outputs":[{"name":"label"'
    ),
    post("no outputs", INFER, infer(), 200, "all outputs", has='"name":"probabilities"'),
    post(
        "parameters of any name", INFER, infer(parameters={"my_parameter": 1}), 200, "they are for the server to know"
    ),
    post(
        "parameters of an input",
        INFER,
        infer(tensor(parameters={"my_parameter": "x"})),
        200,
        "they are for the server to know",
    ),
    post(
        "parameters of an output",
        INFER,
        infer(outputs=[{"name": "label", "parameters": {"p": True}}]),
        200,
        "they are for the server to know",
    ),
    post("flat data, row-major", INFER, infer(), 200, "200"),
    post("nested data, row-major", INFER, infer(tensor([[[0.0] * 4] * 4])), 200, "200"),
    post(
        "a failed request",
        INFER,
        infer(tensor([])),
        400,
        "a status of HTTP's, and an object with error",
        has='{"error":"',
    ),
    post(
        "an unknown model",
        "/v2/models/m/infer",
        infer(),
        404,
        "a status of HTTP's, and an object with error",
        has='{"error":"',
    ),
    get(
        "an unknown model's metadata",
        "/v2/models/m",
        404,
        "a status of HTTP's, and an object with error",
        has='{"error":"',
    ),
    *(
        post(f"the required {key} of an input is absent", INFER, infer(tensor(**{key: ...})), 400, "400")
        for key in ("name", "shape", "datatype", "data")
    ),
    post("the required inputs are absent", INFER, {}, 400, "400"),
    post("the required name of an output is absent", INFER, infer(outputs=[{}]), 400, "400"),
    *(
        post(f"{key} of {value!r}", INFER, infer(**{key: value}), 400, "400")
        for key, value in (
            ("id", 1),
            ("id", []),
            ("outputs", {}),
            ("outputs", "label"),
            ("parameters", "p"),
            ("parameters", []),
        )
    ),
    *(
        post(f"an input's {key} of {value!r}", INFER, infer(tensor(**{key: value})), 400, "400")
        for key, value in (
            ("name", 1),
            ("shape", "1"),
            ("shape", ["1", 4, 4]),
            ("datatype", 1),
            ("data", "0"),
            ("parameters", 1),
        )
    ),
    *(
        post(
            f"the datatype {datatype}",
            "/v2/models/pair/infer",
            infer(
                {"name": "a", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]},
                {"name": "b", "shape": [1, 3], "datatype": datatype, "data": [1, 2, 3]},
            ),
            200 if datatype == "INT32" else 400,
            "200: it is the model's" if datatype == "INT32" else "400: the model's is INT32",
        )
        for datatype in (
            *("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"),
            *("FP16", "FP32", "FP64", "BYTES", "BF16", "int32", "X"),
        )
    ),
)

SUITE = Suite(
    "Open Inference Protocol",
    "https://github.com/kserve/open-inference-protocol/tree/main/specification/protocol",
    (*PATHS, *REQUESTS),
)

ANSWERS: dict[str, tuple[Case, ...]] = {
    "metadata_server_response": (PATHS[2], PATHS[3]),
    "metadata_model_response": tuple(
        get("", f"/v2/models/{name}", 200, "") for name in ("thirds", "layers", "pair", "mnist-sample")
    ),
    "inference_response": tuple(case for case in REQUESTS if case.status == 200),
    "inference_error_response": tuple(case for case in REQUESTS if case.status >= 400),
}
"""schema of the document -> requests whose answers have it"""


@pytest.mark.parametrize(("case", "mount"), SUITE.parameters())
def test_open_inference_protocol(ask: Ask, case: Case, mount: str) -> None:
    """The answer is what the table says."""
    check(ask, case, mount)


@pytest.mark.parametrize("mount", ["", "/cascade"])
@pytest.mark.parametrize("schema", ANSWERS)
def test_answers_have_the_schemas_of_the_document(ask: Ask, schema: str, mount: str) -> None:
    """Each answer validates against the protocol's own OpenAPI document; optional keys are absent, never null."""
    definition = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    validator = jsonschema.Draft4Validator(definition)
    for case in ANSWERS[schema]:
        validator.validate(json.loads(ask(mount, case).body))


def test_every_path_of_the_document_is_a_route(ask: Ask) -> None:
    """Each path and verb of the protocol's document is answered."""
    body = infer(tensor(ROW))
    for path, verbs in DOCUMENT["paths"].items():
        plain = path.replace("${MODEL_NAME}", "thirds").replace("${MODEL_VERSION}", "1")
        for verb in verbs.keys() - {"parameters"}:
            assert ask("", Case("", "", verb.upper(), plain, 200, body if verb == "post" else b"")).status == 200
