"""`mandate policy list` and `mandate policy show`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engine.policy.conftest import write
from tests.organisation import GOOD, Organisation, founded

RULE = """# METADATA
# title: Odds are alike
# description: |
#   The difference of two groups' odds.
#
#   As the board measures it.
# custom:
#   failure_msg: The odds differ too much
#   solution: Mitigate the model.
#   severity: high
#   collections: [bank]
#   controls: [Credit policy 4.2, EU AI Act 10]
#   effective_on: "2096-01-01T00:00:00Z"
#   depends_on: [fairness]
#   actions: [promote]
#   environments: [production]
#   replaces: {rule: fairness.demographic_parity, reason: the board measures by odds}
#   waivable: true
#   thresholds:
#     bank.odds: {type: number, tightens: down, exclusiveMinimum: 0, exclusiveMaximum: 1}
#     bank.committee: {type: array, tightens: up, items: {type: string}}
#     bank.limits.*: {type: integer, tightens: down}
package mandate.rules.bank.odds

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.bank as settings

terms contains name if some name in thresholds.of(settings.committee).value

must contains check.at_most("odds", facts.figure("fairness", metric), thresholds.of(settings.odds)) if {
	some metric in input.fairness.attributes[0].metrics
	count(settings.limits) > 0
}
"""

PLAIN = """# METADATA
# title: There is a wallet
# description: Somebody pays.
# custom:
#   failure_msg: Nobody pays
#   solution: Find somebody.
#   severity: low
#   collections: [bank]
#   controls: []
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: []
#   actions: [promote, deploy]
#   waivable: false
package mandate.rules.bank.wallet

terms := {"wallet"}

must := set()
"""

TEST = """package mandate.rules.bank.odds_test

import data.mandate.rules.bank.odds as rule

cases := {"one": 1, "two": 2}

test_cases[note] if {
	some note, case in cases
	case > 0
}

