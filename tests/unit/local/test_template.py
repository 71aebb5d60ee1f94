"""local.template, which reads template.yaml."""

from pathlib import Path

import pytest

from local.system import TEMPLATE
from local.template import ANY, read
from weir.errors import BadInput


def test_functions_are_as_the_template_has_them() -> None:
    """Each has folder, handler, limits, and the variables that have a value without AWS."""
    functions = read(TEMPLATE).functions
    assert set(functions) == {"PredictFunction", "CascadeFunction", "ModelsFunction", "BatchFunction"}
    predict, batch = functions["PredictFunction"], functions["BatchFunction"]
    assert (predict.folder.name, predict.handler, predict.timeout_s, predict.memory_mb) == (
        "predict",
        "app.handler",
        29,
        1769,
    )
    assert batch.timeout_s == 900
    assert predict.environment["MODEL_ALIAS"] == "champion"
    assert predict.environment["MODEL_REFRESH_S"] == "60"
    assert "MODEL_STORE" not in predict.environment


def test_a_functions_own_properties_win(tmp_path: Path) -> None:
    """They override the shared properties; shared variables are set beside its own."""
    path = tmp_path / "template.yaml"
    own = "Timeout: 900\n      MemorySize: 512\n      Environment: {Variables: {MODEL_ALIAS: own, OWN: !Ref Alias}}"
    path.write_text(TEMPLATE.read_text().replace("Timeout: 900", own))
    functions = read(path).functions
    batch, predict = functions["BatchFunction"], functions["PredictFunction"]
    assert (batch.memory_mb, predict.memory_mb) == (512, 1769)
    assert (batch.environment["MODEL_ALIAS"], batch.environment["OWN"]) == ("own", "champion")
    assert (predict.environment["MODEL_ALIAS"], "OWN" in predict.environment) == ("champion", False)


def test_routes_are_as_the_template_has_them() -> None:
    """Each has verb, path and function; the default route has any verb."""
    routes = {(route.method, route.path): route.function for route in read(TEMPLATE).routes}
    assert routes["POST", "/v2/models/{model}/infer"] == "PredictFunction"
    assert routes["POST", "/cascade/v2/models/{model}/infer"] == "CascadeFunction"
    assert routes[ANY, "$default"] == "ModelsFunction"


def test_the_queue_is_as_the_template_has_it() -> None:
    """It has its function, its batch size, its prefix of keys and its number of deliveries."""
    queue = read(TEMPLATE).queue
    assert (queue.function, queue.batch_size, queue.prefix, queue.max_receives) == (
        "BatchFunction",
        1,
        "batches/in/",
        3,
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (TEMPLATE.read_text(), ""),
        (TEMPLATE.read_text(), "{"),
        ("AWS::Serverless::HttpApi", "AWS::Serverless::Api"),
        ("${PredictFunction.Arn}", "PredictFunction"),
        ("Type: SQS", "Type: SNS"),
        ("Globals:", "Local:"),
        ("Name: prefix", "Name: suffix"),
        ("Timeout: 900", "Timeout: long"),
        ("\nParameters:\n", "\nParameters: []\nOthers:\n"),
        ("QueueConfigurations:\n", "QueueConfigurations: []\n        Others:\n"),
        ("${ModelsFunction.Arn}", "${NobodysFunction.Arn}"),
    ],
)
def test_another_template_is_refused(tmp_path: Path, old: str, new: str) -> None:
    """The error names the file, and no missing part is guessed."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE.read_text().replace(old, new))
    with pytest.raises(BadInput, match=r"is Weir's SAM template"):
        read(path)


def test_a_missing_template_is_refused(tmp_path: Path) -> None:
    """The error is that reading the file failed."""
    with pytest.raises(BadInput, match=r"reading the template .*none\.yaml failed\. Got: .*No such file"):
        read(tmp_path / "none.yaml")
