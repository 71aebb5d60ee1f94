"""The page `/docs`: Swagger UI over `/openapi.json`, with everything in one document."""

from pathlib import Path

import aws_lambda_powertools

ASSETS = Path(aws_lambda_powertools.__file__).parent / "event_handler/openapi/swagger_ui"
"""Swagger UI as Powertools carries it; importing its package would import Pydantic"""

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""the page's Content-Security-Policy: nothing from another host, and nothing to one"""


def page() -> str:
    """Write the page."""
    style, script = (ASSETS / name for name in ("swagger-ui.min.css", "swagger-ui-bundle.min.js"))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Weir</title>
<link rel="icon" href="data:,">
<style>{style.read_text()}</style>
</head>
<body>
<div id="ui"></div>
<script>{script.read_text()}</script>
<script>
SwaggerUIBundle({{
  dom_id: "#ui",
  url: "openapi.json",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
}});
</script>
</body>
</html>
"""
