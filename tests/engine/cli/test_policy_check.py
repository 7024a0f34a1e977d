"""`mandate policy check` as compliance people meet it: bad input with its message, place and next step."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest

from tests.organisation import Organisation, founded

Found = tuple[str, str, str, str]
"""Of a problem its rule, place, message and next step."""

SARIF = Path(__file__).parents[1] / "policy/sarif-2.1.0.json"
"""The JSON Schema of SARIF 2.1.0, as the npm package @microsoft/sarif-multitool-linux 5.7.0 has it (MIT)."""

OURS = "mandate/lib/ours/ours.rego"
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


def rule(name: str, rego: tuple[str, str] = ("", ""), test: tuple[str, str] = ("", "")) -> Mapping[str, str]:
    """The files of an organisation's rule `acme.<name>` with all that it must have, but for replacements."""
    assert rego[0] in RULE
    assert test[0] in TEST
    folder = f"mandate/rules/acme/{name}/{name}"
    texts = {".rego": RULE.replace(*rego), "_test.rego": TEST.replace(*test)}
    return {
        folder + end: text.replace("acme.limit", f"acme.{name}").replace("settings.limit", f"settings.{name}")
        for end, text in texts.items()
    }


def limits(*names: str) -> Mapping[str, str]:
    """The thresholds of such rules."""
    return {"thresholds/acme.yaml": "".join(f"{name}: {{default: 0.6}}\n" for name in names)}


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    return founded(tmp_path)


def write(organisation: Organisation, *several: Mapping[str, str]) -> None:
    for files in several:
        for path, text in files.items():
            file = organisation.folder / "policies" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def checked(organisation: Organisation, *arguments: str) -> tuple[int, list[Found]]:
    """The exit code, and the problems."""
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
    write(organisation, rule("limit"), limits("limit"))
    assert checked(organisation) == (0, [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "one := {\n",
            (
                "opa-check/rego_parse_error",
                f"organisation/{OURS}:4",
                "unexpected eof token (rego_parse_error)",
                "Correct the syntax, there or in the line above",
            ),
        ),
        (
            "one := [two]\n\ntwo := [one]\n",
            (
                "opa-check/rego_recursion_error",
                f"organisation/{OURS}:3",
                "rule data.mandate.lib.ours.one is recursive: data.mandate.lib.ours.one -> "
                "data.mandate.lib.ours.two -> data.mandate.lib.ours.one (rego_recursion_error)",
                "Break the circle: one of them must do without the others",
            ),
        ),
        (
            "one := 1\n\none contains 2\n",
            (
                "opa-check/rego_type_error",
                f"organisation/{OURS}:3",
                "conflicting rules data.mandate.lib.ours.one found (rego_type_error)",
                "Give one of them another name: a name is one value, one set or one function",
            ),
        ),
        (
            "one := time.now_ns()\n",
            (
                "opa-check/policy",
                f"organisation/{OURS}:3",
                "policies may not call time.now_ns (reads the clock: input.request.time is the only one)",
                "Remove the call",
            ),
        ),
    ],
    ids=["syntax error", "recursion", "conflicting rules", "the clock"],
)
def test_rego_that_does_not_compile_is_one_problem(
    text: str, found: Found, organisation: Organisation
) -> None:
    write(organisation, {OURS: f"package mandate.lib.ours\n\n{text}"})
    assert checked(organisation, "--no-tests") == (2, [found])


def thresholds(name: str, line: int, what: str, next_step: str) -> Found:
    return "compiler/thresholds", f"organisation/thresholds/{name}.yaml:{line}", what, next_step


def test_each_file_that_is_not_yaml_as_we_read_it_is_named(organisation: Organisation) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    write(
        organisation,
        {
            "thresholds/approvals.yaml": "required: [\n",
            "thresholds/drift.yaml": "drifted_share: {default: 0.1}\ndrifted_share: {default: 0.2}\n",
            "thresholds/fairness.yaml": bomb,
            "thresholds/performance.yaml": "baseline_required:\n\tdefault: true\n",
        },
    )
    assert checked(organisation, "--no-tests") == (
        2,
        [
            thresholds(
                "approvals",
                2,
                "not YAML: expected the node content, but found '<stream end>'",
                "Correct the syntax",
            ),
            thresholds("drift", 2, "'drifted_share' is already set in line 1", "Keep one of them"),
            thresholds(
                "fairness", 1, "there is an anchor or alias", "Write the value out where it is needed"
            ),
            thresholds("performance", 2, "there is a tab", "Indent with spaces"),
        ],
    )


