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
from weir import __version__, proxies
from weir.errors import Rejected, WeirError

FAILED, BAD_INPUT = 1, 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="weir")
def weir() -> None:
    """Train a classifier as one network and as a cascade, publish it, and use it.

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
    """Run `weir`: an error is one line on stderr, and the exit code says whether the input was at fault."""
    _silence_libraries()
    proxies.bypass()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)  # shells start background jobs with SIGINT ignored
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        code = weir.main(arguments, prog_name="weir", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as exc:
        print(exc.format_message(), file=sys.stderr)
        return BAD_INPUT
    except click.ClickException as exc:
        return _complain(exc.format_message().replace("\n", " "), BAD_INPUT)
    except WeirError as exc:
        return _complain(str(exc), BAD_INPUT if isinstance(exc, Rejected) else FAILED)
    except OSError as exc:
        return _complain(_what_failed(exc), FAILED)
    except (click.Abort, KeyboardInterrupt):
        return _complain("stopped before the end; run the same command again to continue", FAILED)
    return code if isinstance(code, int) else 0


def _silence_libraries() -> None:
    """Hide the notices that C++ libraries write to file descriptor 2; `sys.stderr` gets a copy of its own."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _what_failed(exc: OSError) -> str:
    reason = exc.strerror or str(exc)
    return f"{exc.filename} can't be read or written: {reason}" if exc.filename else reason


def _complain(message: str, code: int) -> int:
    print(f"weir: {message}", file=sys.stderr)
    return code


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """End on SIGTERM as on Ctrl-C, so that everything is closed."""
    raise KeyboardInterrupt
