"""TensorFlow Serving: the tests of its REST handler, of its paths, and of its JSON."""

import json

import pytest

from tests.conformance.cases import ROW, V1, Ask, Case, Suite, check, encoded, infer

MALFORMED = (
    "TensorFlow Serving answers 400 to any path that it does not know; Weir answers 404 or 405, as HTTP has them."
)
OTHER_METHODS = "Weir's models have one signature, for predict."
NAME = "modelname!#$%&'()*+,/:;=?@[]"
NESTED = [[0.0] * 4] * 4
A, B = [1, 2], [1, 2, 3]


def _get(about: str, path: str, status: int, wants: str = "200", has: str = "", why_not: str = "") -> Case:
    return Case(about, wants, "GET", f"/v1/models{path}", status, has=has, why_not=why_not, mounts=V1)


def _predict(
    about: str, body: object, status: int, wants: str = "", has: str = "", why_not: str = "", path: str = "/thirds"
) -> Case:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    wants = wants or ("400" if status == 400 else "200")
    return Case(about, wants, "POST", f"/v1/models{path}:predict", status, content, {}, has, why_not, V1)


_UNKNOWN: tuple[tuple[str, str, int], ...] = (
    ("GET", "/v1/foo", 404),
    ("POST", "/v1/foo", 404),
    ("POST", "/v1/models", 405),
    ("GET", "/v1/models/debug/model_name", 404),
    ("GET", "/v1/models/foo:predict", 405),
    ("GET", "/v1/models/foo/version/50:predict", 404),
    ("POST", "/v1/models/foo/version/50:regress", 404),
    ("POST", "/v1/models/foo/versions/HELLO:regress", 404),
    ("POST", "/v1/models/foo/versions/18446744073709551615:regress", 404),
    ("POST", "/v1/models/foo/metadata", 405),
    ("POST", "/v1/models/foo/label/some_label:regress", 404),
    ("POST", "/v1/models/foo/versions/50/labels/some_label:regress", 404),
    ("POST", "/v1/models/foo/versions/some_label:regress", 404),
    ("POST", "/v1/models/thirds", 405),
    ("POST", "/v1/models/thirds/versions/1", 405),
    ("DELETE", "/v1/models/thirds", 405),
    ("PUT", "/v1/models/thirds:predict", 405),
    ("GET", "/v1/models/thirds/versions/1:predict", 405),
    ("GET", "/v1/models/thirds/labels/champion:predict", 405),
    ("GET", "/v1/models/", 404),
    ("GET", "/v1/models/thirds/versions", 404),
    ("GET", "/v1/models/thirds/metadata/more", 404),
    ("POST", "/v1/models/:predict", 404),
)
PATHS = (
    *(
        Case(
            f"{verb} {path}", "400", verb, path, status, b"{}" if verb == "POST" else b"", mounts=V1, why_not=MALFORMED
        )
        for verb, path, status in _UNKNOWN
    ),
    _get("no name of a model", "", 200, "400", why_not="KServe's V1 clients ask here for the names of the models."),
)

NAMES = (
    *(
        _predict(f"predict by {path}", {"instances": [ROW]}, 404, "404", path=path)
        for path in ("/foo", "/foo/versions/50", "/thirds99", "/Foo", f"/{encoded(NAME)}", "/thirds/versions/99")
    ),
    _predict(
        "predict by an unknown label",
        {"instances": [ROW]},
        404,
        "400",
        path="/thirds/labels/nobody",
        why_not="A label that does not exist is a 404, like a version.",
    ),
    _predict(
        "predict by a version that is a label",
        {"instances": [ROW]},
        200,
        "400",
        path="/thirds/versions/champion",
        why_not="Weir takes an alias wherever it takes a number.",
    ),
    *(
        _get(f"status of {path}", path, 404, "404")
        for path in (
            "/foo",
            "/foo/versions/1",
            f"/{encoded(NAME)}",
            "/thirds/versions/99",
            "/thirds/labels/nobody",
            "/foo/metadata",
        )
    ),
)