test_terms if rule.terms == set()
"""

OWN = {
    "mandate/rules/bank/odds/odds.rego": RULE,
    "mandate/rules/bank/odds/odds_test.rego": TEST,
    "mandate/rules/bank/wallet/wallet.rego": PLAIN,
    "thresholds/bank.yaml": (
        "# How far the odds may differ.\n"
        "# The board's own choice.\n"
        "odds:\n"
        "  default: 0.1\n"
        "  # Resolution 12: tighter in production.\n"
        "  tiers_in_environments: {production: {high: 0.08}}\n"
        "  models: {credit: 0.05}\n"
        "\n"
        "committee: {default: [ada, bob, carol, dora]}\n"
        "# Of whatever is counted.\n"
        "limits:\n"
        "  rows: {default: 7}\n"
    ),
    "waivers/credit.yaml": (
        '- rule: bank.odds:afam\n  subject: {name: credit, version: "3"}\n'
        "  reason: The branch was closed\n  reference: MRM-120\n  approver: rita@bank.example\n"
        "  effective_on: 2026-11-20\n  expires: 2026-12-20\n"
        f"- rule: bank.odds\n  subject: {{sha256: {'0f' * 32}}}\n"
        "  reason: The same\n  reference: MRM-121\n  approver: rita@bank.example\n"
        "  effective_on: 2026-11-20\n  expires: 2026-12-20\n"
    ),
}

THRESHOLDS = "organisation/thresholds/bank.yaml"


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    organisation = founded(tmp_path)
    write(tmp_path / "policies", OWN)
    return organisation


def listed(organisation: Organisation, *arguments: str) -> dict[str, Any]:
    """The rules that are listed, by id."""
    shown = organisation.mandate("policy", "list", *arguments, "--output", "json")
    assert shown.exit_code == 0, shown.err
    return {rule["rule"]: rule for rule in shown.json["rules"]}


def test_rules_are_listed_with_every_layer_of_their_thresholds(
    organisation: Organisation,
) -> None:
    shown = organisation.mandate("policy", "list", "--collection", "bank")
    assert (shown.exit_code, shown.err) == (0, "")
    assert shown.out == (
        "rule                                severity  judges           thresholds\n"
        "\n"
        "bank.odds                           high      promote          "
        "committee ada, bob, carol and 1 more\n"
        "of organisation                               in production    limits.rows 7\n"
        "warns until 2096-01-01                                         odds 0.1; production high 0.08;\n"
        "replaces                                                       credit 0.05\n"
        "fairness.demographic_parity\n"
        "\n"
        "bank.wallet                         low       promote, deploy\n"
        "of organisation                     not       everywhere\n"
        "                                    waivable\n"
    )
    assert max(map(len, shown.out.splitlines())) <= 100


def test_programs_are_told_the_same_of_a_rule(organisation: Organisation) -> None:
    shown = organisation.mandate("policy", "list", "--output", "json").json
    assert shown["question"] is None
    (rule,) = [rule for rule in shown["rules"] if rule["rule"] == "bank.odds"]
    assert rule == {
        "rule": "bank.odds",
        "title": "Odds are alike",
        "severity": "high",
        "waivable": True,
        "actions": ["promote"],
        "environments": ["production"],
        "collections": ["bank"],
        "effective_on": "2096-01-01T00:00:00Z",
        "announced": True,
        "defined_at": "organisation/mandate/rules/bank/odds/odds.rego:23",
        "root": "organisation",
        "replaces": "fairness.demographic_parity",
        "replaced_by": None,
        "thresholds": {
            "bank.committee": [
                {
                    "layer": ["default"],
                    "value": ["ada", "bob", "carol", "dora"],
                    "set_at": f"{THRESHOLDS}:9",
                }
            ],
            "bank.limits.rows": [{"layer": ["default"], "value": 7, "set_at": f"{THRESHOLDS}:12"}],
            "bank.odds": [
                {"layer": ["default"], "value": 0.1, "set_at": f"{THRESHOLDS}:4"},
                {
                    "layer": ["tiers_in_environments", "production", "high"],
                    "value": 0.08,
                    "set_at": f"{THRESHOLDS}:6",
                },
                {"layer": ["models", "credit"], "value": 0.05, "set_at": f"{THRESHOLDS}:7"},
            ],
        },
    }
    (replaced,) = [rule for rule in shown["rules"] if rule["rule"] == "fairness.demographic_parity"]
    assert (replaced["root"], replaced["replaced_by"], replaced["announced"]) == (
        "library",
        "bank.odds",
        False,
    )


def test_what_judges_a_model_and_what_does_not_is_said_with_why(organisation: Organisation) -> None:
    asked = ("--model", "mortgage", "-e", "staging", "--tier", "low", "-a", "deploy", "--collection", "bank")
    (organisation.folder / "policies/selection.yaml").write_text(
        'include: {tiers: {low: ["@essential", bank]}}\n'
    )
    shown = organisation.mandate("policy", "list", *asked)
    assert (shown.exit_code, shown.err) == (0, "")
    assert shown.out == (
        "mortgage · deploy · staging · risk tier low\n"
        "\n"
        "1 rule would judge:\n"
        "\n"
        "rule             severity  judges           thresholds\n"
        "\n"
        "bank.wallet      low       promote, deploy\n"
        "of organisation  not       everywhere\n"
        "                 waivable\n"
        "\n"
        "1 rule would not:\n"
        "\n"
        "bank.odds  It does not judge the action deploy.\n"
    )


def test_the_values_that_hold_are_those_of_the_model(organisation: Organisation) -> None:
    for asked, value, line in (
        (("--environment", "production", "--tier", "low"), 0.1, 4),
        (("--environment", "production", "--tier", "high"), 0.08, 6),
        (("--environment", "production"), 0.08, 6),
        (("--model", "credit"), 0.05, 7),
    ):
        odds = listed(organisation, *asked)["bank.odds"]["thresholds"]["bank.odds"]
        assert odds == {"value": value, "set_at": f"{THRESHOLDS}:{line}"}


@pytest.mark.parametrize("year", ["2026", "2096"])
def test_what_is_listed_is_what_a_decision_says(organisation: Organisation, year: str) -> None:
    """Whether the rule that replaces one is in force, or is announced and replaces none yet."""
    odds = organisation.folder / "policies/mandate/rules/bank/odds/odds.rego"
    odds.write_text(RULE.replace("2096-01-01", f"{year}-01-01"))
    (organisation.folder / "policies/selection.yaml").write_text("exclude: {default: [drift]}\n")
    rules = listed(organisation, "--model", "credit", "--environment", "production", "--action", "promote")
    decision = organisation.check(GOOD).json
    assert {rule for rule, about in rules.items() if about["judges"]} == {
        finding["rule"] for finding in decision["findings"]
    }
    reasons = [(rule, reason) for rule, about in rules.items() for reason in about["reasons"]]
    assert reasons == sorted((one["rule"], one["reason"]) for one in decision["not_applicable"])
    assert ("fairness.demographic_parity" in dict(reasons)) == (year == "2026")


def test_the_tier_is_that_of_the_settings_or_else_the_highest(organisation: Organisation) -> None:
    asked = ("policy", "list", "--model", "credit", "--collection", "bank", "--output", "json")
    assert organisation.mandate(*asked).json["question"] == {
        "model": "credit",
        "action": "promote",
        "environment": "production",
        "risk_tier": "high",
    }
    heading = organisation.mandate(*asked[:-2]).out.splitlines()[0]
    assert heading == "credit · promote · production · risk tier high, the highest, for none is named"
    settings = organisation.folder / "mandate.yaml"
    settings.write_text(settings.read_text().replace("models: {}", "models: {credit: {risk_tier: limited}}"))
    assert organisation.mandate(*asked).json["question"]["risk_tier"] == "limited"


def test_a_rule_of_which_some_terms_are_left_out_says_so(organisation: Organisation) -> None:
    (organisation.folder / "policies/selection.yaml").write_text(
        "exclude: {default: ['bank.wallet:wallet']}\n"
    )
    shown = organisation.mandate("policy", "list", "-e", "production", "--collection", "bank")
    assert "organisation/selection.yaml:1" in " ".join(shown.out.split())
    wallet = listed(organisation, "-e", "production")["bank.wallet"]
    assert (wallet["judges"], wallet["reasons"]) == (
        True,
        ["organisation/selection.yaml:1 excludes bank.wallet:wallet."],
    )


@pytest.mark.parametrize(
    ("arguments", "what", "next_step"),
    [
        (["-e", "prod"], "--environment: the policies know no environment 'prod'", "Write production"),
        (["--tier", "hihg"], "--tier: the policies know no risk tier 'hihg'", "Write high"),
        (["--collection", "@fairnes"], "--collection: there is no collection 'fairnes'", "Write fairness"),
    ],
)
def test_what_nobody_knows_is_met_with_the_nearest_name(
    organisation: Organisation, arguments: list[str], what: str, next_step: str
) -> None:
    shown = organisation.mandate("policy", "list", *arguments)
    assert (shown.exit_code, shown.out) == (2, "")
    assert shown.err == f"error: {what}\n  → {next_step}\n"


def test_without_settings_the_library_is_listed(tmp_path: Path) -> None:
    rules = listed(Organisation(tmp_path), "--model", "credit")
    assert {rule["root"] for rule in rules.values()} == {"library"}


def test_a_rule_is_shown_with_all_that_is_known_of_it(organisation: Organisation) -> None:
    shown = organisation.mandate("policy", "show", "bank.odds")
    assert (shown.exit_code, shown.err) == (0, "")
    assert shown.out == (
        "bank.odds  Odds are alike\n"
        "\n"
        "  The difference of two groups' odds.\n"
        "\n"
        "  As the board measures it.\n"
        "\n"
        "  judges         promote, in production\n"
        "  severity       high, can be waived\n"
        "  when it fails  The odds differ too much\n"
        "  what to do     Mitigate the model.\n"
        "  controls       Credit policy 4.2; EU AI Act 10\n"
        "  collections    bank\n"
        "  facts of       fairness\n"
        "  denies from    2096-01-01T00:00:00Z\n"
        "  replaces       fairness.demographic_parity: the board measures by odds\n"
        "  defined at     organisation/mandate/rules/bank/odds/odds.rego:23, in organisation\n"
        "  tests          2, with 2 cases\n"
        "                 organisation/mandate/rules/bank/odds/odds_test.rego\n"
        "\n"
        "  bank.committee\n"
        "    default: ada, bob, carol, dora  organisation/thresholds/bank.yaml:9\n"
        "\n"
        "  bank.limits.rows\n"
        "    Of whatever is counted.\n"
        "    default: 7  organisation/thresholds/bank.yaml:12\n"
        "\n"
        "  bank.odds\n"
        "    How far the odds may differ. The board's own choice.\n"
        "    default: 0.1  organisation/thresholds/bank.yaml:4\n"
        "    Resolution 12: tighter in production.\n"
        "    production high: 0.08  organisation/thresholds/bank.yaml:6\n"
        "    How far the odds may differ. The board's own choice.\n"
        "    credit: 0.05  organisation/thresholds/bank.yaml:7\n"
        "\n"
        "  waivers\n"
        "    bank.odds:afam for credit version 3, from 2026-11-20T00:00:00Z until 2026-12-20T00:00:00Z\n"
        "      rita@bank.example, MRM-120: The branch was closed\n"
        "      organisation/waivers/credit.yaml:1\n"
        f"    bank.odds for {'0f' * 32}, from\n"
        "    2026-11-20T00:00:00Z until 2026-12-20T00:00:00Z\n"
        "      rita@bank.example, MRM-121: The same\n"
        "      organisation/waivers/credit.yaml:8\n"
    )
    assert max(map(len, shown.out.splitlines())) <= 100


def test_a_rule_that_has_little_to_say_is_shown_too(organisation: Organisation) -> None:
    shown = organisation.mandate("policy", "show", "bank/wallet")
    assert (shown.exit_code, shown.err) == (0, "")
    assert shown.out == (
        "bank.wallet  There is a wallet\n"
        "\n"
        "  Somebody pays.\n"
        "\n"
        "  judges         promote, deploy, everywhere\n"
        "  severity       low, cannot be waived\n"
        "  when it fails  Nobody pays\n"
        "  what to do     Find somebody.\n"
        "  controls       none\n"
        "  collections    bank\n"
        "  facts of       nobody\n"
        "  denies from    2026-01-01T00:00:00Z\n"
        "  defined at     organisation/mandate/rules/bank/wallet/wallet.rego:14, in organisation\n"
        "  tests          none\n"
    )


def test_a_rule_that_another_one_replaces_says_by_which(organisation: Organisation) -> None:
    shown = organisation.mandate("policy", "show", "fairness.demographic_parity")
    assert "  replaced by    bank.odds\n" in shown.out
    shown = organisation.mandate("policy", "show", "fairness.demographic_parity", "--output", "json")
    assert shown.json["replaced_by"] == "bank.odds"


def test_programs_are_shown_the_same(organisation: Organisation) -> None:
    shown = organisation.mandate("policy", "show", "bank.odds", "--output", "json").json
    waivers = shown.pop("waivers")
    assert [waiver["id"] for waiver in waivers] == [
        "organisation/waivers/credit.yaml:1",
        "organisation/waivers/credit.yaml:8",
    ]
    assert shown.pop("thresholds")[2] == {
        "name": "bank.odds",
        "values": [
            {
                "layer": ["default"],
                "value": 0.1,
                "set_at": f"{THRESHOLDS}:4",
                "comment": "How far the odds may differ.\nThe board's own choice.",
            },
            {
                "layer": ["tiers_in_environments", "production", "high"],
                "value": 0.08,
                "set_at": f"{THRESHOLDS}:6",
                "comment": "Resolution 12: tighter in production.",
            },
            {
                "layer": ["models", "credit"],
                "value": 0.05,
                "set_at": f"{THRESHOLDS}:7",
                "comment": "How far the odds may differ.\nThe board's own choice.",
            },
        ],
    }
    assert shown == {
        "rule": "bank.odds",
        "root": "organisation",
        "title": "Odds are alike",
        "description": "The difference of two groups' odds.\n\nAs the board measures it.\n",
        "failure_msg": "The odds differ too much",
        "solution": "Mitigate the model.",
        "severity": "high",
        "collections": ["bank"],
        "controls": ["Credit policy 4.2", "EU AI Act 10"],
        "effective_on": "2096-01-01T00:00:00Z",
        "depends_on": ["fairness"],
        "actions": ["promote"],
        "environments": ["production"],
        "replaces": {"rule": "fairness.demographic_parity", "reason": "the board measures by odds"},
        "replaced_by": None,
        "waivable": True,
        "defined_at": "organisation/mandate/rules/bank/odds/odds.rego:23",
        "tests": {
            "files": ["organisation/mandate/rules/bank/odds/odds_test.rego"],
            "tests": 2,
            "cases": 2,
        },
    }


def test_an_unknown_rule_is_met_with_the_nearest_name(organisation: Organisation) -> None:
    shown = organisation.mandate("policy", "show", "fairness.demographc_parity")
    assert (shown.exit_code, shown.out) == (2, "")
    assert shown.err == (
        "error: RULE: there is no rule 'fairness.demographc_parity'\n  → Write fairness.demographic_parity\n"
    )


def test_what_a_file_says_moves_no_cursor(organisation: Organisation) -> None:
    thresholds = organisation.folder / "policies/thresholds/bank.yaml"
    thresholds.write_text(
        json.dumps(
            {
                "odds": {"default": 0.1, "models": {"\x1b[2Jcredit\u202e": 0.2}},
                "committee": {"default": ["\x1b[2Jada"]},
                "limits": {"\x1b]0;x": {"default": 1}},
            }
        )
    )
    for arguments in (["show", "bank.odds"], ["list"], ["list", "--model", "\x1b[2J"]):
        shown = organisation.mandate("policy", *arguments)
        assert (shown.exit_code, shown.err) == (0, "")
        assert "\x1b" not in shown.out
        assert "\u202e" not in shown.out
