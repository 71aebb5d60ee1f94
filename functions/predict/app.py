"""Answer `POST /v2/models/{model}/infer`: the end-to-end model answers."""

import os

from aws_lambda_powertools.event_handler import Response

from weir import http
from weir.service import Service

app = http.api()
service = Service.from_environment(os.environ, cascade=False)


@app.post("/v2/models/<model>/infer")
@app.post("/v2/models/<model>/versions/<version>/infer")
def infer(model: str, version: str = "") -> Response[str]:
    """Predict with the one network that does everything."""
    return http.infer(service.infer(model, version, http.body(app.current_event)))


handler = http.handler(app)