ROUTES = (
    *(
        case
        for version in ("", "/versions/1", "/labels/champion")
        for case in (
            _predict(
                f"predict{version}", {"instances": [ROW] * 2}, 200, has='{"predictions":[[', path=f"/thirds{version}"
            ),
            _predict(
                f"predict{version} by columns",
                {"inputs": [ROW] * 2},
                200,
                has='{"outputs":[[',
                path=f"/thirds{version}",
            ),
            _get(f"status{version}: version", f"/thirds{version}", 200, has='"version":"1"'),
            _get(f"status{version}: state", f"/thirds{version}", 200, has='"state":"AVAILABLE"'),
            _get(
                f"status{version}: error code",
                f"/thirds{version}",
                200,
                has='"status":{"error_code":"OK","error_message":""}',
            ),
            _get(f"metadata{version}: model", f"/thirds{version}/metadata", 200, has='"model_spec":{"name":"thirds"'),
            _get(
                f"metadata{version}: signature",
                f"/thirds{version}/metadata",
                200,
                has='"signature_def":{"serving_default":',
            ),
            _get(f"metadata{version}: dtype", f"/thirds{version}/metadata", 200, has='"dtype":"DT_FLOAT"'),
            _get(f"metadata{version}: shape", f"/thirds{version}/metadata", 200, has='"dim":[{"size":"-1","name":""}'),
            _get(
                f"metadata{version}: method",
                f"/thirds{version}/metadata",
                200,
                has='"method_name":"tensorflow/serving/predict"',
            ),
        )
    ),
    _get("status of all versions", "/thirds", 200, "each version", has='{"version":"2","state":"AVAILABLE"'),
    _get("metadata of two inputs", "/pair/metadata", 200, has='"dtype":"DT_INT32"'),
)

METHODS = tuple(
    Case(
        f"{method}{version}",
        "200",
        "POST",
        f"/v1/models/thirds{version}:{method}",
        404,
        b'{"examples": [{"x": 80.0}]}',
        mounts=V1,
        why_not=OTHER_METHODS,
    )
    for method in ("regress", "classify")
    for version in ("", "/versions/1", "/labels/champion")
)

_BIG = [1435774380] * 16
VALUES = tuple(
    _predict(about, {"instances": [row]}, status, wants, why_not=why_not)
    for about, row, status, wants, why_not in (
        ("whole numbers and fractions", [1, 2.0, 3, 5.003, *ROW[4:]], 200, "200", ""),
        ("whole numbers that FP32 rounds", _BIG, 200, "200", ""),
        ("fractions that FP32 rounds", [float(value) for value in _BIG], 200, "200", ""),
        ("values below FP32's least", [2.2250738585072014e-308] * 16, 200, "0", ""),
        (
            "values above FP32's most",
            [1.7976931348623157e308] * 16,
            400,
            "infinity",
            "Weir refuses what is not finite.",
        ),
        (
            "values below FP32's range",
            [-1.7976931348623157e308] * 16,
            400,
            "-infinity",
            "Weir refuses what is not finite.",
        ),
        ("NaN", [float("nan")] * 16, 400, "NaN", "JSON has no NaN, and Weir refuses what is not finite."),
        (
            "Infinity",
            [float("inf")] * 16,
            400,
            "infinity",
            "JSON has no Infinity, and Weir refuses what is not finite.",
        ),
        ("texts", ["x"] * 16, 400, "400", ""),
        ("texts that are numbers", ["1"] * 16, 400, "400", ""),
        ("true", [True] * 16, 400, "400", ""),
        ("null", [None] * 16, 400, "400", ""),
        ("an object among values", [*ROW[1:], {}], 400, "400", ""),
        ("base64", [{"b64": "aGVsbG8="}] * 16, 400, "400 for numbers", ""),
        ("nested", NESTED, 200, "200", ""),
        ("ragged", [[0.0] * 4] * 3 + [[0.0] * 3], 400, "400", ""),
        (
            "ragged, of the right count",
            [[0.0] * 5, [0.0] * 3, [0.0] * 4, [0.0] * 4],
            200,
            "400",
            "Weir reads values of any nesting; only their count must match.",
        ),
        ("too few values", ROW[:-1], 400, "400", ""),
        ("too many values", [*ROW, 0.0], 400, "400", ""),
    )
)

