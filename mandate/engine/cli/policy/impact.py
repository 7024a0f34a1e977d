"""`mandate policy impact`."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from ...configuration import Configuration
from ...replay.impact import Examined, Selection
from ...report.impact import FORMATS
from .. import options

if TYPE_CHECKING:
    from ...replay.journal import Journal

_INTERRUPTED = 130


@click.command("impact")
@click.option(
    "--against",
    metavar="REF",
    help="Compare with the policies of this git ref, folder, bundle or revision.  [default: with the record]",
)
@click.option(
    "--opa",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PROGRAM",
    help="Let another OPA judge, of whatever version, and compare it with the one in use.",
)
@click.option(
    "--expect",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="YAML with the decisions that are meant to be allowed now, each with the reason.",
)
@click.option("--model", metavar="NAME", help="Only decisions about this model.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    metavar="TIME",
    help="Only decisions recorded since then: 2026-01-31, or 2026-01-31T12:00:00Z.",
)
@click.option("--last", type=click.IntRange(1), metavar="N", help="Only the newest N entries of the ledger.")
@click.option(
    "--whole",
    is_flag=True,
    help="Judge each decision by all rules, not only by those that the change can reach.",
)
@click.option("--anew", is_flag=True, help="Do not go on with an interrupted run; begin anew.")
@click.option(
    "--output",
    type=click.Choice([*FORMATS]),
    default="text",
    show_default=True,
    help="A report for people, one JSON document with everything, or Markdown for a merge request.",
)
@options.configured
def command(
    against: str | None,
    opa: Path | None,
    expect: Path | None,
    model: str | None,
    since: datetime | None,
    last: int | None,
    whole: bool,
    anew: bool,
    output: str,
    configuration: Configuration,
) -> int:
    """Judge recorded decisions again under changed policies: which would flip, and why.

    The changed policies are those in use here. They are compared with what was recorded; with --against,
    with the policies of another revision, and then both judge each recorded input. --opa compares two OPAs
    with the same policies: the one in use, and another one, which may be of any version, on trial.

    Where only some rules can find something else than on record, these alone are judged. As a test, every
    hundredth entry, the first hundred flips and every tenth later one are judged by all rules as well, and a
    run that they contradict ends. With --whole, everything is judged by all rules.

    Ctrl-C shows what was found so far; the same command goes on from there.

    Exits 1 if a decision that was no allow is one now and --expect does not list it, 3 if an entry is damaged
    or an OPA gave no answer, else 0.
    """
    from .... import composition
    from ...replay import expected, impact
    from ...replay.journal import Journal
    from ...replay.summary import Impact
    from ...report.impact import report

    expectations = expected.load(expect) if expect else {}
    selection = Selection(model, since.replace(tzinfo=UTC) if since else None, last)
    with composition.comparison(configuration, against=against, opa=opa, whole=whole) as compared:
        store = compared.store
        entries = store.count()
        start = max(0, entries - last) if last else 0
        with Journal(compared.folder, compared.key(selection), start, anew=anew) as journal:
            if journal.resumed:
                click.echo(f"going on from entry {journal.following:,}; --anew begins anew", err=True)
            found = impact.examined(store, journal.following, compared.examiner(selection))
            interrupted = noted(found, journal, entries)
            result = Impact(
                compared.base, compared.changed, selection, store.origin, journal, interrupted, expectations
            )
            report(output).write(result, sys.stdout)
            if interrupted:
                done = journal.following - journal.start
                of = max(entries - journal.start, done)
                click.echo(
                    f"interrupted after {done:,} of {of:,} entries: the same command goes on from there",
                    err=True,
                )
                return _INTERRUPTED
            journal.forget()
            return result.exit_code


def noted(found: Generator[Examined], journal: Journal, entries: int) -> bool:
    """Note all that is found, and return whether somebody interrupted that."""
    with (
        _interruptible() as interrupted,
        closing(found),
        _progress(found, journal, entries) as shown,
    ):
        for examined in shown:
            journal.add(examined)
            if interrupted.is_set():
                break
    journal.keep()
    return interrupted.is_set() and journal.following < entries


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets: what was found is written down first. A second Ctrl-C ends at once."""
    interrupted = threading.Event()

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        interrupted.set()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(found: Iterator[Examined], journal: Journal, entries: int) -> Iterator[Iterable[Examined]]:
    """The same, with a progress bar on standard error where a person waits for it."""
    if not sys.stderr.isatty():
        yield found
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("judging"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=entries, completed=journal.following)

        def advancing() -> Iterator[Examined]:
            for each in found:
                yield each
                bar.update(task, completed=each.index + 1)

        yield advancing()
