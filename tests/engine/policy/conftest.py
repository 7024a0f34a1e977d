"""A small library of policies: the seam between the compiler and whoever writes Rego."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

MAIN = """package mandate.main

decision := {"outcome": "deny", "reasons": ["small"], "findings": found, "not_applicable": []}

found := [check |
	some category, rules in data.mandate.rules
	some rule, _ in rules
	some check in data.mandate.rules[category][rule].must
]
"""

RULE = """# METADATA
# title: Groups are selected at similar rates
# description: The difference of two groups' selection rates.
# custom:
#   failure_msg: The difference is too large
#   solution: Mitigate the model
#   severity: high
#   collections: [credit]
#   controls: [EU-AI-Act-10]
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [fairness]
#   actions: [promote, deploy]
#   environments: [production]
#   waivable: true
#   thresholds:
#     fairness.parity: {type: number, minimum: 0, maximum: 1}
#     fairness.minimum.*: {type: number}
package mandate.rules.fairness.parity

terms := {"sex"}

must contains {"term": "sex", "holds": input.x <= data.mandate.thresholds.fairness.parity["default"].value}
"""

RULE_TEST = """package mandate.rules.fairness.parity_test

import data.mandate.rules.fairness.parity as rule
import data.mandate.testing

test_at_the_bound if {"term": "sex", "holds": true} in rule.must with input as testing.good

test_terms if rule.terms == {"sex"}
"""

THRESHOLDS = """# Set by the model risk committee.
parity:
  default: 0.05
  environments: {staging: 0.10}
  tiers: {low: 0.2}
  tiers_in_environments: {production: {high: 0.04}}
  models:
    credit: 0.03
minimum:
  accuracy: {default: 0.8}
"""

FILES: Mapping[str, str] = {
    "mandate/main/main.rego": MAIN,
    "mandate/rules/fairness/parity/parity.rego": RULE,
    "mandate/rules/fairness/parity/parity_test.rego": RULE_TEST,
    "mandate/testing/testing.rego": 'package mandate.testing\n\ngood := {"x": 0.05}\n',
    "thresholds/fairness.yaml": THRESHOLDS,
    "scope.yaml": "environments: [development, staging, production]\nrisk_tiers: [low, limited, high]\n",
    "selection.yaml": 'include:\n  default: ["*"]\nexclude:\n  default: []\n',
}


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write the files; their folder."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A root with one rule, its test and its thresholds."""
    return write(tmp_path / "library", FILES)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where bundles are kept."""
    return tmp_path / "store"
