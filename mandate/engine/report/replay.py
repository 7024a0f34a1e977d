"""A decision that was judged again, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TextIO

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..evidence.signed import Signed
from ..replay.again import Means, Replayed, Standing
from ..replay.difference import Change, Json
from .terminal import console
from .visible import visible

_MARKS = {Standing.SAME: ("✓", "green"), Standing.ANOTHER: ("!", "yellow"), Standing.GONE: ("✗", "red")}
_NAMES = {"input": "input", "policies": "policies", "opa": "OPA"}
_ADVICE = {
    "policies": "Restore the folder `policies` beside the ledger from a backup, or check out the policies as "
    "they were then and ask anything with them: what they compile to is kept.",
    "opa": "Name an OPA of that version with --opa. With another one you see what it would say, which is no "
    "replay.",
}


def document(recorded: Signed, means: Means, replayed: Replayed | None) -> dict[str, Any]:
    """All of it as JSON values."""
    return {
        "id": recorded.id,
        "index": recorded.index,
        "same": replayed.same if replayed else None,
        "faithful": means.faithful,
        "needed": {one.name: {"standing": one.standing.value, "what": one.what} for one in means.needed},
        "recorded": {
            "outcome": recorded.outcome,
            "decision_sha256": recorded.decision_sha256,
            "recorded_at": recorded.recorded_at,
            "policy": {"revision": recorded.revision, "bundle_sha256": recorded.bundle_sha256},
            "opa": {"version": recorded.opa_version},
            "mandate": {"version": recorded.mandate_version},
        },
        "replayed": {
            "outcome": replayed.difference.after,
            "decision_sha256": replayed.decision_sha256,
            "changes": [change.as_json() for change in replayed.difference.changes],
            "reasons": {
                "before": list(replayed.difference.reasons_before),
                "after": list(replayed.difference.reasons_after),
            },
            "elsewhere": {
                name: {"before": before, "after": after}
                for name, (before, after) in replayed.elsewhere.items()
            },
        }
        if replayed
        else None,
    }


def write(recorded: Signed, means: Means, replayed: Replayed | None, stream: TextIO) -> None:
    """Whether it came out the same, by what it was judged, and what differs."""
    shown = console(stream)
    with shown.capture() as capture:
        shown.print(Group(*_parts(recorded, means, replayed)))
    stream.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def _parts(recorded: Signed, means: Means, replayed: Replayed | None) -> Iterator[RenderableType]:
    subject, request = recorded.document["subject"], recorded.document["request"]
    yield Text()
    headline = Text()
    headline.append(*_verdict(means, replayed))
    headline.append(f"  {visible(subject['name'])} version {visible(subject['version'])}", "bold")
    headline.append(f"  {visible(request['action'])} · {visible(request['environment'])}")
    yield headline
    yield Text()
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=3, justify="right")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for one in means.needed:
        mark, colour = _MARKS[one.standing]
        table.add_row(Text(mark, colour), _NAMES[one.name], visible(one.what, 1000))
    table.add_row("", "decision", recorded.id)
    table.add_row("", "recorded", f"{recorded.outcome}, SHA-256 {recorded.decision_sha256}")
    if replayed:
        table.add_row("", "now", f"{visible(replayed.difference.after)}, SHA-256 {replayed.decision_sha256}")
    yield table
    if replayed:
        yield from _differences(replayed)
        if not means.faithful:
            yield Text()
            yield Text("This is no replay: ! is not what judged then.", "yellow")
    else:
        yield Text()
        for one in means.needed:
            if one.standing is Standing.GONE and (one.name != "opa" or recorded.opa_version):
                yield Padding(Text(f"→ {_ADVICE[one.name]}"), (0, 0, 0, 2))


def _verdict(means: Means, replayed: Replayed | None) -> tuple[str, str]:
    if replayed is None:
        return " CANNOT BE REPLAYED ", "bold black on yellow"
    if not replayed.same:
        return " DIFFERENT ", "bold white on red"
    if not means.faithful:
        return " SAME, BY OTHER MEANS ", "bold black on yellow"
    return " SAME ", "bold white on green"


def _differences(replayed: Replayed) -> Iterator[RenderableType]:
    found = replayed.difference
    lines = [
        *(("-", reason) for reason in found.reasons_before),
        *(("+", reason) for reason in found.reasons_after),
        *(line for change in found.changes for line in _lines(change)),
    ]
    for name, (before, after) in replayed.elsewhere.items():
        lines += [("-", f"{name}: {before}"), ("+", f"{name}: {after}")]
    if lines:
        yield Text()
        for sign, line in lines:
            yield Padding(
                Text(f"{sign} {visible(line, 1000)}", "red" if sign == "-" else "green"), (0, 0, 0, 2)
            )


def _lines(change: Change) -> Iterator[tuple[str, str]]:
    """The findings of one term, as recorded and now, and what the other side does not say of it."""
    for sign, findings, others in (("-", change.before, change.after), ("+", change.after, change.before)):
        for finding in findings or ({"outcome": change.absent or "not judged"},):
            yield sign, f"{change.rule} {change.term}: {_members(finding, others)}"


def _members(finding: Json, others: tuple[Json, ...]) -> str:
    elsewhere = others[0] if len(others) == 1 else {}
    differing = [name for name, value in finding.items() if value != elsewhere.get(name)]
    return ", ".join(
        f"{name} {finding[name]}" for name in dict.fromkeys(("outcome", *differing)) if name in finding
    )
