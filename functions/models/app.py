"""Answer all that needs no prediction, below both mounts, and every path and verb that no route has."""

import os

from weir.api import descriptions, documentation
from weir.api import http_responses as http
from weir.api.dispatch import Api, RoutedRequest
from weir.api.gateway_events import Response
from weir.api.service import Service
from weir.catalog.mounts import MOUNTS
from weir.protocol.messages import Live, ModelReady, Ready
from weir.protocol.rest_descriptions import Alive
from weir.runtime.registry import Registry
from weir.settings import Settings

settings = Settings.from_environment(os.environ)
app = Api("models", settings.base_path)
registry = Registry.from_settings(settings)
services = {mount: Service(registry, mount) for mount in MOUNTS}


@app.operation("server")
def server(_: RoutedRequest) -> Response:
    """Name the server, its version and its extensions."""
    return http.respond(descriptions.server())


@app.operation("live")
def live(_: RoutedRequest) -> Response:
    """Answer that the function runs."""
    return http.respond(Live(live=True))


@app.operation("ready")
def ready(request: RoutedRequest) -> Response:
    """Answer whether the store does."""
    return http.ready(Ready(services[request.mount].ready()))


@app.operation("metadata")
def metadata(request: RoutedRequest) -> Response:
    """Describe a model."""
    return http.respond(services[request.mount].metadata(request.model, request.version))


@app.operation("config")
def config(request: RoutedRequest) -> Response:
    """Describe a model as Triton's configuration does."""
    return http.respond(services[request.mount].config(request.model, request.version))


@app.operation("model_ready")
def model_ready(request: RoutedRequest) -> Response:
    """Answer whether the first network of a model loads."""
    return http.ready(ModelReady(request.model, services[request.mount].model_ready(request.model, request.version)))


@app.operation("index")
def index(request: RoutedRequest) -> Response:
    """List every version in the store."""
    return http.respond(services[request.mount].index(request.body()))


@app.operation("alive")
def alive(_: RoutedRequest) -> Response:
    """Answer that the function runs, as KServe's V1 clients ask it."""
    return http.respond(Alive())


@app.operation("model_names")
def model_names(request: RoutedRequest) -> Response:
    """List the models, as KServe's V1 clients read them."""
    return http.respond(services[request.mount].names())


@app.operation("model_status")
def model_status(request: RoutedRequest) -> Response:
    """Answer whether a model is ready, for clients of KServe's V1 and of TensorFlow Serving."""
    return http.ready(services[request.mount].status(request.model, request.version))


@app.operation("signature")
def signature(request: RoutedRequest) -> Response:
    """Describe a model as TensorFlow Serving does."""
    return http.respond(services[request.mount].signature(request.model, request.version))


@app.operation("openapi")
def openapi(_: RoutedRequest) -> Response:
    """Describe this API."""
    return http.respond(documentation.openapi(registry))


@app.operation("docs")
def docs(_: RoutedRequest) -> Response:
    """Show the page that sends requests to this API."""
    return http.page(documentation.page(), documentation.POLICY)


handler = app.handle
