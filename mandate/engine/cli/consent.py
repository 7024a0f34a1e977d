"""What `approve`, `waive` and `revoke` share: what is shown before somebody signs, and the question."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..report import report
from ..report.terminal import console
from ..report.visible import visible
from . import options

if TYPE_CHECKING:
    from ..evidence.consenting import Consenting
    from ..evidence.receipt import Receipt, Record

_Command = TypeVar("_Command", bound=Callable[..., Any])
DECLINED = 1
"""The exit code where the person said no: nothing was signed."""


def confirmed(command: _Command) -> _Command:
    """Adds `--yes`."""
    return click.option("--yes", "-y", is_flag=True, help="Sign without asking.")(command)


def basis(command: _Command) -> _Command:
    """Adds `--decision`, `--action` and `--environment`: whose findings are shown."""
    return _decision(options.action(options.environment(command)))


_decision = click.option(
    "--decision",
    metavar="ID",
    help="The recorded decision whose findings are shown.  [default: the newest one by the policies in "
    "use; if there is none, it is asked what would be decided]",
)


def grounds(*, required: bool) -> Callable[[_Command], _Command]:
    """Adds `--reason` and `--reference`: both, or neither, must be given."""
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


def agreed(question: str, facts: Sequence[tuple[str, str]], *, who: Consenting, yes: bool) -> bool:
    """Whether the person who is about to sign this says yes."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in (*facts, ("signed by", f"{who.name}, {who.keyid}")):
        table.add_row(f"  {name}", Text(visible(value, 500)))
    shown = console(sys.stdout)
    shown.print()
    shown.print(table)
    shown.print()
    return yes or click.confirm(f"  {question}")


def done(receipt: Receipt, words: str) -> None:
    """Say what is on record now."""
    shown = console(sys.stdout)
    shown.print(f"\n  ✓ {words}", style="green")
    shown.print(f"  entry {receipt.index} of {visible(receipt.origin)}, {receipt.id}", style="dim")


def declined() -> int:
    """Say that nothing was signed."""
    click.echo("  Nothing was signed.", err=True)
    return DECLINED


def as_json(receipt: Receipt, **said: Any) -> None:
    """The same for programs."""
    document: Mapping[str, Any] = {**said, "ledger": receipt.model_dump(mode="json")}
    click.echo(json.dumps(document, indent=2))
