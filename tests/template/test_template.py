"""template.yaml against the code that it deploys."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import template
from local.system import TEMPLATE
from local.template import DEFAULT
from tests.serving import ROOT, load_app
from weir.api.routes import verbs

FOUND = template.read(TEMPLATE)
DOCUMENT: dict[str, Any] = yaml.load(TEMPLATE.read_bytes(), template._Loader)
RESOURCES: dict[str, Any] = DOCUMENT["Resources"]
DEFINITION = RESOURCES["Api"]["Properties"]["DefinitionBody"]
APPS = {"PredictFunction": "predict", "CascadeFunction": "cascade", "ModelsFunction": "models"}


def _patterns(name: str) -> set[str]:
    """Take the routes that a handler registered, as `VERB /path/{variable}`."""
    app = load_app(name).app
    rules = {(route.method, route.rule.pattern) for route in [*app._static_routes, *app._dynamic_routes]}
    variable = re.compile(r"\(\?P<(\w+)>.*?\]\+\)")
    paths = {(method, variable.sub(r"{\1}", pattern).strip("^$")) for method, pattern in rules}
    return {_routed(method, path) for method, path in paths if not path.endswith("/")}  # a slash more: $default's


def _routed(method: str, path: str) -> str:
    """Name the route that brings a path; none ends in `:predict`, for a variable fills a whole segment."""
    return f"{method} " + ("/v1/{proxy+}" if path.startswith("/v1/") else path)


@pytest.mark.parametrize("function", APPS)
def test_routes_of_the_template_are_those_of_the_handler(
    function: str, thirds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each route has a handler, and each handler a route."""
    monkeypatch.setenv("MODEL_STORE", thirds.as_uri())
    routed = {f"{r.method} {r.path}" for r in FOUND.routes if r.function == function and r.path != DEFAULT}
    assert routed == _patterns(APPS[function])


def test_every_route_has_its_verb_in_the_list_for_405() -> None:
    """`weir.api.routes` knows every path of the template, and no verb that it has not."""
    for route in FOUND.routes:
        if route.path != DEFAULT:
            path = route.path.replace("{proxy+}", "models/x:predict")
            assert verbs(re.sub(r"\{\w+\}", "x", path)) == (route.method,)


def test_the_default_route_goes_to_the_models_function() -> None:
    """Unknown paths and verbs get an answer of the protocol."""
    assert [route.function for route in FOUND.routes if route.path == DEFAULT] == ["ModelsFunction"]


def test_every_function_folder_is_deployed() -> None:
    """No handler is forgotten, none is invented."""
    folders = {folder.parent.resolve() for folder in (ROOT / "functions").glob("*/app.py")}
    assert {spec.folder for spec in FOUND.functions.values()} == folders


