"""`mandate verify`: for whoever trusts neither us nor the operator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from ..evidence import proof_file, proven, public_keys
from ..evidence.log.checkpoint import Witnessed
from ..evidence.log.note import NoteKey
from ..evidence.proven import Statement, Trust, Verdict
from ..report.visible import visible
from . import exports, files, options, witnesses
from .sentences import point
from .witnesses import Witnesses

_FIGURES = "that the figures are true, or the time: they are what the signer stated"
_KEY = "that the key still counted: ask its owner whether it was revoked, and in which entry of the ledger"
_NEWEST = (
    "that this head is the newest, or that no later entry revokes this one: hold it against the ledger with "
    "`mandate ledger verify --since`"
)
_ALL = "that this is everything: a proof of one entry says nothing of decisions that were never recorded"
_FORK = "that nobody was shown another log: no witness signed the head, or none was required"


@click.command("verify")
@click.argument("file", type=click.Path(exists=True, allow_dash=True, path_type=Path))
@click.option(
    "--key",
    "keys",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="The ledger's public key (.pub), which you got from elsewhere than the file; may be repeated.",
)
@click.option(
    "--vkey",
    "vkeys",
    metavar="VKEY",
    multiple=True,
    help="The same as a C2SP verifier key, which also says the ledger's name; may be repeated.",
)
@click.option(
    "--signer",
    "people",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="The public key of a person who signed the entry, such as an approver; may be repeated.",
)
@witnesses.required
@options.output
def command(
    file: Path,
    keys: tuple[Path, ...],
    vkeys: tuple[str, ...],
    people: tuple[Path, ...],
    witnesses: Witnesses,
    output: str,
) -> int:
    """Check offline what a file of `mandate ledger prove` proves, and say what it does not.

    FILE can be a whole export, too, a folder or a .tar: then every entry, head and digest in it is checked.

    Exits 0 if the entry is proven, 3 if it is not, 2 if the file or a key cannot be read.

    The key inside the file is not believed. Take the ledger's key, and those of the witnesses, from somebody
    whom you trust to know them.
    """
    if not keys and not vkeys:
        raise click.UsageError(
            "Give the ledger's key with --key or --vkey: without a key that you trust, nothing is proven."
        )
    trust = Trust(
        ledger=tuple(public_keys.load(path) for path in keys),
        named=tuple(NoteKey.parse(vkey) for vkey in vkeys),
        people=tuple(public_keys.load(path, advice="Point to that person's .pub file") for path in people),
        witnesses=witnesses.keys,
        required=witnesses.required,
    )
    if exports.is_export(file):
        return exports.verify(file, trust, output)
    verdict = proven.check(proof_file.parse(files.read(file, proof_file.MAX_BYTES)), trust)
    if output == "json":
        click.echo(json.dumps(_document(verdict, trust), indent=2))
    else:
        _show(verdict, trust)
    return 0 if verdict.proven else 3


def _show(verdict: Verdict, trust: Trust) -> None:
    mark, colour = ("✓ proven", "green") if verdict.proven else ("✗ NOT proven", "red")
    click.secho(mark, fg=colour, bold=True)
    if verdict.statement is not None:
        click.echo()
        _show_statement(verdict.statement)
    click.echo()
    for line in _proofs(verdict):
        point("✓", "green", line)
    for fault in verdict.faults:
        point("✗", "red", visible(fault, 400))
    if verdict.proven:
        click.echo("\nNot proven:")
        for line in _not_proven(verdict, trust):
            point("·", "yellow", line)


def _show_statement(statement: Statement) -> None:
    rows = [("kind", statement.kind)]
    for name, digests in statement.subjects:
        rows.append(("subject", name))
        rows.extend(("", f"{algorithm}:{digest}") for algorithm, digest in digests.items())
    rows.extend(
        (name, json.dumps(value) if not isinstance(value, str) else value)
        for name, value in statement.stated.items()
    )
    width = min(24, max(len(name) for name, _ in rows))
    for name, value in rows:
        click.echo(f"  {click.style(visible(name, 40).ljust(width), dim=True)}  {visible(value, 200)}")


def _proofs(verdict: Verdict) -> Iterator[str]:
    """What holds, a sentence each."""
    if verdict.signed_by is not None:
        yield f"{verdict.signed_by} signed this statement, and nothing in it was changed since"
    head = verdict.head
    if head is None:
        return
    keys = ", ".join(key.public_key.keyid for key in verdict.head_signed_by)
    yield f"{keys} signed the head of {visible(head.origin)}: {head.size:,} entries, root {head.root.hex()}"
    if verdict.proven:
        yield f"the statement is entry {verdict.index:,} of these, and was there before this head was signed"
    for one in verdict.witnessed_by:
        yield f"the witness {visible(one.by.name)} signed this head at {_time(one)}, by its clock"


def _not_proven(verdict: Verdict, trust: Trust) -> Iterator[str]:
    """What somebody could take for proven."""
    yield _FIGURES
    yield _KEY
    yield _NEWEST
    yield _ALL
    if not trust.required:
        yield _FORK


def _time(one: Witnessed) -> str:
    try:
        return datetime.fromtimestamp(one.time, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{one.time} seconds after 1970"


def _document(verdict: Verdict, trust: Trust) -> dict[str, Any]:
    statement, head = verdict.statement, verdict.head
    return {
        "proven": verdict.proven,
        "faults": list(verdict.faults),
        "statement": statement
        and {
            "predicateType": statement.kind,
            "subject": [{"name": name, "digest": digests} for name, digests in statement.subjects],
            "stated": statement.stated,
            "signedBy": verdict.signed_by,
        },
        "log": head
        and {
            "origin": head.origin,
            "index": verdict.index,
            "size": head.size,
            "root": head.root.hex(),
            "signedBy": [key.vkey for key in verdict.head_signed_by],
            "witnesses": [{"vkey": one.by.vkey, "time": one.time} for one in verdict.witnessed_by],
        },
        "notProven": list(_not_proven(verdict, trust)) if verdict.proven else [],
    }
