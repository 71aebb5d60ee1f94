"""Answer `POST /v2/models/{model}/infer` with the end-to-end model, and TensorFlow Serving's predict, too."""

import os

from weir.api import http_responses as http
from weir.api.dispatch import Api, RoutedRequest
from weir.api.gateway_events import Response
from weir.api.service import Service
from weir.catalog.mounts import END_TO_END
from weir.runtime.registry import Registry
from weir.settings import Settings

settings = Settings.from_environment(os.environ)
app = Api("predict", settings.base_path)
service = Service(Registry.from_settings(settings), END_TO_END)
service.preload(settings.preload)


@app.operation("infer")
def infer(request: RoutedRequest) -> Response:
    """Predict with the end-to-end model."""
    return http.infer(service.infer(request.model, request.version, request.body()))


@app.operation("predict")
def predict(request: RoutedRequest) -> Response:
    """Predict for clients of TensorFlow Serving."""
    return http.infer(service.predict(request.model, request.version, request.body()))


@app.operation("stats")
def stats(request: RoutedRequest) -> Response:
    """Return what this process has answered."""
    return http.respond(service.statistics(request.model, request.version))


handler = app.handle
