"""What `approve`, `waive` and `revoke` share: what is shown before somebody signs, and the question."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..report import report
from ..report.terminal import console
from ..report.visible import visible
from . import options

if TYPE_CHECKING:
    from ..evidence.receipt import Record
    from .sides import Side, Signed

_Command = TypeVar("_Command", bound=Callable[..., Any])
_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{64}")
DECLINED = 1
"""The exit code where the person said no: nothing was signed."""


def confirmed(command: _Command) -> _Command:
    """Adds `--yes`."""
    return click.option("--yes", "-y", is_flag=True, help="Sign without asking.")(command)


def basis(command: _Command) -> _Command:
    """Adds `--decision`, `--digest`, `--action` and `--environment`: whose findings are shown."""
    return _decision(_digest(options.action(options.environment(command))))


_decision = click.option(
    "--decision",
    metavar="ID|FILE",
    help="The recorded decision whose findings are shown, or a file that proves it.  [default: the newest "
    "one by the policies in use; if there is none, and no --server, it is asked what would be decided]",
)


def _sha256(_: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    if text is None or _DIGEST.fullmatch(text):
        return text and text.removeprefix("sha256:")
    raise click.BadParameter("Write 64 hexadecimal digits in lower case.", param=parameter)


_digest = click.option(
    "--digest",
    "sha256",
    metavar="SHA256",
    callback=_sha256,
    help="The digest of the artifact that you mean: what is about another one is not signed.",
)


def grounds(*, required: bool) -> Callable[[_Command], _Command]:
    """Adds `--reason` and `--reference`; `required`: whether each must be given."""
    where = click.option(
        "--reference",
        required=required,
        metavar="TEXT",
        callback=options.words,
        help="The record of it elsewhere, such as a ticket.",
    )
    return lambda command: options.reason(where(command), required=required)


def refuse_silence(output: str, yes: bool) -> None:
    """Programs must say that they mean it: nobody is asked where JSON is printed."""
    if output == "json" and not yes:
        raise click.UsageError("With --output json nobody is asked: give --yes, too.")


def show(record: Record, *, link: Callable[[str], str] | None) -> None:
    """The findings, as `mandate explain` shows them."""
    from ..gate import Answer

    answer = Answer(record.document, record.judgement, record.receipt, record.what_if)
    report("text").write(answer, sys.stdout, verbose=True, link=link)


def agreed(question: str, facts: Sequence[tuple[str, str]], *, side: Side, yes: bool) -> bool:
    """Whether the person who is about to sign this says yes."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in (*facts, *side.notes, ("signed by", f"{side.who.name}, {side.who.keyid}")):
        table.add_row(f"  {name}", Text(visible(value, 500)))
    shown = console(sys.stdout)
    shown.print()
    shown.print(table)
    shown.print()
    return yes or click.confirm(f"  {question}")


def done(signed: Signed, words: str) -> None:
    """Say what is on record now, or where it is written."""
    shown = console(sys.stdout)
    shown.print(f"\n  ✓ {words}", style="green")
    if isinstance(signed, Path):
        shown.print(f"  signed in {visible(str(signed), 400)}; it counts once it is handed in", style="dim")
    else:
        shown.print(f"  entry {signed.index} of {visible(signed.origin)}, {signed.id}", style="dim")


def declined() -> int:
    """Say that nothing was signed."""
    click.echo("  Nothing was signed.", err=True)
    return DECLINED


def as_json(signed: Signed, side: Side, **said: Any) -> None:
    """The same for programs."""
    if side.verified_by is not None:
        said["verified_by"] = list(side.verified_by)
    if isinstance(signed, Path):
        said["envelope"] = str(signed)
    else:
        said["ledger"] = signed.model_dump(mode="json")
    click.echo(json.dumps(said, indent=2))
