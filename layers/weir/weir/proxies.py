"""Proxies that the environment names, and the hosts that are never asked through one."""

import os

VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
EXCEPTIONS = ("NO_PROXY", "no_proxy")
"""the variable of the hosts without a proxy: some libraries read the one spelling, some the other"""

_THIS_MACHINE = ("localhost", "127.0.0.1", "127.0.0.0/8", "0.0.0.0", "::1")  # noqa: S104 (compared, not bound)
"""as requests, boto3 and obstore write it, each in its own way; httpx fails on `[::1]`"""


def bypass(*hosts: str) -> None:
    """Let this process, and those that it starts, ask this machine and some more hosts directly, whatever is set."""
    listed = [name.strip() for variable in EXCEPTIONS for name in os.environ.get(variable, "").split(",")]
    if "*" not in listed:  # no host has a proxy
        names = ",".join(dict.fromkeys(name for name in (*listed, *_THIS_MACHINE, *hosts) if name))
        os.environ.update(dict.fromkeys(EXCEPTIONS, names))
