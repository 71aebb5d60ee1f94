"""Answer `POST /cascade/v2/models/{model}/infer`: the levels answer in turn."""

import os
from typing import Any

from aws_lambda_powertools.event_handler import Response

from weir.api import http_responses as http
from weir.api.gateway_events import call
from weir.api.service import Service

app = http.api()
service = Service.from_environment(os.environ, cascade=True)


@app.post("/cascade/v2/models/<model>/infer")
@app.post("/cascade/v2/models/<model>/versions/<version>/infer")
def infer(model: str, version: str = "") -> Response[Any]:
    """Predict with the cheapest level that is sure enough, row by row."""
    return http.infer(service.infer(model, version, call(app.current_event)))


@app.get("/cascade/v2/models/<model>/stats")
@app.get("/cascade/v2/models/<model>/versions/<version>/stats")
def stats(model: str, version: str = "") -> Response[str]:
    """Tell what this process has answered."""
    return http.respond(service.statistics(model, version))


handler = http.handler(app)
