"""The HTTP API: the table of routes, dispatch, requests, responses and its own documentation."""
