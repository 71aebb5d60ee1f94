"""The API described by itself: `/openapi.json` and the page `/docs`."""

from weir.api.documentation.openapi import openapi
from weir.api.documentation.page import POLICY, page

__all__ = ["POLICY", "openapi", "page"]
