"""Answer `POST /cascade/v2/models/{model}/infer`: the levels answer in turn."""

import os

from aws_lambda_powertools.event_handler import Response

from weir import http
from weir.service import Service

app = http.api()
service = Service.from_environment(os.environ, cascade=True)


@app.post("/cascade/v2/models/<model>/infer")
@app.post("/cascade/v2/models/<model>/versions/<version>/infer")
def infer(model: str, version: str = "") -> Response[str]:
    """Predict with the cheapest level that is sure enough, row by row."""
    return http.infer(service.infer(model, version, http.body(app.current_event)))


handler = http.handler(app)
