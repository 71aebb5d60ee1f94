"""The HTTP API: routes, requests, answers, and its own documentation."""
