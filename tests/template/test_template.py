"""template.yaml against the code that it deploys."""

import re
from pathlib import Path

import pytest
import yaml

from local import template
from local.system import TEMPLATE
from local.template import DEFAULT
from tests.serving import ROOT, load_app
from weir.routes import verbs

FOUND = template.read(TEMPLATE)
APPS = {"PredictFunction": "predict", "CascadeFunction": "cascade", "ModelsFunction": "models"}


def _patterns(name: str) -> set[str]:
    """Take the routes that a handler registered, as `VERB /path/{variable}`."""
    app = load_app(name).app
    rules = {(route.method, route.rule.pattern) for route in [*app._static_routes, *app._dynamic_routes]}
    variable = re.compile(r"\(\?P<(\w+)>.*?\]\+\)")
    return {f"{method} " + variable.sub(r"{\1}", pattern).strip("^$") for method, pattern in rules}


@pytest.mark.parametrize("function", APPS)
def test_routes_of_the_template_are_those_of_the_handler(
    function: str, thirds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each route has a handler, and each handler a route."""
    monkeypatch.setenv("MODEL_STORE", thirds.as_uri())
    routed = {f"{r.method} {r.path}" for r in FOUND.routes if r.function == function and r.path != DEFAULT}
    assert routed == _patterns(APPS[function])


def test_every_route_has_its_verb_in_the_list_for_405() -> None:
    """`weir.routes` knows every path of the template, and no verb that it has not."""
    for route in FOUND.routes:
        if route.path != DEFAULT:
            assert verbs(re.sub(r"\{\w+\}", "x", route.path)) == (route.method,)


def test_the_default_route_goes_to_the_models_function() -> None:
    """Unknown paths and verbs get an answer of the protocol."""
    assert [route.function for route in FOUND.routes if route.path == DEFAULT] == ["ModelsFunction"]


def test_every_function_folder_is_deployed() -> None:
    """No handler is forgotten, none is invented."""
    folders = {folder.parent.resolve() for folder in (ROOT / "functions").glob("*/app.py")}
    assert {spec.folder for spec in FOUND.functions.values()} == folders


def test_every_operation_asks_for_iam() -> None:
    """No route is open by oversight."""
    text = TEMPLATE.read_text()
    operations = text.count("x-amazon-apigateway-integration:")
    assert operations == text.count("security: [{Iam: []}]")


def test_batches_wait_longer_than_the_function_takes() -> None:
    """A message is not delivered again while its file is being answered: six times the timeout, as AWS advises."""
    document = yaml.load(TEMPLATE.read_bytes(), template._Loader)
    visibility = document["Resources"]["BatchQueue"]["Properties"]["VisibilityTimeout"]
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
