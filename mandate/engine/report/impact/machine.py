"""The impact as one JSON document, for programs. Nothing is left out, and nothing but one finding is in
memory.

    complete          whether all that was asked for was judged; `interrupted` otherwise
    ledger, entries   its name; the first entry of the run, and the first one that was not examined
    base, changed     what is compared: `label`, `revision`, `opa`, `notes`; of what was recorded, all null
    selection         `model`, `since`, `last`
    judged            how many decisions
    reached           how many of them, `decisions`, were judged by some `rules` alone, and how many `flips`:
                      see `replay.by_reach`
    counts            by what became of them: see `replay.summary.COUNTS`
    unanswered        how many are undecided because an OPA gave no answer
    unexpected        how many are newly allowed that `--expect` does not list
    unused            what `--expect` lists and did not flip: `decision`, `reason`
    by_model          for each `name` the flips, by `counts`; `by_owner` likewise, null where there is none
    flips             each with `changes` by rule and term: the findings `before` and `after`, and whether
                      they `block` a decision that they did not block before (`appeared`), or no longer
                      (`vanished`)
    other_findings    decisions that do not flip, and are judged otherwise all the same
    damaged           entries that are not what was recorded, and why
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from ...replay.summary import Impact

_LISTS = {"flips": "flip", "other_findings": "other_findings", "damaged": "damaged"}


def write(impact: Impact, stream: TextIO) -> None:
    """Everything."""
    head = json.dumps(_head(impact), indent=2)
    stream.write(head.removesuffix("\n}"))
    for name, kind in _LISTS.items():
        stream.write(f',\n  "{name}": [')
        _write_list(impact.found(kind), stream)
        stream.write("]")
    stream.write("\n}\n")


def _head(impact: Impact) -> dict[str, Any]:
    totals = impact.totals
    return {
        "complete": not impact.interrupted,
        "ledger": impact.origin,
        "entries": {"first": impact.journal.start, "following": impact.journal.following},
        "base": impact.base.as_json(),
        "changed": impact.changed.as_json(),
        "selection": impact.selection.as_json(),
        "judged": impact.judged,
        "reached": {
            "decisions": impact.journal.by_reached,
            "flips": impact.journal.flips_by_reached,
            "rules": sorted(impact.journal.rules),
        },
        "counts": dict(impact.counts),
        "unanswered": impact.journal.unanswered,
        "unexpected": totals.unexpected,
        "unused": [
            {"decision": decision, "reason": reason} for decision, reason in sorted(totals.unused.items())
        ],
        "by_model": _groups(totals.by_model),
        "by_owner": _groups(totals.by_owner),
    }


def _groups(groups: Mapping[Any, Counter[str]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "counts": dict(sorted(counts.items()))}
        for name, counts in sorted(groups.items(), key=lambda group: (group[0] is None, group[0] or ""))
    ]


def _write_list(found: Iterator[dict[str, Any]], stream: TextIO) -> None:
    separator = "\n    "
    for each in found:
        del each["kind"]
        stream.write(separator + json.dumps(each))
        separator = ",\n    "
    if separator.startswith(","):
        stream.write("\n  ")
