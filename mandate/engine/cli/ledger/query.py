"""`mandate ledger query`: finds entries by what they are about."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from ...configuration import Configuration
from ...errors import BadRequest
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
    from ...evidence.query import Query

    query = Query(
        **columns,
        kind=None if kind is None else _kind(kind),
        since=None if since is None else _instant(since, "--since"),
        until=None if until is None else _instant(until, "--until", end=True),
    )
    ledger = click.get_current_context().with_resource(composition.opened(configuration))
    pages = _pages(ledger.search, query, before, limit, every=every)
    if output == "csv":
        listing.write_csv((stored for page in pages for stored in page.entries), sys.stdout)
    elif output == "json":
        _json(pages)
    else:
        _table(pages)


def _kind(name: str) -> str:
    """The predicate type: `decision` stands for its newest version, `decision/v1` for that one."""
    from ...evidence.predicates import TYPES
    from ...evidence.predicates.base import AUTHORITY

    names = sorted(kind.removeprefix(AUTHORITY) for kind in TYPES)
    known = [kind for kind in names if name in (kind, kind.partition("/")[0], AUTHORITY + kind)]
    if not known:
        raise BadRequest(
            f"nothing of the kind {ascii(name)[:100]} can be recorded",
            where="--kind",
            next_step=f"Give one of {', '.join(kind.partition('/')[0] for kind in names)}",
        )
    return AUTHORITY + known[-1]


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


def _instant(text: str, option: str, *, end: bool = False) -> str:
    """The instant as the ledger writes it."""
    from ...evidence.predicates.base import rfc3339_milliseconds

    try:
        time = datetime.fromisoformat(text)
        if end and len(text) == len("2026-12-31"):
            time += timedelta(days=1)
        return rfc3339_milliseconds(time if time.tzinfo else time.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise BadRequest(
            f"{ascii(text)[:100]} is no day and no instant",
            where=option,
            next_step="Write 2026-12-31 or 2026-12-31T09:30:00Z",
        ) from error
