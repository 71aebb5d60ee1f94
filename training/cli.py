"""The `weir` command."""

import os
import signal
import sys
from types import FrameType

import click

from training.commands.batch import batch
from training.commands.certify import certify
from training.commands.demo import demo
from training.commands.evaluate import evaluate
from training.commands.ledger import ledger
from training.commands.plan import plan
from training.commands.predict import predict
from training.commands.publish import publish
from training.commands.serve import serve
from training.commands.train import train
from training.commands.up import up
from weir import __version__
from weir.errors import BadInput, MethodNotAllowed, NotFound, WeirError

FAILED, BAD_INPUT = 1, 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="weir")
def weir() -> None:
    """Train a model as one network and as levels, publish it, and ask it.

    Exit codes: 0 done, 1 failed, 2 bad input.

    \b
    Example, from nothing to a prediction:
      weir train mnist-sample --out build/mnist
      weir publish build/mnist --store file:///tmp/models
      weir predict mnist-sample digit.png --store file:///tmp/models --cascade
    """  # noqa: D301 (\b is click's mark for lines it must not join)


for command in (train, certify, evaluate, ledger, plan, publish, predict, batch, serve, up, demo):
    weir.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run `weir`: errors are one line on stderr, and the exit code says whose fault it was."""
    _silence_libraries()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)  # shells start background jobs with SIGINT ignored
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        code = weir.main(arguments, prog_name="weir", standalone_mode=False)
    except click.ClickException as exc:
        return _complain(exc.format_message().replace("\n", " "), BAD_INPUT)
    except WeirError as exc:
        return _complain(str(exc), BAD_INPUT if isinstance(exc, BadInput | NotFound | MethodNotAllowed) else FAILED)
    except OSError as exc:
        return _complain(f"files can be read and written. Got: {exc}", FAILED)
    except (click.Abort, KeyboardInterrupt):
        return _complain("stopped before the end; the same command goes on or starts anew", FAILED)
    return code if isinstance(code, int) else 0


def _silence_libraries() -> None:
    """Keep the notices that C++ libraries print on file descriptor 2 from a person who reads stderr."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _complain(message: str, code: int) -> int:
    print(f"weir: {message}", file=sys.stderr)
    return code


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """End on SIGTERM as on Ctrl-C: whatever is open is closed."""
    raise KeyboardInterrupt
