"""`mandate policy check` as compliance people meet it: bad input with its message, place and next step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.organisation import Organisation, founded

SARIF = Path(__file__).parents[1] / "policy/sarif-2.1.0.json"
"""The JSON Schema of SARIF 2.1.0, as the npm package @microsoft/sarif-multitool-linux 5.7.0 has it (MIT)."""

OURS = "mandate/lib/ours/ours.rego"
LIMIT = "mandate/rules/acme/limit/limit.rego"
FAIRNESS = "thresholds/fairness.yaml"
RULE = """# METADATA
# title: The error rate is within our limit
# description: The rate of wrong answers on the hold-out, against the limit of our risk appetite.
# custom:
#   failure_msg: The model is wrong too often
#   solution: Improve the model.
#   severity: high
#   collections: [acme]
#   controls: [Risk appetite statement 4]
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [performance]
#   actions: [promote, deploy]
#   waivable: true
#   thresholds:
#     acme.limit: {type: number, minimum: 0, maximum: 1}
package mandate.rules.acme.limit

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.acme as settings

terms := {"accuracy"}

must contains check.at_least("accuracy", facts.share("performance", metric), bound) if {
	some metric in input.performance.metrics
	metric.name == "accuracy"
	bound := thresholds.of(settings.limit)
}
"""
TEST = """package mandate.rules.acme.limit_test

import data.mandate.rules.acme.limit as rule
import data.mandate.testing

value(measured) := [testing.replaced("/performance/metrics/0/value", measured)]

cases := {
	"at the limit passes": {"changes": value(0.6), "verdicts": {"accuracy": "holds"}},
	"just below fails": {"changes": value(0.5999), "verdicts": {"accuracy": "fails"}},
	"null fails": {"changes": value(null), "verdicts": {"accuracy": "fails"}},
	"text fails": {"changes": value("0.9"), "verdicts": {"accuracy": "fails"}},
	"no metrics have no verdict": {
		"changes": [testing.replaced("/performance/metrics", [])],
		"verdicts": {"accuracy": "no verdict"},
	},
	"no section has no verdict": {
		"changes": [testing.removed("/performance")],
		"verdicts": {"accuracy": "no verdict"},
	},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}
"""
OWN: Mapping[str, str] = {
    LIMIT: RULE,
    LIMIT.replace(".rego", "_test.rego"): TEST,
    "thresholds/acme.yaml": "limit: {default: 0.6}\n",
}
"""An organisation's rule with all that it must have."""


def rule(old: str, new: str) -> Mapping[str, str]:
    assert old in RULE
    return {**OWN, LIMIT: RULE.replace(old, new)}


def test(old: str, new: str) -> Mapping[str, str]:
    assert old in TEST
    return {**OWN, LIMIT.replace(".rego", "_test.rego"): TEST.replace(old, new)}


test.__test__ = False  # type: ignore[attr-defined]  # for pytest, which takes the name for a test


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    return founded(tmp_path)


