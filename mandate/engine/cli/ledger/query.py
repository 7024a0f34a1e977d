"""`mandate ledger query`: finds entries by what they are about."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ...configuration import Configuration
from ...report import entries as listing
from .. import options

if TYPE_CHECKING:
    from ...evidence.ledger import Stored
    from ...evidence.query import Page, Query

_KINDS = "decision, what-if, approval, waiver, …"


@click.command("query")
@click.option("--model", help="The registered model's name.")
@click.option("--version", help="The model's version.")
@click.option("--digest", "sha256", help="The artifact's root digest, 64 hexadecimal digits.")
@click.option("--outcome", type=click.Choice(["allow", "deny", "undecided"]), help="What was decided.")
@click.option("--rule", help="A rule of which something did not pass, such as fairness.demographic_parity.")
@click.option("--control", help="A control that such a rule serves, such as 'SOC 2 CC8.1'.")
@click.option("--person", help="Who asked, made, approved, waived or acted.")
@click.option("--environment", "-e", help="Where the model would serve.")
@click.option("--action", "-a", help="What was asked for: promote, deploy or monitor.")
@click.option("--revision", help="The policies that judged.")
@click.option("--kind", help=f"What is recorded: {_KINDS}")
@click.option("--since", metavar="TIME", help="From this day or instant on (UTC).")
@click.option("--until", metavar="TIME", help="Before this instant; until the end of this day (UTC).")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Entries on a page."
)
@click.option(
    "--before", type=click.IntRange(0), metavar="INDEX", help="The next page: what the last one said."
)
@click.option("--all", "every", is_flag=True, help="All pages, one after the other.")
@click.option(
    "--output",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="A table for people, CSV, or one JSON document.",
)
@options.configured
def command(
    limit: int,
    before: int | None,
    every: bool,
    output: str,
    kind: str | None,
    since: str | None,
    until: str | None,
    configuration: Configuration,
    **columns: str | None,
) -> None:
    """Find entries by what they are about, the newest first.

    It looks at the ledger's columns and verifies nothing: `mandate ledger verify` holds each column against
    what is signed, and `mandate ledger prove` proves an entry.
    """
    from .... import composition
    from ...evidence import spelling
    from ...evidence.query import Query

    query = Query(
        **columns,
        kind=None if kind is None else spelling.kind(kind, where="--kind"),
        since=None if since is None else spelling.instant(since, where="--since"),
        until=None if until is None else spelling.instant(until, where="--until", end=True),
    )
    ledger = click.get_current_context().with_resource(composition.opened(configuration))
    pages = _pages(ledger.search, query, before, limit, every=every)
    if output == "csv":
        listing.write_csv((stored for page in pages for stored in page.entries), sys.stdout)
    elif output == "json":
        _json(pages)
    else:
        _table(pages)


def _pages(search: Any, query: Query, before: int | None, limit: int, *, every: bool) -> Iterator[Page]:
    while True:
        page = search(query, before=before, most=limit)
        yield page
        if not every or page.before is None:
            return
        before = page.before


def _table(pages: Iterator[Page]) -> None:
    entries: list[Stored] = []
    more: int | None = None
    for page in pages:
        entries += page.entries
        more = page.before
    listing.write_table(entries, sys.stdout, empty="Nothing on record is like that.")
    if more is not None:
        click.secho(f"There is more: --before {more}", dim=True)


def _json(pages: Iterator[Page]) -> None:
    rows: list[dict[str, Any]] = []
    more: int | None = None
    for page in pages:
        rows += map(listing.row, page.entries)
        more = page.before
    click.echo(json.dumps({"entries": rows, "before": more}, indent=2))
