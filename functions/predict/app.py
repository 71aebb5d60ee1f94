"""Answer `POST /v2/models/{model}/infer`: the end-to-end model answers. TensorFlow Serving's predict, too."""

import os
from typing import Any

from aws_lambda_powertools.event_handler import Response

from weir.api import http_responses as http
from weir.api.gateway_events import call
from weir.api.service import Service

app = http.api()
service = Service.from_environment(os.environ, cascade=False)


@app.post("/v2/models/<model>/infer")
@app.post("/v2/models/<model>/versions/<version>/infer")
def infer(model: str, version: str = "") -> Response[Any]:
    """Predict with the one network that does everything."""
    return http.infer(service.infer(model, version, call(app.current_event)))


@app.post("/v1/models/<model>:predict")
@app.post("/v1/models/<model>/versions/<version>:predict")
def predict(model: str, version: str = "") -> Response[Any]:
    """Predict for clients of TensorFlow Serving."""
    return http.infer(service.predict(model, version, call(app.current_event)))


@app.get("/v2/models/<model>/stats")
@app.get("/v2/models/<model>/versions/<version>/stats")
def stats(model: str, version: str = "") -> Response[str]:
    """Tell what this process has answered."""
    return http.respond(service.statistics(model, version))


handler = http.handler(app)
