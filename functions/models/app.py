"""Answer all that needs no prediction, for the end-to-end mount and for the cascade, and every route nobody knows."""

import os

from aws_lambda_powertools.event_handler import Response

from weir.api import descriptions, documentation
from weir.api import http_responses as http
from weir.api.gateway_events import call
from weir.api.service import Service
from weir.protocol.messages import Live, ModelReady, Ready

app = http.api()
mounts = {
    "": Service.from_environment(os.environ, cascade=False),
    "/cascade": Service.from_environment(os.environ, cascade=True),
}


def _mount(prefix: str, service: Service) -> None:
    @app.get(f"{prefix}/v2")
    @app.get(f"{prefix}/v2/")
    def server() -> Response[str]:
        return http.respond(descriptions.server())

    @app.get(f"{prefix}/v2/health/live")
    def live() -> Response[str]:
        return http.respond(Live(live=True))

    @app.get(f"{prefix}/v2/health/ready")
    def ready() -> Response[str]:
        return http.ready(Ready(service.ready()))

    @app.get(f"{prefix}/v2/models/<model>")
    @app.get(f"{prefix}/v2/models/<model>/versions/<version>")
    def metadata(model: str, version: str = "") -> Response[str]:
        return http.respond(service.metadata(model, version))

    @app.get(f"{prefix}/v2/models/<model>/config")
    @app.get(f"{prefix}/v2/models/<model>/versions/<version>/config")
    def config(model: str, version: str = "") -> Response[str]:
        return http.respond(service.config(model, version))

    @app.get(f"{prefix}/v2/models/<model>/ready")
    @app.get(f"{prefix}/v2/models/<model>/versions/<version>/ready")
    def model_ready(model: str, version: str = "") -> Response[str]:
        return http.ready(ModelReady(model, service.model_ready(model, version)))

    @app.post(f"{prefix}/v2/repository/index")
    def index() -> Response[str]:
        return http.respond(service.index(call(app.current_event)))


for prefix, service in mounts.items():
    _mount(prefix, service)


@app.get("/openapi.json")
def openapi() -> Response[str]:
    """Describe this API."""
    return http.respond(documentation.openapi(mounts[""].registry))


@app.get("/docs")
def docs() -> Response[str]:
    """Show a page to try it."""
    return http.page(documentation.page(), documentation.POLICY)


handler = http.handler(app)
