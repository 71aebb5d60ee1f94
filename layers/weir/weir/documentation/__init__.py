"""The API described by itself: `/openapi.json` and the page `/docs`."""

from weir.documentation.openapi import openapi
from weir.documentation.page import POLICY, page

__all__ = ["POLICY", "openapi", "page"]
