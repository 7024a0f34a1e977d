"""The `mandate` command: one module a command, imported when the command is called."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from ..errors import MandateError
from . import logs
from .failing import report_failure
from .lazy import LazyGroup

_COMMANDS = {
    "init": "Start here: write mandate.yaml, the ledger and its signing key.",
    "check": "Ask whether a model may pass, and record the answer.",
    "collect": "Gather the facts about a model and print the input document.",
    "promote": "Ask the gate, and move an alias to the model if it allows.",
    "rollback": "Move an alias back to a version that is allowed.",
    "retire": "Take a model version out of service.",
    "approve": "Approve a model version, signed with your own key.",
    "waive": "Answer for a violation, for a time, signed with your own key.",
    "revoke": "Take back an approval, a waiver or an allow, signed with your own key.",
    "approvals": "List what people signed for a model version.",
    "explain": "Show a recorded decision in full.",
    "key": "Make, show, rotate and revoke the keys that sign.",
    "ledger": "Read and verify the recorded evidence.",
    "verify": "Check a proof file offline, without a ledger.",
    "witness": "Sign a head of somebody else's ledger, if that only grew.",
    "policy": "Write, test, check, release and compare policies.",
    "replay": "Judge a recorded decision again, and hold the two against each other.",
    "opa": "Obtain the pinned Open Policy Agent.",
    "serve": "Answer over HTTP, for release tooling and the cluster.",
    "certs": "Make and renew the certificates of the service.",
    "token": "Make a token for a caller of the service.",
    "doctor": "Say what is installed, what is missing and how to get it.",
    "completion": "Print the script that completes commands in your shell.",
    "version": "Print the versions of Mandate and of its parts.",
}

_EPILOG = """\b
Exit codes:
  0  allow
  1  deny
  2  bad request, bad configuration, unknown model
  3  undecided: OPA down, a collector failed, ledger not writable

\b
Examples:
  mandate check models:/credit/3 --environment production
  mandate check models:/credit@champion --action monitor
  mandate collect models:/credit/3 | mandate check --input - --environment staging
"""


_INTERRUPTED = 130
_CLOSED_PIPE = 141
"""As a shell says it of a program that SIGINT or SIGPIPE ended: there was no answer, or nobody read it."""


class _NobodyReads(Exception):
    """The reader of our output went away (`mandate ledger show | head`)."""


class _Commands(LazyGroup):
    """Tells a reader who went away from an answer that says *deny*."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            # Click itself would end with 1, which here says *deny*.
            raise _NobodyReads from error


@click.command(
    cls=_Commands,
    package=__name__,
    modules=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EPILOG,
)
def cli() -> None:
    """Policy-as-code for machine-learning models: allow or deny with reasons, and signed evidence of why."""


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. No error leaves this as a traceback."""
    logs.configure()
    try:
        result = cli.main(list(arguments), prog_name="mandate", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("interrupted", err=True)
        return _INTERRUPTED
    except MandateError as error:
        return _failed(error, arguments)
    except _NobodyReads:
        # What is still buffered would fail once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED_PIPE
    except Exception as error:  # noqa: BLE001  (whatever it is, the caller must not read it as an allow)
        return _failed(error, arguments)
    return result if isinstance(result, int) else 0


def _failed(error: Exception, arguments: Sequence[str]) -> int:
    """Report the error and return its exit code; that of *undecided* if it cannot be told to anybody."""
    try:
        return report_failure(error, arguments)
    except OSError:
        # Standard output is on a full disk, say. What is still buffered would fail once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return MandateError.exit_code


def _open_streams() -> None:
    """Where standard streams are closed, or cannot hold every character, the exit code still counts."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        # In this order each gets its own descriptor, which no file that is opened later can have then.
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115  (open to the end)
            setattr(sys, name, stream)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main() -> NoReturn:
    """The entry point of the `mandate` command."""
    _open_streams()
    sys.exit(run(sys.argv[1:]))
