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

TEMPLATE = Path(__file__).parents[1] / "template.yaml"


class System:
    """API, functions and, without a store of one's own, S3 and queue; everything ends with the `with` block.

    With a store given, its models are served, and no batch file is answered: a bucket on AWS tells its own queue.
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
        """Describe a system; it starts with the `with` block.

        Args:
            path: of the SAM template.
            store: URL of a store; None brings an S3 of its own.
            store_endpoint: URL of the S3 that has the store; empty on AWS.
            host: address to listen on.
            port: to listen on; 0 takes a free one.
            log: file that gets what the functions print; default a temporary one.
            environment: variables of the functions, beside or instead of the template's.

        Raises:
            BadInput: the template can't be read.
        """
        self._template = template.read(path)
        self._host, self._port = host, port
        self.log = log
        """file that gets what the functions print; None until it starts, when nobody named one"""
        self._own_aws = store is None
        self.store = store or f"s3://{BUCKET}"
        """URL of the store"""
        self.store_endpoint = store_endpoint
        """URL of the S3 that has it; empty on AWS"""
        self.environment = {**(ENVIRONMENT if self._own_aws else {}), **(environment or {})}
        """variables that a client of the store needs, too"""
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
        """Stop everything, the last started first."""
        self._open.close()

    def _start(self) -> None:
        aws = None
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
