"""Answer `POST /cascade/v2/models/{model}/infer` with the levels of the cascade."""

import os

from weir.api import http_responses as http
from weir.api.dispatch import Api, RoutedRequest
from weir.api.gateway_events import Response
from weir.api.service import Service
from weir.catalog.mounts import CASCADE
from weir.runtime.registry import Registry
from weir.settings import Settings

settings = Settings.from_environment(os.environ)
app = Api("cascade", settings.base_path)
service = Service(Registry.from_settings(settings), CASCADE)
service.preload(settings.preload)


@app.operation("infer")
def infer(request: RoutedRequest) -> Response:
    """Predict each row with the cheapest level that is confident enough."""
    return http.infer(service.infer(request.model, request.version, request.body()))


@app.operation("predict")
def predict(request: RoutedRequest) -> Response:
    """Predict for clients of TensorFlow Serving: label, confidence and exit level of each row."""
    return http.infer(service.predict(request.model, request.version, request.body()))


@app.operation("stats")
def stats(request: RoutedRequest) -> Response:
    """Return what this process has answered."""
    return http.respond(service.statistics(request.model, request.version))


handler = app.handle