def test_each_setting_that_is_wrong_is_named(organisation: Organisation) -> None:
    write(
        organisation,
        {
            "thresholds/fairness.yaml": "minimum_group_sise: {default: 40}\n"
            "demographic_parity_difference: {environments: {prodution: 0.03}}\n"
            "disparate_impact_ratio: {tier: {low: 0.8}}\n"
            "minimum_group_size: {default: 40.5}\n",
            "thresholds/drift.yaml": "null_rate_increase: {default: 1.5}\n",
            "thresholds/performance.yaml": "baseline_required: {default: NO}\n",
        },
    )
    assert checked(organisation, "--no-tests") == (
        2,
        [
            thresholds(
                "drift",
                1,
                "drift.null_rate_increase: 1.5 is out of range",
                "Write a number that is less than 1",
            ),
            thresholds(
                "fairness",
                1,
                "no rule reads the threshold 'fairness.minimum_group_sise'",
                "Write fairness.minimum_group_size",
            ),
            thresholds("fairness", 2, "there is no environment 'prodution'", "Write production"),
            thresholds(
                "fairness", 3, "fairness.disparate_impact_ratio has the unknown layer 'tier'", "Write tiers"
            ),
            thresholds(
                "fairness", 4, "fairness.minimum_group_size: 40.5 is not an integer", "Write an integer"
            ),
            thresholds(
                "performance",
                1,
                'performance.baseline_required: "NO" is not true or false',
                "Write false: in YAML 1.2 the word NO is text",
            ),
        ],
    )


def test_verdicts_by_hand_and_comparisons_of_ones_own_are_named(organisation: Organisation) -> None:
    yielded = 'check.at_least("accuracy", facts.share("performance", metric), bound)'
    patch = '[{"op": "add", "path": "/holds", "value": true}]'
    write(
        organisation,
        rule("literal", (yielded, '{"term": "accuracy", "measured": metric, "bound": bound, "holds": true}')),
        rule("union", (yielded, f'object.union({yielded}, {{"holds": true}})')),
        rule("patch", (yielded, f"json.patch({yielded}, {patch})")),
        limits("literal", "union", "patch"),
        {OURS: "package mandate.lib.ours\n\nsmall(value) if value <= 0.05\n"},
    )
    exit_code, found = checked(organisation, "--no-tests")
    ours = [problem for problem in found if problem[0].startswith("regal/mandate")]
    by_hand = [
        ("only lib/check makes checks", "Yield what check.at_most and the like return, unchanged"),
        ("only lib/check says what holds", "Use its functions"),
    ]
    assert (exit_code, ours) == (
        2,
        [
            (
                "regal/mandate/compare-in-library",
                f"organisation/{OURS}:3",
                "<= compares whatever it is given, null too",
                "Use check.at_most or check.at_least",
            ),
            *(
                (
                    "regal/mandate/made-by-check",
                    f"organisation/mandate/rules/acme/{name}/{name}.rego:25",
                    *said,
                )
                for name in ("literal", "patch", "union")
                for said in by_hand
            ),
        ],
    )


def test_a_link_out_of_the_folder_is_refused(organisation: Organisation) -> None:
    (organisation.folder / "outside.yaml").write_text("minimum_group_size: {default: 1}\n")
    (organisation.folder / "policies/thresholds/fairness.yaml").symlink_to("../../outside.yaml")
    place = "organisation/thresholds/fairness.yaml"
    what = "a link leads out of the folder of policies"
    assert checked(organisation) == (2, [("compiler/thresholds", place, what, "Put a copy there")])