_BODIES: tuple[tuple[str, object, int, str, str], ...] = (
    ("an empty body", b"", 400, "", ""),
    ("no JSON", b"instances = [1, 2]", 400, "", ""),
    ("a list", [], 400, "", ""),
    ("a body of null", b"null", 400, "", ""),
    ("an empty object", {}, 400, "", ""),
    ("JSON that is cut", b'{"instances": [[1]', 400, "", ""),
    ("a letter behind the JSON", b'{"instances": [[1,2],[3,4]]}X', 400, "", ""),
    ("a byte order mark", b"\xef\xbb\xbf" + json.dumps({"instances": [ROW]}).encode(), 200, "", ""),
    ("instances of null", {"instances": None}, 400, "", ""),
    ("instances that are no list", {"instances": 1}, 400, "", ""),
    ("instances as an object", {"instances": {"image": [ROW]}}, 400, "", ""),
    ("no instance", {"instances": []}, 400, "", ""),
    ("a scalar as instance", {"instances": [1]}, 400, "", ""),
    ("inputs of null", {"inputs": None}, 400, "", ""),
    ("inputs that are no list", {"inputs": 1}, 400, "", ""),
    ("no input", {"inputs": []}, 400, "", ""),
    ("instances and inputs", {"instances": [ROW], "inputs": [ROW]}, 400, "", ""),
    ("instances, and inputs of null", {"instances": [ROW], "inputs": None}, 200, "", ""),
    ("the signature", {"signature_name": "serving_default", "instances": [ROW]}, 200, "", ""),
    ("the signature, by columns", {"signature_name": "serving_default", "inputs": [ROW]}, 200, "", ""),
    ("an empty signature", {"signature_name": "", "instances": [ROW]}, 200, "the default signature", ""),
    ("a signature of null", {"signature_name": None, "instances": [ROW]}, 200, "400", "null means absent, everywhere."),
    ("another signature", {"signature_name": "predict_images", "instances": [ROW]}, 400, "", ""),
    ("a signature that is a number", {"signature_name": 100}, 400, "", ""),
    ("a signature in 500,000 lists", b'{"signature_name":' + b"[" * 500_000 + b"]" * 500_000 + b"}", 400, "", ""),
    (
        "a key in 100 lists",
        b'{"instances":[' + json.dumps(ROW).encode() + b'],"nested":' + b"[" * 100 + b"]" * 100 + b"}",
        200,
        "",
        "",
    ),
    ("an unknown key", {"instances": [ROW], "more": 1}, 200, "", ""),
    ("rows by name", {"instances": [{"image": ROW}, {"image": ROW}]}, 200, "", ""),
    ("columns by name", {"inputs": {"image": [ROW, ROW]}}, 200, "", ""),
    ("rows by an unknown name", {"instances": [{"default": ROW}]}, 400, "", ""),
    ("columns by an unknown name", {"inputs": {"default": [ROW]}}, 400, "", ""),
    ("rows by name and one name more", {"instances": [{"image": ROW, "more": ROW}]}, 400, "", ""),
    ("a row without names", {"instances": [{}]}, 400, "", ""),
    ("a named row before a bare one", {"instances": [{"image": ROW}, ROW]}, 400, "", ""),
    ("a bare row before a named one", {"instances": [ROW, {"image": ROW}]}, 400, "", ""),
    ("a nested row before a flat one", {"instances": [NESTED, ROW]}, 400, "", ""),
    ("a flat row before a nested one", {"instances": [ROW, NESTED]}, 400, "", ""),
    ("a column of mixed rows", {"inputs": {"image": [ROW, NESTED]}}, 400, "", ""),
    ("rows of different lengths", {"instances": [ROW, ROW[:-1]]}, 400, "", ""),
    ("a text among rows", {"instances": [ROW, "x"]}, 400, "", ""),
)
BODIES = tuple(_predict(about, body, status, wants, why_not=why_not) for about, body, status, wants, why_not in _BODIES)

PAIRS = tuple(
    _predict(f"two inputs: {about}", body, status, path="/pair")
    for about, body, status in (
        ("rows", {"instances": [{"a": A, "b": B}, {"b": B, "a": A}]}, 200),
        ("columns", {"inputs": {"a": [A, A], "b": [B, B]}}, 200),
        ("rows without names", {"instances": [A]}, 400),
        ("columns without names", {"inputs": [A]}, 400),
        ("a row that lacks one", {"instances": [{"a": A, "b": B}, {"a": A}]}, 400),
        ("columns that lack one", {"inputs": {"a": [A]}}, 400),
        ("columns of different lengths", {"inputs": {"a": [A, A], "b": [B]}}, 400),
        ("a row that is a list", {"instances": [{"a": A, "b": B}, [A, B]]}, 400),
        ("a fraction for INT32", {"instances": [{"a": A, "b": [1.5, 2, 3]}]}, 400),
        ("a whole number beyond INT32", {"instances": [{"a": A, "b": [2**31, 2, 3]}]}, 400),
    )
)

OTHER_PROTOCOL = (
    _predict("a request of V2", infer(), 400, "400"),
    Case(
        "V1 below /cascade",
        "nothing: it is Weir's",
        "POST",
        "/cascade/v1/models/thirds:predict",
        400,
        b"{}",
        has="instances",
        mounts=V1,
    ),
)

SUITE = Suite(
    "TensorFlow Serving",
    "https://github.com/tensorflow/serving/tree/master/tensorflow_serving",
    (*PATHS, *NAMES, *ROUTES, *METHODS, *VALUES, *BODIES, *PAIRS, *OTHER_PROTOCOL),
)


@pytest.mark.parametrize(("case", "mount"), SUITE.parameters())
def test_tensorflow_serving(ask: Ask, case: Case, mount: str) -> None:
    """The answer is what the table says."""
    check(ask, case, mount)
