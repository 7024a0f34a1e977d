"""Asks the policies themselves which rules judge a model, and which value of each threshold holds for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import BadRequest
from ..nearest import advice
from .build import Compiled
from .command import run
from .complaints import accepted
from .sources import Kind
from .tree import merged, write_data

_QUERY = """{
  "rules": data.mandate.lib.selection.rules,
  "not_applicable": data.mandate.lib.selection.not_applicable,
  "tier": data.mandate.lib.thresholds.tier,
  "thresholds": {name: bound |
    walk(data.mandate.thresholds, [path, setting])
    setting["default"].set_at
    name := concat(".", path)
    bound := data.mandate.lib.thresholds.of(setting)
  },
}"""


@dataclass(frozen=True, slots=True)
class Question:
    """What a decision would be asked about."""

    action: str
    environment: str
    model: str | None = None
    tier: str | None = None
    """`None`: nobody says, so the policies take the highest."""


@dataclass(frozen=True, slots=True)
class Applying:
    """What the policies answer."""

    rules: frozenset[str]
    """The rules that judge."""
    reasons: Mapping[str, tuple[str, ...]]
    """Why a rule does not judge, or only some of its terms, in the words of a decision."""
    tier: str
    """The risk tier that counts."""
    thresholds: Mapping[str, Mapping[str, Any]]
    """The `{value, set_at}` that holds, by the threshold's name."""


def ask(compiled: Compiled, question: Question, now: datetime, *, opa: Path) -> Applying:
    """Ask `data.mandate.lib.selection` as of now: a rule that is yet to take effect replaces none.

    `BadRequest` for an environment or tier that nobody knows.
    """
    scope = compiled.data["scope"]
    _refuse_unknown("environment", question.environment, scope["environments"], "--environment")
    if question.tier is not None:
        _refuse_unknown("risk tier", question.tier, scope["risk_tiers"], "--tier")
    subject = {"name": question.model, "risk_tier": question.tier}
    document = {
        "subject": {key: value for key, value in subject.items() if value is not None},
        "request": {
            "action": question.action,
            "environment": question.environment,
            "time": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        },
    }
    with merged(compiled.sources, Kind.REGO) as tree:
        write_data(tree, compiled.data)
        arguments = ["eval", "--bundle", ".", "--format", "json", "--stdin-input", _QUERY]
        ended = accepted(
            run(opa, arguments, folder=tree, stdin=json.dumps(document).encode()), compiled.sources
        )
    answer = json.loads(ended.stdout)["result"][0]["expressions"][0]["value"]
    reasons: dict[str, tuple[str, ...]] = {}
    for one in answer["not_applicable"]:
        reasons[one["rule"]] = (*reasons.get(one["rule"], ()), one["reason"])
    return Applying(frozenset(answer["rules"]), reasons, answer["tier"], answer["thresholds"])


def _refuse_unknown(what: str, name: str, known: list[str], where: str) -> None:
    if name not in known:
        raise BadRequest(f"the policies know no {what} {name!a}", where=where, next_step=advice(name, known))