def test_ten_thousand_rules_are_refused(organisation: Organisation) -> None:
    rules = organisation.folder / "policies/mandate/rules/acme"
    for number in range(10_000):
        (rules / f"r{number}").mkdir(parents=True)
        (rules / f"r{number}" / f"r{number}.rego").write_text(f"package mandate.rules.acme.r{number}\n")
    assert checked(organisation) == (
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
    place = "thresholds/fairness.yaml"
    with (organisation.folder / "policies" / place).open("wb") as file:
        file.truncate(100 << 20)
    assert checked(organisation) == (
        2,
        [("compiler/thresholds", f"organisation/{place}", "the file is over 1 MiB", "Split it")],
    )


def waiver(rule: str, effective_on: str, expires: str) -> str:
    """Seven lines."""
    return (
        f"- rule: {rule}\n"
        '  subject: {name: credit, version: "3"}\n'
        "  reason: The branch was closed\n"
        "  reference: MRM-120\n"
        "  approver: rita@bank.example\n"
        f"  effective_on: {effective_on}\n"
        f"  expires: {expires}\n"
    )


def test_a_waiver_that_expires_before_it_takes_effect_is_refused(organisation: Organisation) -> None:
    write(organisation, {"waivers/credit.yaml": waiver("drift.psi", "2026-11-20", "2026-11-01")})
    assert checked(organisation, "--no-tests") == (
        2,
        [
            (
                "compiler/waivers",
                "organisation/waivers/credit.yaml:7",
                "the waiver expires before it takes effect",
                "Let expires be after effective_on",
            )
        ],
    )


def test_waivers_and_rules_that_need_looking_after_are_warnings(organisation: Organisation) -> None:
    write(
        organisation,
        rule("limit", ('"2026-01-01T00:00:00Z"', '"2027-01-01T00:00:00Z"')),
        rule("begun", ('"2026-01-01T00:00:00Z"', '"2026-12-01T00:00:00Z"')),
        limits("limit", "begun"),
        {
            "waivers/credit.yaml": waiver("drift.psi", "2026-11-01", "2026-12-01")
            + waiver("drift.psi", "2026-11-01", '"2026-12-01T00:00:01Z"')
            + waiver("drift", "2026-11-01", "2026-12-03").replace(
                "- rule: drift", "- rule: drift.missing_data"
            )
            + waiver("drift.psi", "2026-12-01", "2026-12-31")
            + waiver("drift.psi", "2026-12-01", '"2026-12-31T00:00:01Z"')
            + waiver("drift.psi", '"2026-12-01T00:00:01Z"', "2027-01-01")
        },
    )
    again = "Satisfy the rule by then, or have the waiver approved anew"
    by_rita = "the waiver of drift.psi by rita@bank.example"

    def at(line: int) -> str:
        return f"organisation/waivers/credit.yaml:{line}"

    assert checked(organisation, "--no-tests", "--now", "2026-12-01T00:00:00Z") == (
        0,
        [
            (
                "deadlines/rule-announced",
                "organisation/mandate/rules/acme/limit/limit.rego:16",
                "the rule acme.limit only warns until 2027-01-01T00:00:00Z, and denies from then on",
                "See by `mandate policy impact` whom it would stop",
            ),
            (
                "deadlines/waiver-expired",
                at(1),
                f"{by_rita} expired at 2026-12-01T00:00:00Z",
                "Remove it, or have it approved anew",
            ),
            (
                "deadlines/waiver-expiring",
                at(8),
                f"{by_rita} expires at 2026-12-01T00:00:01Z, in less than a day",
                again,
            ),
            (
                "deadlines/waiver-expiring",
                at(15),
                "the waiver of drift.missing_data by rita@bank.example expires at 2026-12-03T00:00:00Z,"
                " in 2 days",
                again,
            ),
            (
                "deadlines/waiver-expiring",
                at(22),
                f"{by_rita} expires at 2026-12-31T00:00:00Z, in 30 days",
                again,
            ),
            (
                "deadlines/waiver-pending",
                at(36),
                f"{by_rita} takes effect at 2026-12-01T00:00:01Z, and waives nothing until then",
                "Nothing is to be done if that is meant",
            ),
        ],
    )


def test_an_expired_waiver_is_an_error_for_the_strict(organisation: Organisation) -> None:
    write(organisation, {"waivers/credit.yaml": waiver("drift.psi", "2026-11-20", "2026-12-20")})
    arguments = ("policy", "check", "--no-tests", "--now", "2026-12-21T00:00:00Z")
    shown = organisation.mandate(*arguments)
    assert (shown.exit_code, shown.out) == (
        0,
        "! organisation/waivers/credit.yaml:1: the waiver of drift.psi by rita@bank.example"
        " expired at 2026-12-20T00:00:00Z [deadlines/waiver-expired]\n"
        "  → Remove it, or have it approved anew\n"
        "1 warning\n",
    )
    assert organisation.mandate(*arguments, "--strict").exit_code == 2


def test_a_day_that_is_no_instant_is_refused(organisation: Organisation) -> None:
    shown = organisation.mandate("policy", "check", "--now", "tomorrow")
    assert (shown.exit_code, shown.err) == (
        2,
        "error: --now: tomorrow must be an RFC 3339 instant with its offset, such as 2026-01-31T12:00:00Z\n"
        "  → Write it as 2026-12-31T00:00:00Z\n",
    )


HOLDS, FAILS = '{"accuracy": "holds"}', '{"accuracy": "fails"}'
LACKING: Mapping[str, tuple[tuple[str, str], str, str]] = {
    "absent": (
        ('testing.removed("/performance")', 'testing.removed("/performance/metrics")'),
        "no case of acme.absent shows that an absent section does not pass",
        'Add a case whose changes have testing.removed("/section")',
    ),
    "asserted": (
        (f'value(0.6), "verdicts": {HOLDS}', f'value(0.6), "verdicts": {FAILS}'),
        'the case "at the limit passes" of acme.asserted expects {"accuracy":"fails"}, and the rule says '
        '{"accuracy":"holds"}',
        "See `mandate policy test acme.asserted`",
    ),
    "empty": (
        ('testing.replaced("/performance/metrics", [])', 'testing.removed("/performance/metrics")'),
        "no case of acme.empty shows that an empty list does not pass",
        'Add a case whose changes have testing.replaced("/section/list", [])',
    ),
    "failing": (
        ("value(0.5999)", 'value("0.5999")'),
        "no case of acme.failing has a number that does not meet the threshold acme.failing",
        "Add a case on that side of the bound, as near to it as makes a difference",
    ),
    "nothing": (
        ("value(null)", "value(0.1)"),
        "no case of acme.nothing shows that null does not pass",
        'Add a case whose changes have testing.replaced("/section/…/field", null)',
    ),
    "passing": (
        (f'value(0.6), "verdicts": {HOLDS}', f'value(0.1), "verdicts": {FAILS}'),
        "no case of acme.passing has a number that meets the threshold acme.passing",
        "Add a case on that side of the bound, as near to it as makes a difference",
    ),
    "patched": (
        ('"changes": value("0.9")', '"changes": [testing.removed("/nowhere/at/all")]'),
        "cases of acme.patched have no changes that can be made, or no verdicts: text fails",
        'Write {"changes": […], "verdicts": {term: verdict}}',
    ),
    "tabled": (
        ("cases", "table"),
        "the rule acme.tabled has no test with cases",
        "Define cases in tabled_test.rego, as mandate.testing.conformance says",
    ),
    "text": (
        ('value("0.9")', "value(0.1)"),
        "no case of acme.text shows that text in the place of something else does not pass",
        'Add a case whose changes have testing.replaced("/section/…/value", "0.05")',
    ),
}
KINDS = {
    "asserted": "verdicts",
    "failing": "threshold",
    "nothing": "null",
    "passing": "threshold",
    "patched": "case",
    "tabled": "no-cases",
}


def test_what_the_tests_of_rules_lack_is_named(organisation: Organisation) -> None:
    untested = rule("untested")
    write(
        organisation, limits(*LACKING, "untested"), *(rule(name, test=LACKING[name][0]) for name in LACKING)
    )
    write(organisation, {path: text for path, text in untested.items() if not path.endswith("_test.rego")})

    def place(name: str) -> str:
        line = 1 if name == "tabled" else 8
        return f"organisation/mandate/rules/acme/{name}/{name}_test.rego:{line}"

    expected = [
        (f"conformance/{KINDS.get(name, name)}", place(name), what, next_step)
        for name, (_, what, next_step) in LACKING.items()
    ]
    patched = (
        "conformance/text",
        place("patched"),
        "no case of acme.patched shows that text in the place of something else does not pass",
        'Add a case whose changes have testing.replaced("/section/…/value", "0.05")',
    )
    none = (
        "conformance/no-cases",
        "organisation/mandate/rules/acme/untested/untested.rego:1",
        "the rule acme.untested has no test with cases",
        "Define cases in untested_test.rego, as mandate.testing.conformance says",
    )
    exit_code, found = checked(organisation, "--no-tests")
    assert (exit_code, found) == (
        2,
        sorted([*expected, patched, none], key=lambda problem: (problem[1], problem[0])),
    )


def test_verdicts_that_a_test_asserts_are_told_once(organisation: Organisation) -> None:
    write(organisation, rule("asserted", test=LACKING["asserted"][0]), limits("asserted"))
    assert checked(organisation) == (
        2,
        [
            (
                "opa-test/failed",
                "organisation/mandate/rules/acme/asserted/asserted_test.rego:23",
                "the test acme.asserted_test.test_verdicts / at the limit passes failed",
                "See `mandate policy test acme.asserted_test.test_verdicts`",
            )
        ],
    )


def test_a_code_host_is_told_in_sarif_that_its_schema_accepts(organisation: Organisation) -> None:
    write(organisation, {"thresholds/fairness.yaml": "minimum_group_sise: {default: 40}\n"})
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
    said = "No rule reads the threshold 'fairness.minimum_group_sise'. Write fairness.minimum_group_size."
    artifact = {"uri": "policies/thresholds/fairness.yaml", "uriBaseId": "SRCROOT"}
    place = {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": 1}}}
    assert (ran.exit_code, run["results"]) == (
        2,
        [
            {
                "ruleId": "compiler/thresholds",
                "ruleIndex": 0,
                "level": "error",
                "message": {"text": said},
                "locations": [place],
            }
        ],
    )
