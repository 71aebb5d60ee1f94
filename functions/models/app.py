"""Answer health and metadata, for the end-to-end mount and for the cascade, and every route nobody knows."""

import os
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from weir import http
from weir.service import Service, server_metadata

app = http.api()
mounts = {
    "": Service.from_environment(os.environ, cascade=False),
    "/cascade": Service.from_environment(os.environ, cascade=True),
}


def _mount(prefix: str, service: Service) -> None:
    @app.get(f"{prefix}/v2")
    def server() -> Response[str]:
        return http.respond(server_metadata())

    @app.get(f"{prefix}/v2/health/live")
    def live() -> Response[str]:
        return http.respond({"live": True})

    @app.get(f"{prefix}/v2/health/ready")
    def ready() -> Response[str]:
        return _state(service.ready())

    @app.get(f"{prefix}/v2/models/<model>")
    @app.get(f"{prefix}/v2/models/<model>/versions/<version>")
    def metadata(model: str, version: str = "") -> Response[str]:
        return http.respond(service.metadata(model, version))

    @app.get(f"{prefix}/v2/models/<model>/ready")
    @app.get(f"{prefix}/v2/models/<model>/versions/<version>/ready")
    def model_ready(model: str, version: str = "") -> Response[str]:
        return _state(service.model_ready(model, version))


def _state(ready: bool) -> Response[str]:  # noqa: FBT001 (it is the answer itself)
    return http.respond({"ready": ready}, HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)


for prefix, service in mounts.items():
    _mount(prefix, service)

handler = http.handler(app)
