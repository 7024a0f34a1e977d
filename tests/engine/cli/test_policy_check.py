"""`mandate policy check` as compliance people meet it: bad input with its message, place and next step."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import jsonschema
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


BY_HAND = (
    "regal/mandate/made-by-check",
    f"organisation/{LIMIT}:25",
    "only lib/check makes checks",
    "Yield what check.at_most and the like return, unchanged",
)
HOLDS = (
    "regal/mandate/made-by-check",
    f"organisation/{LIMIT}:25",
    "only lib/check says what holds",
    "Use its functions",
)
YIELDED = 'check.at_least("accuracy", facts.share("performance", metric), bound)'


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ('{"term": "accuracy", "measured": metric, "bound": bound, "holds": true}', [BY_HAND, HOLDS]),
        (f'object.union({YIELDED}, {{"holds": true}})', [BY_HAND, HOLDS]),
        (f'json.patch({YIELDED}, [{{"op": "add", "path": "/holds", "value": true}}])', [BY_HAND, HOLDS]),
    ],
    ids=["a literal", "a union", "a patch"],
)
def test_a_verdict_by_hand_is_named(
    check: str, expected: list[tuple[str, str, str, str]], organisation: Organisation
) -> None:
    write(organisation, rule(YIELDED, check))
    exit_code, found = problems(organisation, "--no-tests")
    assert (exit_code, [problem for problem in found if "made-by-check" in problem[0]]) == (2, expected)


def test_an_organisations_library_is_no_way_around_the_comparisons(organisation: Organisation) -> None:
    write(organisation, {OURS: "package mandate.lib.ours\n\nsmall(value) if value <= 0.05\n"})
    assert problems(organisation, "--no-tests") == (
        2,
        [
            (
                "regal/mandate/compare-in-library",
                f"organisation/{OURS}:3",
                "<= compares whatever it is given, null too",
                "Use check.at_most or check.at_least",
            )
        ],
    )


def test_a_link_out_of_the_folder_is_refused(organisation: Organisation) -> None:
    (organisation.folder / "outside.yaml").write_text("minimum_group_size: {default: 1}\n")
    (organisation.folder / "policies" / FAIRNESS).symlink_to("../../outside.yaml")
    assert problems(organisation) == (
        2,
        [
            (
                "compiler/thresholds",
                f"organisation/{FAIRNESS}",
                "a link leads out of the folder of policies",
                "Put a copy there",
            )
        ],
    )


def test_ten_thousand_rules_are_refused(organisation: Organisation) -> None:
    rules = organisation.folder / "policies/mandate/rules/acme"
    for number in range(10_000):
        (rules / f"r{number}").mkdir(parents=True)
        (rules / f"r{number}" / f"r{number}.rego").write_text(f"package mandate.rules.acme.r{number}\n")
    assert problems(organisation) == (
        2,
        [
            (
                "compiler/policy",
                "mandate/rules/…",
                "there are 10,016 rules, and at most 1,000 are compiled",
                "Let one rule judge many terms",
            )
        ],
    )


def test_a_file_of_a_hundred_megabytes_is_refused_unread(organisation: Organisation) -> None:
    with (organisation.folder / "policies" / FAIRNESS).open("wb") as file:
        file.truncate(100 << 20)
    assert problems(organisation) == (
        2,
        [("compiler/thresholds", f"organisation/{FAIRNESS}", "the file is over 1 MiB", "Split it")],
    )


WAIVER = (
    "- rule: drift.psi\n"
    '  subject: {name: credit, version: "3"}\n'
    "  reason: The branch was closed\n"
    "  reference: MRM-120\n"
    "  approver: rita@bank.example\n"
    "  effective_on: 2026-11-20\n"
    "  expires: 2026-12-20\n"
)
OF_RITA = "the waiver of drift.psi by rita@bank.example"


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (
            "2026-11-19T00:00:00Z",
            (
                "deadlines/waiver-pending",
                f"{OF_RITA} takes effect at 2026-11-20T00:00:00Z, and waives nothing until then",
                "Nothing is to be done if that is meant",
            ),
        ),
        (
            "2026-11-20T00:00:00Z",
            (
                "deadlines/waiver-expiring",
                f"{OF_RITA} expires at 2026-12-20T00:00:00Z, in 30 days",
                "Satisfy the rule by then, or have the waiver approved anew",
            ),
        ),
        (
            "2026-12-18T12:00:00Z",
            (
                "deadlines/waiver-expiring",
                f"{OF_RITA} expires at 2026-12-20T00:00:00Z, in 1 day",
                "Satisfy the rule by then, or have the waiver approved anew",
            ),
        ),
        (
            "2026-12-19T23:59:59Z",
            (
                "deadlines/waiver-expiring",
                f"{OF_RITA} expires at 2026-12-20T00:00:00Z, in less than a day",
                "Satisfy the rule by then, or have the waiver approved anew",
            ),
        ),
        (
            "2026-12-20T00:00:00Z",
            (
                "deadlines/waiver-expired",
                f"{OF_RITA} expired at 2026-12-20T00:00:00Z",
                "Remove it, or have it approved anew",
            ),
        ),
    ],
)
def test_a_waiver_that_needs_looking_after_is_a_warning(
    now: str, found: tuple[str, str, str], organisation: Organisation
) -> None:
    write(organisation, {"waivers/credit.yaml": WAIVER})
    place = "organisation/waivers/credit.yaml:1"
    assert problems(organisation, "--no-tests", "--now", now) == (0, [(found[0], place, *found[1:])])


def test_a_waiver_in_force_needs_nothing(organisation: Organisation) -> None:
    write(
        organisation,
        {
            "waivers/credit.yaml": WAIVER,
            "thresholds/waivers.yaml": "expiring_within_days: {default: 5}\n",
        },
    )
    assert problems(organisation, "--no-tests", "--now", "2026-12-01T00:00:00Z") == (0, [])


def test_an_expired_waiver_is_an_error_for_the_strict(organisation: Organisation) -> None:
    write(organisation, {"waivers/credit.yaml": WAIVER})
    arguments = ("policy", "check", "--no-tests", "--now", "2027-01-01T00:00:00Z")
    shown = organisation.mandate(*arguments)
    assert (shown.exit_code, shown.out) == (
        0,
        f"! organisation/waivers/credit.yaml:1: {OF_RITA} expired at 2026-12-20T00:00:00Z"
        " [deadlines/waiver-expired]\n"
        "  → Remove it, or have it approved anew\n"
        "1 warning\n",
    )
    assert organisation.mandate(*arguments, "--strict").exit_code == 2


def test_an_announced_rule_is_a_warning_with_its_day(organisation: Organisation) -> None:
    write(organisation, rule('"2026-01-01T00:00:00Z"', '"2027-01-01T00:00:00Z"'))
    assert problems(organisation, "--no-tests", "--now", "2026-12-31T23:59:59Z") == (
        0,
        [
            (
                "deadlines/rule-announced",
                f"organisation/{LIMIT}:16",
                "the rule acme.limit only warns until 2027-01-01T00:00:00Z, and denies from then on",
                "See by `mandate policy impact` whom it would stop",
            )
        ],
    )
    assert problems(organisation, "--no-tests", "--now", "2027-01-01T00:00:00Z") == (0, [])


def test_a_day_that_is_no_instant_is_refused(organisation: Organisation) -> None:
    shown = organisation.mandate("policy", "check", "--now", "tomorrow")
    assert (shown.exit_code, shown.err) == (
        2,
        "error: --now: tomorrow must be an RFC 3339 instant with its offset, such as 2026-01-31T12:00:00Z\n"
        "  → Write it as 2026-12-31T00:00:00Z\n",
    )


TESTED = f"organisation/{LIMIT.replace('.rego', '_test.rego')}:8"
LACKING: Mapping[str, tuple[Mapping[str, str], list[tuple[str, str, str, str]]]] = {
    "no test": (
        {path: text for path, text in OWN.items() if not path.endswith("_test.rego")},
        [
            (
                "conformance/no-cases",
                f"organisation/{LIMIT}:1",
                "the rule acme.limit has no test with cases",
                "Define cases in limit_test.rego, as mandate.testing.conformance says",
            )
        ],
    ),
    "no cases": (
        test("cases", "table"),
        [
            (
                "conformance/no-cases",
                TESTED.replace(":8", ":1"),
                "the rule acme.limit has no test with cases",
                "Define cases in limit_test.rego, as mandate.testing.conformance says",
            )
        ],
    ),
    "one side of the threshold": (
        test("value(0.5999)", 'value("0.5999")'),
        [
            (
                "conformance/threshold",
                TESTED,
                "no case of acme.limit has a number that does not meet the threshold acme.limit",
                "Add a case on that side of the bound, as near to it as makes a difference",
            )
        ],
    ),
    "the other side of the threshold": (
        test('0.6), "verdicts": {"accuracy": "holds"}', '0.1), "verdicts": {"accuracy": "fails"}'),
        [
            (
                "conformance/threshold",
                TESTED,
                "no case of acme.limit has a number that meets the threshold acme.limit",
                "Add a case on that side of the bound, as near to it as makes a difference",
            )
        ],
    ),
    "null": (
        test("value(null)", "value(0.1)"),
        [
            (
                "conformance/null",
                TESTED,
                "no case of acme.limit shows that null does not pass",
                'Add a case whose changes have testing.replaced("/section/…/field", null)',
            )
        ],
    ),
    "text": (
        test('value("0.9")', "value(0.1)"),
        [
            (
                "conformance/text",
                TESTED,
                "no case of acme.limit shows that text in the place of something else does not pass",
                'Add a case whose changes have testing.replaced("/section/…/value", "0.05")',
            )
        ],
    ),
    "an absent section": (
        test('testing.removed("/performance")', 'testing.removed("/performance/metrics")'),
        [
            (
                "conformance/absent",
                TESTED,
                "no case of acme.limit shows that an absent section does not pass",
                'Add a case whose changes have testing.removed("/section")',
            )
        ],
    ),
    "an empty list": (
        test('testing.replaced("/performance/metrics", [])', 'testing.removed("/performance/metrics")'),
        [
            (
                "conformance/empty",
                TESTED,
                "no case of acme.limit shows that an empty list does not pass",
                'Add a case whose changes have testing.replaced("/section/list", [])',
            )
        ],
    ),
    "changes that cannot be made": (
        test('"changes": value(0.6)', '"changes": [testing.removed("/nowhere/at/all")]'),
        [
            (
                "conformance/case",
                TESTED,
                "cases of acme.limit have no changes that can be made, or no verdicts: at the limit passes",
                'Write {"changes": […], "verdicts": {term: verdict}}',
            ),
            (
                "conformance/threshold",
                TESTED,
                "no case of acme.limit has a number that meets the threshold acme.limit",
                "Add a case on that side of the bound, as near to it as makes a difference",
            ),
        ],
    ),
    "verdicts that nobody asserts": (
        test(
            'value(0.6), "verdicts": {"accuracy": "holds"}', 'value(0.6), "verdicts": {"accuracy": "fails"}'
        ),
        [
            (
                "conformance/verdicts",
                TESTED,
                'the case "at the limit passes" of acme.limit expects {"accuracy":"fails"}, and the rule '
                'says {"accuracy":"holds"}',
                "See `mandate policy test acme.limit`",
            )
        ],
    ),
}


@pytest.mark.parametrize("name", LACKING)
def test_what_a_rules_tests_lack_is_named(name: str, organisation: Organisation) -> None:
    files, expected = LACKING[name]
    write(organisation, files)
    assert problems(organisation, "--no-tests") == (2, expected)


def test_verdicts_that_a_test_asserts_are_told_once(organisation: Organisation) -> None:
    files, _ = LACKING["verdicts that nobody asserts"]
    write(organisation, files)
    assert problems(organisation) == (
        2,
        [
            (
                "opa-test/failed",
                TESTED.replace(":8", ":23"),
                "the test acme.limit_test.test_verdicts / at the limit passes failed",
                "See `mandate policy test acme.limit_test.test_verdicts`",
            )
        ],
    )


def test_a_code_host_is_told_in_sarif_that_its_schema_accepts(organisation: Organisation) -> None:
    write(organisation, {FAIRNESS: "minimum_group_sise: {default: 40}\n", "waivers/credit.yaml": WAIVER})
    subprocess.run(["git", "init", "--quiet", "."], cwd=organisation.folder, check=True)
    (organisation.folder / "below").mkdir()
    arguments = ("policy", "check", "--no-tests", "--output", "sarif")
    ran = Organisation(organisation.folder / "below").mandate(*arguments)
    jsonschema.validate(ran.json, json.loads(SARIF.read_text()))
    (run,) = ran.json["runs"]
    assert run["originalUriBaseIds"] == {"SRCROOT": {"uri": f"{organisation.folder.as_uri()}/"}}
    assert run["tool"]["driver"]["rules"] == [
        {
            "id": "compiler/thresholds",
            "shortDescription": {"text": "compiler/thresholds"},
            "help": {"text": "Write fairness.minimum_group_size."},
        }
    ]
    assert (ran.exit_code, run["results"]) == (
        2,
        [
            {
                "ruleId": "compiler/thresholds",
                "ruleIndex": 0,
                "level": "error",
                "message": {
                    "text": "No rule reads the threshold 'fairness.minimum_group_sise'."
                    " Write fairness.minimum_group_size."
                },
                "locations": [
                    {
                        "physicalLocation": {
                            "artifactLocation": {"uri": f"policies/{FAIRNESS}", "uriBaseId": "SRCROOT"},
                            "region": {"startLine": 1},
                        }
                    }
                ],
            }
        ],
    )


def test_without_problems_the_sarif_has_no_result(organisation: Organisation) -> None:
    ran = organisation.mandate("policy", "check", "--no-tests", "--output", "sarif")
    jsonschema.validate(ran.json, json.loads(SARIF.read_text()))
    assert (ran.exit_code, ran.json["runs"][0]["results"]) == (0, [])


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_with_its_place_and_the_next_step(name: str, organisation: Organisation) -> None:
    files, expected = BAD[name]
    write(organisation, files)
    assert problems(organisation, "--no-tests") == (2, expected)