def test_every_operation_asks_for_iam() -> None:
    """No route is open by oversight: the page and its document are when a parameter says so."""
    operations = [(path, found) for path, verbs in DEFINITION["paths"].items() for found in verbs.values()]
    assert len(operations) == len(FOUND.routes)
    opened = {"If": ["OpenDocs", [], [{"Iam": []}]]}
    for path, operation in operations:
        assert operation["security"] == (opened if path in {"/docs", "/openapi.json"} else [{"Iam": []}])
    assert DOCUMENT["Conditions"]["OpenDocs"] == {"Equals": [{"Ref": "DocsWithoutAuthorization"}, "true"]}
    assert DOCUMENT["Parameters"]["DocsWithoutAuthorization"]["Default"] == "false"
    assert DEFINITION["components"]["securitySchemes"]["Iam"]["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_the_api_may_call_each_function_that_it_routes_to() -> None:
    """SAM makes no permission for the routes of a definition; without one, each request is a 500."""
    allowed = {
        resource["Properties"]["FunctionName"]["Ref"]
        for resource in RESOURCES.values()
        if resource["Type"] == "AWS::Lambda::Permission"
        and resource["Properties"]["Principal"] == "apigateway.amazonaws.com"
        and resource["Properties"]["SourceArn"]["Sub"].endswith(":${Api}/*")
    }
    assert allowed == {route.function for route in FOUND.routes}


def test_every_body_arrives_as_its_bytes() -> None:
    """A binary body is not taken for text on its way."""
    assert DEFINITION["x-amazon-apigateway-binary-media-types"] == ["*/*"]


@pytest.mark.parametrize("function", FOUND.functions)
def test_each_function_logs_into_a_group_of_its_own_that_ends(function: str) -> None:
    """No group is kept for ever, and none is made by a function that runs before it is there."""
    group = RESOURCES[function]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
    assert group == f"{function.removesuffix('Function')}Logs"
    assert RESOURCES[group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("function", FOUND.functions)
def test_only_batches_write_and_only_there(function: str) -> None:
    """What answers requests can read models and nothing else."""
    statements = [one for policy in RESOURCES[function]["Properties"]["Policies"] for one in policy["Statement"]]
    told = {one["Resource"]["Sub"].rpartition(":::")[2].partition("/")[2]: one["Action"] for one in statements}
    expected: dict[str, object] = {"models/*": "s3:GetObject", "": "s3:ListBucket"}
    if function == "BatchFunction":
        expected |= {"batches/in/*": "s3:GetObject", "batches/out/*": ["s3:PutObject", "s3:AbortMultipartUpload"]}
    assert told == expected


def test_a_failed_file_comes_again_alone_and_then_is_kept() -> None:
    """Lambda reads the function's list of failures, and the queue has a place for what fails each time."""
    (source,) = RESOURCES["BatchFunction"]["Properties"]["Events"].values()
    assert source["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    redrive = RESOURCES["BatchQueue"]["Properties"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"GetAtt": "BatchDeadLetters.Arn"}


def test_the_bucket_waits_until_it_may_write_to_the_queue() -> None:
    """S3 tries the queue when the notification is made, and a deployment fails when it can't."""
    assert RESOURCES["StoreBucket"]["DependsOn"] == "BatchQueuePolicy"


def test_the_layers_are_for_the_python_and_the_machine_of_the_functions() -> None:
    """Compiled wheels load nowhere else."""
    shared = DOCUMENT["Globals"]["Function"]
    layers = [RESOURCES[layer["Ref"]] for layer in shared["Layers"]]
    assert len(layers) == 2
    for layer in layers:
        assert layer["Properties"]["CompatibleRuntimes"] == [shared["Runtime"]] == ["python3.12"]
        assert layer["Properties"]["CompatibleArchitectures"] == shared["Architectures"]


def test_batches_wait_longer_than_the_function_takes() -> None:
    """A message is not delivered again while its file is being answered: six times the timeout, as AWS advises."""
    visibility = RESOURCES["BatchQueue"]["Properties"]["VisibilityTimeout"]
    assert visibility >= 6 * FOUND.functions[FOUND.queue.function].timeout_s


def test_the_bucket_is_named_alike_wherever_it_is_named() -> None:
    """References would make a circle, so the name is written out; all of them are the same."""
    text = TEMPLATE.read_text()
    names = set(re.findall(r"\$\{AWS::StackName\}[-\w]*\$\{AWS::AccountId\}", text))
    assert names == {"${AWS::StackName}-store-${AWS::AccountId}"}


def test_only_our_prefixes_are_told_to_the_queue() -> None:
    """What the batch function writes does not call it again."""
    assert FOUND.queue.prefix == "batches/in/"


def test_layer_pins_are_the_projects_own() -> None:
    """What is deployed is what was tested."""
    pins = {
        line.lower().replace("_", "-")
        for line in (ROOT / "layers/runtime/requirements.txt").read_text().splitlines()
        if not line.startswith("#")
    }
    constraints = {line.lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert pins <= constraints
    assert "ai-edge-litert==1.2.0" in pins
