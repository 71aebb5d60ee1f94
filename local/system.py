"""The whole system on one machine, as a context manager."""

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from local import template
from local.aws import BUCKET, ENVIRONMENT, Aws
from local.function import Function
from local.gateway import Gateway, Server
from local.poller import Poller
from weir import proxies

TEMPLATE = Path(__file__).parents[1] / "template.yaml"


class System:
    """API and functions, with an S3 and a queue unless a store is given; all of them end with the `with` block.

    With a store given, its models are served, but no batch files: a bucket on AWS notifies a queue of its own.
    """

    def __init__(  # noqa: PLR0913 (all but the template are named)
        self,
        path: Path = TEMPLATE,
        *,
        store: str | None = None,
        store_endpoint: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Configure a system; it starts with the `with` block.

        Args:
            path: the SAM template.
            store: URL of a store; by default the system has an S3 of its own.
            store_endpoint: URL of the S3 that has the store; empty on AWS.
            host: address to listen on.
            port: to listen on; 0 takes a free one.
            log: file to which the functions print; a temporary one by default.
            environment: variables of the functions that add to those of the template or override them.

        Raises:
            BadInput: the template is not readable, or lacks what the local system needs.
        """
        self._template = template.read(path)
        self._host, self._port = host, port
        self.log = log
        """file to which the functions print; None until it starts, when none was given"""
        self._own_aws = store is None
        self.store = store or f"s3://{BUCKET}"
        """URL of the store"""
        self.store_endpoint = store_endpoint
        """URL of the S3 that has the store; empty on AWS"""
        self.environment = {**(ENVIRONMENT if self._own_aws else {}), **(environment or {})}
        """variables that clients of the store need, too"""
        self.url = ""
        """URL of the API, once it listens"""
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start.

        Raises:
            Unavailable: the port is taken.
        """
        try:
            self._start()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, in reverse order of starting."""
        self._open.close()

    def _start(self) -> None:
        aws = None
        proxies.bypass(self._host)
        if self._own_aws:
            aws = Aws(self._host, self._template.queue)
            self._open.callback(aws.close)
            self.store_endpoint = aws.endpoint
        self.log = self.log or self._temporary_log()
        functions = self._functions(self.log)
        if aws:
            source = self._template.queue
            poller = Poller(aws.sqs, aws.queue, functions[source.function], source.batch_size)
            self._open.callback(poller.close)
        server = Server(Gateway(self._template.routes, functions), self._host, self._port)
        self._open.callback(server.close)
        self.url = server.url

    def _functions(self, log: Path) -> dict[str, Function]:
        log.parent.mkdir(parents=True, exist_ok=True)
        variables = {**self.environment, "MODEL_STORE": self.store, "MODEL_STORE_ENDPOINT": self.store_endpoint}
        functions = {name: Function(spec, variables, log) for name, spec in self._template.functions.items()}
        for function in functions.values():
            self._open.callback(function.close)
        return functions

    def _temporary_log(self) -> Path:
        folder = self._open.enter_context(tempfile.TemporaryDirectory(prefix="weir-"))
        return Path(folder) / "functions.log"
