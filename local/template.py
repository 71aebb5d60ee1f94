"""Read `template.yaml`: the functions, and the routes and the queue that call them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from weir.errors import BadInput

ANY = "ANY"
DEFAULT = "$default"

_METHODS = {"get", "head", "post", "put", "patch", "delete", "options"}
_INTEGRATION = "x-amazon-apigateway-integration"
_ANY_METHOD = "x-amazon-apigateway-any-method"


@dataclass(frozen=True)
class FunctionSpec:
    """One Lambda function of the template."""

    name: str
    folder: Path
    handler: str
    """module and function, `app.handler`"""
    timeout_s: int
    memory_mb: int
    environment: dict[str, str]
    """variables whose value is a literal, or a parameter with a default"""


@dataclass(frozen=True)
class Route:
    """One route of the HTTP API."""

    method: str
    """a verb, or ANY"""
    path: str
    """`/v2/models/{model}`, or `$default`"""
    function: str


@dataclass(frozen=True)
class QueueSource:
    """The queue that calls a function, and the bucket's notifications to it."""

    function: str
    batch_size: int
    prefix: str
    """prefix of the keys that the bucket notifies about"""
    max_receives: int
    """deliveries after which a message moves to the dead-letter queue"""


@dataclass(frozen=True)
class Template:
    """The part of the template that the local system needs."""

    functions: dict[str, FunctionSpec]
    routes: tuple[Route, ...]
    queue: QueueSource


def read(path: Path) -> Template:
    """Read a SAM template.

    Raises:
        BadInput: it can't be read, or lacks what the local system needs.
    """
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise BadInput(f"reading the template {path} failed", exc) from exc
    try:
        document = yaml.load(content, _Loader)  # noqa: S506 (a safe loader that knows CloudFormation's tags)
        functions = _functions(document, path.parent)
        return Template(functions, _routes(document, functions), _queue(document))
    except (yaml.YAMLError, AttributeError, LookupError, StopIteration, TypeError, ValueError) as exc:
        raise BadInput(f"{path} is Weir's SAM template", repr(exc)) from exc


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags: `!Ref x` is `{"Ref": "x"}`."""


def _tag(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.MappingNode):
        value: Any = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = node.value
    return {tag: value}


_Loader.add_multi_constructor("!", _tag)


def _functions(document: dict[str, Any], root: Path) -> dict[str, FunctionSpec]:
    shared = document["Globals"]["Function"]
    defaults = {name: parameter.get("Default") for name, parameter in document["Parameters"].items()}
    return {
        name: _function(name, root, shared, resource["Properties"], defaults)
        for name, resource in _of_type(document, "AWS::Serverless::Function")
    }


def _function(
    name: str, root: Path, shared: dict[str, Any], own: dict[str, Any], defaults: dict[str, object]
) -> FunctionSpec:
    """Describe one function: its own properties over those of `Globals`; variables of both."""
    properties = {**shared, **own}
    variables = {**shared["Environment"]["Variables"], **own.get("Environment", {}).get("Variables", {})}
    known = {variable: _literal(value, defaults) for variable, value in variables.items()}
    return FunctionSpec(
        name=name,
        folder=(root / properties["CodeUri"]).resolve(),
        handler=properties["Handler"],
        timeout_s=int(_literal(properties["Timeout"], defaults) or 0),
        memory_mb=int(_literal(properties["MemorySize"], defaults) or 0),
        environment={variable: value for variable, value in known.items() if value is not None},
    )


def _literal(value: object, defaults: dict[str, object]) -> str | None:
    """Return a literal value, or the default of the parameter that it refers to; None for what only AWS knows."""
    if isinstance(value, dict):
        value = defaults.get(value.get("Ref", ""))
    return None if value is None else str(value)


def _routes(document: dict[str, Any], functions: dict[str, FunctionSpec]) -> tuple[Route, ...]:
    _, api = next(_of_type(document, "AWS::Serverless::HttpApi"))
    routes = tuple(
        Route(ANY if verb == _ANY_METHOD else verb.upper(), path, _target(operation))
        for path, operations in api["Properties"]["DefinitionBody"]["paths"].items()
        for verb, operation in operations.items()
        if verb in _METHODS | {_ANY_METHOD}
    )
    if unknown := {route.function for route in routes} - set(functions):
        raise KeyError(*unknown)
    return routes


def _target(operation: dict[str, Any]) -> str:
    """Name the function that an integration's URI calls: `…/functions/${PredictFunction.Arn}/invocations`."""
    uri = operation[_INTEGRATION]["uri"]["Sub"]
    match = re.search(r"\$\{(\w+)\.Arn\}", uri)
    if not match:
        raise KeyError(uri)
    return match[1]


def _queue(document: dict[str, Any]) -> QueueSource:
    function, source = next(
        (name, event["Properties"])
        for name, resource in _of_type(document, "AWS::Serverless::Function")
        for event in resource["Properties"].get("Events", {}).values()
        if event["Type"] == "SQS"
    )
    _, bucket = next(_of_type(document, "AWS::S3::Bucket"))
    notification = bucket["Properties"]["NotificationConfiguration"]["QueueConfigurations"][0]
    prefix = next(rule["Value"] for rule in notification["Filter"]["S3Key"]["Rules"] if rule["Name"] == "prefix")
    queue = document["Resources"][source["Queue"]["GetAtt"].partition(".")[0]]["Properties"]
    return QueueSource(function, source["BatchSize"], prefix, queue["RedrivePolicy"]["maxReceiveCount"])


def _of_type(document: dict[str, Any], kind: str) -> Any:  # noqa: ANN401 (an iterator over YAML)
    return ((name, resource) for name, resource in document["Resources"].items() if resource["Type"] == kind)