def write(organisation: Organisation, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        file = organisation.folder / "policies" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def problems(organisation: Organisation, *arguments: str) -> tuple[int, list[tuple[str, str, str, str]]]:
    """The exit code, and of each problem its rule, place, message and next step."""
    ran = organisation.mandate("policy", "check", "--output", "json", *arguments)
    return ran.exit_code, [
        (
            problem["rule"],
            problem["file"] + (f":{problem['line']}" if problem["line"] else ""),
            problem["what"],
            problem["next_step"],
        )
        for problem in ran.json["problems"]
    ]


def test_an_organisations_rule_with_all_that_it_must_have_is_clean(organisation: Organisation) -> None:
    write(organisation, OWN)
    assert problems(organisation) == (0, [])


BAD: Mapping[str, tuple[Mapping[str, str], list[tuple[str, str, str, str]]]] = {
    "syntax error": (
        {OURS: "package mandate.lib.ours\n\none := {\n"},
        [
            (
                "opa-check/rego_parse_error",
                f"organisation/{OURS}:4",
                "unexpected eof token (rego_parse_error)",
                "Correct the syntax, there or in the line above",
            )
        ],
    ),
    "recursion": (
        {OURS: "package mandate.lib.ours\n\none := [two]\n\ntwo := [one]\n"},
        [
            (
                "opa-check/rego_recursion_error",
                f"organisation/{OURS}:3",
                "rule data.mandate.lib.ours.one is recursive: data.mandate.lib.ours.one -> "
                "data.mandate.lib.ours.two -> data.mandate.lib.ours.one (rego_recursion_error)",
                "Break the circle: one of them must do without the others",
            )
        ],
    ),
    "conflicting rules": (
        {OURS: "package mandate.lib.ours\n\none := 1\n\none contains 2\n"},
        [
            (
                "opa-check/rego_type_error",
                f"organisation/{OURS}:3",
                "conflicting rules data.mandate.lib.ours.one found (rego_type_error)",
                "Give one of them another name: a name is one value, one set or one function",
            )
        ],
    ),
    "the clock": (
        {OURS: "package mandate.lib.ours\n\none := time.now_ns()\n"},
        [
            (
                "opa-check/policy",
                f"organisation/{OURS}:3",
                "policies may not call time.now_ns (reads the clock: input.request.time is the only one)",
                "Remove the call",
            )
        ],
    ),
    "not YAML": (
        {FAIRNESS: "demographic_parity_difference: [\n"},
        [
            (
                "compiler/thresholds",
                f"organisation/{FAIRNESS}:2",
                "not YAML: expected the node content, but found '<stream end>'",
                "Correct the syntax",
            )
        ],
    ),
    "a duplicate key": (
        {FAIRNESS: "minimum_group_size: {default: 40}\nminimum_group_size: {default: 50}\n"},
        [
            (
                "compiler/thresholds",
                f"organisation/{FAIRNESS}:2",
                "'minimum_group_size' is already set in line 1",
                "Keep one of them",
            )
        ],
    ),
    "an anchor bomb": (
        {
            FAIRNESS: "a: &a [x, x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n"
                for a, b in zip("abcdefgh", "bcdefghi", strict=True)
            )
        },
        [
            (
                "compiler/thresholds",
                f"organisation/{FAIRNESS}:1",
                "there is an anchor or alias",
                "Write the value out where it is needed",
            )
        ],
    ),
    "a tab": (
        {FAIRNESS: "minimum_group_size:\n\tdefault: 40\n"},
        [("compiler/thresholds", f"organisation/{FAIRNESS}:2", "there is a tab", "Indent with spaces")],
    ),
    "NO read as false": (
        {"thresholds/performance.yaml": "baseline_required: {default: NO}\n"},
        [
            (
                "compiler/thresholds",
                "organisation/thresholds/performance.yaml:1",
                'performance.baseline_required: "NO" is not true or false',
                "Write false: in YAML 1.2 the word NO is text",
            )
        ],
    ),
    "a bound that can never fail": (
        {FAIRNESS: "demographic_parity_difference: {default: 1.5}\n"},
        [
            (
                "compiler/thresholds",
                f"organisation/{FAIRNESS}:1",
                "fairness.demographic_parity_difference: 1.5 is out of range",
                "Write a number that is less than 1",
            )
        ],
    ),
    "three typos": (
        {
            FAIRNESS: "minimum_group_sise: {default: 40}\n"
            "demographic_parity_difference: {environments: {prodution: 0.03}}\n"
            "disparate_impact_ratio: {tier: {low: 0.8}}\n"
        },
        [
            (
                "compiler/thresholds",
                f"organisation/{FAIRNESS}:1",
                "no rule reads the threshold 'fairness.minimum_group_sise'",
                "Write fairness.minimum_group_size",
            ),
            (
                "compiler/thresholds",
                f"organisation/{FAIRNESS}:2",
                "there is no environment 'prodution'",
                "Write production",
            ),
            (
                "compiler/thresholds",
                f"organisation/{FAIRNESS}:3",
                "fairness.disparate_impact_ratio has the unknown layer 'tier'",
                "Write tiers",
            ),
        ],
    ),
    "a date in the past": (
        {
            "waivers/credit.yaml": "- rule: drift.psi\n"
            '  subject: {name: credit, version: "3"}\n'
            "  reason: The branch was closed\n"
            "  reference: MRM-120\n"
            "  approver: rita@bank.example\n"
            "  effective_on: 2026-11-20\n"
            "  expires: 2026-11-01\n"
        },
        [
            (
                "compiler/waivers",
                "organisation/waivers/credit.yaml:7",
                "the waiver expires before it takes effect",
                "Let expires be after effective_on",
            )
        ],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_with_its_place_and_the_next_step(name: str, organisation: Organisation) -> None:
    files, expected = BAD[name]
    write(organisation, files)
    assert problems(organisation, "--no-tests") == (2, expected)
