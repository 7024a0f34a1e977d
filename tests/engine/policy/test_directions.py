"""`tightens` of the library's thresholds, held against what the rules do when a threshold moves that way."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mandate import share
from mandate.engine.policy import build
from mandate.engine.policy.command import run
from mandate.engine.policy.declarations import Direction
from mandate.engine.policy.sources import Kind, read
from mandate.engine.policy.tree import merged, write_data
from tests.organisation import good

QUERY = """some case in input.cases
decision := data.mandate.main.decision with input as case.input
  with data.mandate.thresholds as case.thresholds
  with data.mandate.waivers as case.waivers
  with data.mandate.people as {"dora": {"keys": {"SHA256:dora": "a key"}, "roles": ["risk_officer"]}}
"""
"""No comprehension: in the query itself OPA evaluates one without what stands after `with`."""

LARGE = 100
NOBODY_HAS = "nobody has it"
REUSED = {"entry": "0199", "index": 7, "keyid": "SHA256:x"}
EXTRA = "an extra column"


def _as_it_is(_: dict[str, Any]) -> None:
    pass


def _with_an_extra_column(document: dict[str, Any]) -> None:
    document["data_schema"]["current"].append({"name": EXTRA, "type": "string"})


def _without_a_baseline(document: dict[str, Any]) -> None:
    document["performance"]["baseline"] = {"status": "none", "reason": "it is the first version"}


def _of_minutes_ago(document: dict[str, Any]) -> None:
    """The facts of every collector were collected for an earlier question, five minutes before this one."""
    then = (datetime.fromisoformat(document["request"]["time"]) - timedelta(minutes=5)).isoformat()
    for entry in document["collection"]:
        if entry["name"] not in ("mlflow", "approvals", "waivers"):
            entry |= {"reused": REUSED, "collected_at": then.replace("+00:00", "Z")}


def _in_service(document: dict[str, Any]) -> None:
    document["request"]["action"] = "monitor"


CASES: dict[str, tuple[Any, Any, Callable[[dict[str, Any]], None]]] = {
    # threshold: how tight and how loose it can be, and what a good document needs to show it
    "approvals.required.*": (LARGE, 0, _as_it_is),
    "developers.required_topics": ([NOBODY_HAS], ["ethics"], _as_it_is),
    "documentation.minimum_words": (10_000, 1, _as_it_is),
    "documentation.required_sections": ([NOBODY_HAS], ["Metrics"], _as_it_is),
    "drift.drifted_share": (-1, 1, _as_it_is),
    "drift.null_rate_increase": (-1, 1, _as_it_is),
    "drift.population_stability_index": (-1, LARGE, _as_it_is),
    "drift.population_stability_index_in_service": (-1, LARGE, _in_service),
    "evidence.accepted_origins": ([], ["measured", "reported"], _as_it_is),
    "evidence.fresh_minutes.*": (0, 10, _of_minutes_ago),
    "fairness.advisable_group_size": (10**9, 1, _as_it_is),
    "fairness.demographic_parity_difference": (-1, 1, _as_it_is),
    "fairness.disparate_impact_ratio": (2, 0, _as_it_is),
    "fairness.minimum_group_size": (10**9, 1, _as_it_is),
    "fairness.required_attributes": ([NOBODY_HAS], [], _as_it_is),
    "performance.baseline_required": (True, False, _without_a_baseline),
    "performance.minimum.*": (2, 0, _as_it_is),
    "performance.regression_tolerance.*": (-1, 1, _as_it_is),
    "provenance.data_age_days": (0, 10_000, _as_it_is),
    "provenance.required_fields": ([NOBODY_HAS], ["run_id"], _as_it_is),
    "schema.extra_columns": ([], [EXTRA], _with_an_extra_column),
    "waivers.expiring_within_days": (366, 0, _as_it_is),
    "waivers.longest_days": (1, 366, _as_it_is),
    "waivers.roles": ([], ["risk_officer"], _as_it_is),
}


@pytest.fixture(scope="module")
def library(opa: Path) -> build.Compiled:
    return build.compiled(read([share.policies()]), opa=opa)


def test_every_threshold_has_a_direction(library: build.Compiled) -> None:
    directions = {declared.dotted: declared.tightens for declared in library.declarations}
    assert set(directions) == set(CASES)
    assert [name for name, direction in directions.items() if direction is None] == []


def test_the_tight_side_is_the_one_that_is_declared(library: build.Compiled) -> None:
    for declared in library.declarations:
        tight, loose, _ = CASES[declared.dotted]
        assert (_position(tight) > _position(loose)) == (declared.tightens is Direction.UP), declared.dotted


def test_what_passes_on_the_loose_side_is_found_on_the_tight_one(library: build.Compiled, opa: Path) -> None:
    findings = dict(zip(CASES, _findings(library, opa), strict=True))
    assert {name: loose for name, (loose, _) in findings.items() if loose} == {}
    assert [name for name, (_, tight) in findings.items() if not tight] == []


def _position(value: Any) -> float:
    """Where a value stands on the way up. Lists that do not contain each other are compared by length."""
    return (
        value
        if not isinstance(value, list)
        else len(set(value) - {"ethics", "Metrics", "run_id", "risk_officer"})
    )


def _findings(library: build.Compiled, opa: Path) -> list[tuple[list[str], list[str]]]:
    """What is found about the good document with each threshold on its loose and on its tight side."""
    cases: list[dict[str, Any]] = []
    for name, (tight, loose, needs) in CASES.items():
        document = good()
        needs(document)
        cases += [
            {"input": document, "waivers": [], "thresholds": _with(library.data["thresholds"], name, value)}
            for value in (loose, tight)
        ]
    violated = good()
    for part in (violated["performance"], violated["performance"]["baseline"]):
        part["metrics"][0]["value"] = 0.1
    waiver = {
        "id": "waivers/w.yaml:1",
        "rule": "performance.minimum",
        "subject": {key: violated["subject"][key] for key in ("name", "version")},
        "effective_on": "2026-11-01T00:00:00Z",
        "expires": "2027-01-20T00:00:00Z",
        **dict.fromkeys(("approver", "reference", "reason"), "text"),
    }
    signed = violated | {
        "waivers": [
            {key: value for key, value in waiver.items() if key != "subject"}
            | {"id": "w-1", "subject_sha256": violated["subject"]["sha256"]}
            | {"approver": "dora", "keyid": "SHA256:dora", "revoked_by": None}
        ]
    }
    for case, name in zip(cases, [name for name in CASES for _ in range(2)], strict=True):
        if name == "waivers.roles":
            case |= {"input": signed}
        elif name.startswith("waivers."):
            case |= {"input": violated, "waivers": [waiver]}
    with merged(library.sources, Kind.REGO) as tree:
        write_data(tree, library.data)
        stdin = json.dumps({"cases": cases}).encode()
        ended = run(
            opa, ["eval", "--format", "json", "--stdin-input", "-b", ".", QUERY], folder=tree, stdin=stdin
        )
    shown = [_bad(result["bindings"]["decision"]) for result in json.loads(ended.stdout)["result"]]
    return list(zip(shown[::2], shown[1::2], strict=True))


def _bad(decision: dict[str, Any]) -> list[str]:
    bad = [
        f"{finding['rule']}:{finding['term']} {finding['outcome']}"
        for finding in decision["findings"]
        if finding["outcome"] not in ("passed", "waived")
    ]
    return bad + [
        f"{waiver['id']}: {waiver['warning']}" for waiver in decision["waivers"] if waiver["warning"]
    ]


def _with(thresholds: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """The library's thresholds with this one, or all of this group, at the value."""
    changed = copy.deepcopy(thresholds)
    *above, last = name.split(".")
    node = changed
    for part in above:
        node = node[part]
    for setting in node if last == "*" else [last]:
        node[setting] = {"default": {"value": value, "set_at": "here"}}
    return changed
