"""The page `/docs`: a form for each model, and Swagger UI over `/openapi.json`, all in one document."""

from importlib.util import find_spec
from pathlib import Path

_HERE = Path(__file__).parent
_SWAGGER_UI = "event_handler/openapi/swagger_ui"
"""where Powertools carries Swagger UI"""

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""the page's Content-Security-Policy: it loads nothing from another host and sends nothing to one"""


def page() -> str:
    """Write the page."""
    assets = _assets()
    style, script = (assets / name for name in ("swagger-ui.min.css", "swagger-ui-bundle.min.js"))
    form_style, form_script = (_HERE / name for name in ("predict.css", "predict.js"))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Weir</title>
<link rel="icon" href="data:,">
<style>{style.read_text()}</style>
<style>{form_style.read_text()}</style>
</head>
<body>
<section id="predict"></section>
<div id="ui"></div>
<script>{form_script.read_text()}</script>
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


def _assets() -> Path:
    """Return the folder of Swagger UI, without importing the package that has it."""
    powertools = find_spec("aws_lambda_powertools")
    assert powertools is not None, "layers/runtime installs it"
    assert powertools.submodule_search_locations is not None, "it is a package"
    return Path(powertools.submodule_search_locations[0]) / _SWAGGER_UI
