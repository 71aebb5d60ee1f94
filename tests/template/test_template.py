"""template.yaml against the code that it deploys."""

import re
from typing import Any

import pytest
import yaml

from local import template
from local.system import TEMPLATE
from local.template import DEFAULT
from tests.serving import ROOT
from weir.api import routes
from weir.api.routes import ROUTES, Function

LOCAL = template.read(TEMPLATE)
DOCUMENT: dict[str, Any] = yaml.load(TEMPLATE.read_bytes(), template._Loader)
RESOURCES: dict[str, Any] = DOCUMENT["Resources"]
DEFINITION = RESOURCES["Api"]["Properties"]["DefinitionBody"]
FUNCTIONS: dict[str, Function] = {
    "PredictFunction": "predict",
    "CascadeFunction": "cascade",
    "ModelsFunction": "models",
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_routes_of_the_template_are_those_of_the_table(function: str) -> None:
    """Each route of API Gateway is in `weir.api.routes`, and each route there has one of API Gateway's."""
    deployed = {f"{route.method} {route.path}" for route in LOCAL.routes if route.function == function}
    expected = {route.gateway_key for route in ROUTES if route.function == FUNCTIONS[function]}
    assert {key.removeprefix("ANY ") for key in deployed} == expected


def test_every_function_of_the_table_is_deployed() -> None:
    """No route of the table belongs to a function that the template lacks."""
    assert {route.function for route in ROUTES} == set(FUNCTIONS.values())
    assert {LOCAL.functions[name].folder.name for name in FUNCTIONS} == set(FUNCTIONS.values())


@pytest.mark.parametrize("function", LOCAL.functions)
def test_only_functions_that_predict_preload(function: str) -> None:
    """Health, metadata and batches never depend on the models that are preloaded."""
    variables = LOCAL.functions[function].environment
    assert ("MODELS_PRELOAD" in variables) == (function in {"PredictFunction", "CascadeFunction"})


def test_the_default_route_goes_to_the_models_function() -> None:
    """Unknown paths and verbs get an answer of the protocol."""
    assert routes.DEFAULT == DEFAULT
    assert [route.function for route in LOCAL.routes if route.path == DEFAULT] == ["ModelsFunction"]


def test_every_function_folder_is_deployed() -> None:
    """Every handler is deployed, and every deployed function has one."""
    folders = {folder.parent.resolve() for folder in (ROOT / "functions").glob("*/app.py")}
    assert {spec.folder for spec in LOCAL.functions.values()} == folders


def test_every_operation_requires_iam() -> None:
    """No route is open by oversight: the page and its document are when a parameter says so."""
    operations = [(path, operation) for path, verbs in DEFINITION["paths"].items() for operation in verbs.values()]
    assert len(operations) == len(LOCAL.routes)
    opened = {"If": ["OpenDocs", [], [{"Iam": []}]]}
    for path, operation in operations:
        assert operation["security"] == (opened if path in {"/docs", "/openapi.json"} else [{"Iam": []}])
    assert DOCUMENT["Conditions"]["OpenDocs"] == {"Equals": [{"Ref": "DocsWithoutAuthorization"}, "true"]}
    assert DOCUMENT["Parameters"]["DocsWithoutAuthorization"]["Default"] == "false"
    assert DEFINITION["components"]["securitySchemes"]["Iam"]["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_the_api_may_call_each_function_that_it_routes_to() -> None:
    """SAM makes no permission for the routes of a definition, and without one each request is a 500."""
    allowed = {
        resource["Properties"]["FunctionName"]["Ref"]
        for resource in RESOURCES.values()
        if resource["Type"] == "AWS::Lambda::Permission"
        and resource["Properties"]["Principal"] == "apigateway.amazonaws.com"
        and resource["Properties"]["SourceArn"]["Sub"].endswith(":${Api}/*")
    }
    assert allowed == {route.function for route in LOCAL.routes}


def test_every_body_arrives_as_its_bytes() -> None:
    """API Gateway treats no body as text, so binary bodies arrive unchanged."""
    assert DEFINITION["x-amazon-apigateway-binary-media-types"] == ["*/*"]


@pytest.mark.parametrize("function", LOCAL.functions)
def test_each_function_logs_into_a_group_of_its_own_that_ends(function: str) -> None:
    """No log is kept for ever, and no function makes its group itself, which would have no end."""
    group = RESOURCES[function]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
    assert group == f"{function.removesuffix('Function')}Logs"
    assert RESOURCES[group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("function", LOCAL.functions)
def test_only_the_batch_function_writes_and_only_its_outputs(function: str) -> None:
    """Functions that answer requests can read models and nothing else."""
    statements = [one for policy in RESOURCES[function]["Properties"]["Policies"] for one in policy["Statement"]]
    allowed = {one["Resource"]["Sub"].rpartition(":::")[2].partition("/")[2]: one["Action"] for one in statements}
    expected: dict[str, object] = {"models/*": "s3:GetObject", "": "s3:ListBucket"}
    if function == "BatchFunction":
        expected |= {"batches/in/*": "s3:GetObject", "batches/out/*": ["s3:PutObject", "s3:AbortMultipartUpload"]}
        expected["batches/out/*/summary.json"] = "s3:GetObject"
    assert allowed == expected


def test_only_a_failed_file_is_delivered_again_and_finally_kept() -> None:
    """Lambda reads the function's list of failures, and the queue has a dead-letter queue."""
    (source,) = RESOURCES["BatchFunction"]["Properties"]["Events"].values()
    assert source["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    redrive = RESOURCES["BatchQueue"]["Properties"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"GetAtt": "BatchDeadLetters.Arn"}


def test_an_invocation_without_the_queue_that_fails_is_kept_too() -> None:
    """Lambda sends it to the queue of dead letters after as many tries as the queue has; SAM adds the permission."""
    config = RESOURCES["BatchFunction"]["Properties"]["EventInvokeConfig"]
    destination = config["DestinationConfig"]["OnFailure"]
    assert destination == {"Type": "SQS", "Destination": {"GetAtt": "BatchDeadLetters.Arn"}}
    assert config["MaximumRetryAttempts"] + 1 == LOCAL.queue.max_receives


def test_the_bucket_waits_until_it_may_write_to_the_queue() -> None:
    """S3 tests the queue when the notification is made, and a deployment fails when it may not send."""
    assert RESOURCES["StoreBucket"]["DependsOn"] == "BatchQueuePolicy"


def test_the_layers_are_for_the_python_and_the_machine_of_the_functions() -> None:
    """Compiled wheels load on no other Python or machine."""
    shared = DOCUMENT["Globals"]["Function"]
    layers = [RESOURCES[layer["Ref"]] for layer in shared["Layers"]]
    assert len(layers) == 2
    for layer in layers:
        assert layer["Properties"]["CompatibleRuntimes"] == [shared["Runtime"]] == ["python3.12"]
        assert layer["Properties"]["CompatibleArchitectures"] == shared["Architectures"]


def test_batches_wait_longer_than_the_function_takes() -> None:
    """A message is not delivered again while its file is being answered: six times the timeout, as AWS advises."""
    visibility = RESOURCES["BatchQueue"]["Properties"]["VisibilityTimeout"]
    assert visibility >= 6 * LOCAL.functions[LOCAL.queue.function].timeout_s


def test_the_bucket_is_named_alike_wherever_it_is_named() -> None:
    """References would make a circle, so the name is repeated; all repetitions are equal."""
    text = TEMPLATE.read_text()
    names = set(re.findall(r"\$\{AWS::StackName\}[-\w]*\$\{AWS::AccountId\}", text))
    assert names == {"${AWS::StackName}-store-${AWS::AccountId}"}


def test_the_queue_is_notified_of_input_files_only() -> None:
    """Files that the batch function writes do not invoke it again."""
    assert LOCAL.queue.prefix == "batches/in/"


def test_layer_pins_are_the_projects_own() -> None:
    """The deployed versions are the tested ones."""
    pins = {
        line.lower().replace("_", "-")
        for line in (ROOT / "layers/runtime/requirements.txt").read_text().splitlines()
        if not line.startswith("#")
    }
    constraints = {line.lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert pins <= constraints
    assert "ai-edge-litert==1.2.0" in pins
