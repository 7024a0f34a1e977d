"""Each fault of a policy folder: the whole message. Without the fault the same folder compiles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mandate.engine.errors import BadPolicy
from mandate.engine.policy import bundle

from .conftest import FILES, MAIN, RULE, THRESHOLDS, write

RULE_FILE = "mandate/rules/fairness/parity/parity.rego"
DATA = "thresholds/fairness.yaml"


LIB_A = "# METADATA\n# custom:\n#   thresholds: [a.b]\npackage mandate.lib.a\n"
NO_INSTANT = (
    'effective_on of the rule fairness.parity is not an instant in quotes, such as "2026-01-01T00:00:00Z"'
)
PARITY_AND_MINIMUM = """#     fairness.parity: {type: number, minimum: 0, maximum: 1}
#     fairness.minimum.*: {type: number}"""


def rule(old: str, new: str) -> Mapping[str, str]:
    assert old in RULE
    return {RULE_FILE: RULE.replace(old, new)}


def thresholds(old: str, new: str) -> Mapping[str, str]:
    assert old in THRESHOLDS
    return {DATA: THRESHOLDS.replace(old, new)}


FAULTS: Mapping[str, tuple[Mapping[str, str], str, str, str]] = {
    "syntax error": (
        rule("must contains {", "must contains }"),
        f"{RULE_FILE}:22",
        "unexpected } token (rego_parse_error)",
        "Correct the syntax, there or in the line above",
    ),
    "recursion": (
        {"mandate/lib/a/a.rego": "package mandate.lib.a\n\none := two\n\ntwo := one\n"},
        "mandate/lib/a/a.rego:3",
        "rule data.mandate.lib.a.one is recursive: data.mandate.lib.a.one -> "
        "data.mandate.lib.a.two -> data.mandate.lib.a.one (rego_recursion_error)",
        "Break the circle: one of them must do without the others",
    ),
    "conflict": (
        {"mandate/lib/a/a.rego": "package mandate.lib.a\n\none := 1\n\none contains 2\n"},
        "mandate/lib/a/a.rego:3",
        "conflicting rules data.mandate.lib.a.one found (rego_type_error)",
        "Give one of them another name: a name is one value, one set or one function",
    ),
    "clock": (
        rule("input.x", "time.now_ns()"),
        f"{RULE_FILE}:22",
        "policies may not call time.now_ns (reads the clock: input.request.time is the only one)",
        "Remove the call",
    ),
    "network": (
        rule("input.x", 'http.send({"method": "get", "url": "http://localhost"}).status_code'),
        f"{RULE_FILE}:22",
        "policies may not call http.send (reaches the network)",
        "Remove the call",
    ),
    "print": (
        rule("must contains {", "debug if print(input)\n\nmust contains {"),
        f"{RULE_FILE}:22",
        "print would write what is judged to OPA's log",
        "Remove it",
    ),
    "unused import": (
        rule("terms :=", "import data.mandate.lib.a\n\nterms :="),
        f"{RULE_FILE}:20",
        "import data.mandate.lib.a unused (rego_compile_error)",
        "Remove it, or use it",
    ),
    "no entrypoint": (
        {"mandate/main/main.rego": MAIN.replace("decision :=", "decided :=")},
        "mandate/main/main.rego:1",
        "nothing defines data.mandate.main.decision",
        "Name Mandate's library as the first folder of policies",
    ),
    "package elsewhere": (
        rule("package mandate.rules.fairness.parity", "package mandate.rules.fairness.party"),
        f"{RULE_FILE}:1",
        "the package 'mandate.rules.fairness.party' stands in the folder mandate/rules/fairness/parity",
        "Write package mandate.rules.fairness.parity",
    ),
    "name of a rule with a point": (
        {
            "mandate/rules/a.b/parity/parity.rego": RULE.replace(
                "package mandate.rules.fairness.parity", 'package mandate.rules["a.b"].parity'
            )
        },
        "mandate/rules/a.b/parity/parity.rego:1",
        "'a.b.parity' is not the id of a rule, category.rule",
        "Name its two folders with letters, digits, _ and - only",
    ),
    "name of a rule with a colon": (
        {
            "mandate/rules/fairness/parity:women/parity.rego": RULE.replace(
                "package mandate.rules.fairness.parity", 'package mandate.rules.fairness["parity:women"]'
            )
        },
        "mandate/rules/fairness/parity:women/parity.rego:1",
        "'fairness.parity:women' is not the id of a rule, category.rule",
        "Name its two folders with letters, digits, _ and - only",
    ),
    "category that is called as a collection is selected": (
        {
            "mandate/rules/@credit/parity/parity.rego": RULE.replace(
                "package mandate.rules.fairness.parity", 'package mandate.rules["@credit"].parity'
            )
        },
        "mandate/rules/@credit/parity/parity.rego:1",
        "'@credit.parity' is not the id of a rule, category.rule",
        "Name its two folders with letters, digits, _ and - only",
    ),
    "no metadata": (
        {RULE_FILE: RULE[RULE.index("package") :]},
        f"{RULE_FILE}:1",
        "the rule fairness.parity has no METADATA",
        "Write it above the package",
    ),
    "metadata twice": (
        {"mandate/rules/fairness/parity/more.rego": RULE[: RULE.index("terms :=")]},
        f"{RULE_FILE}:1",
        "package annotation redeclared: mandate/rules/fairness/parity/more.rego:1 (rego_type_error)",
        "Keep one of them",
    ),
    "judges nothing": (
        {RULE_FILE: RULE[: RULE.index("must contains")]},
        f"{RULE_FILE}:18",
        "the rule fairness.parity judges nothing: it must define terms, and must or should",
        "Define them, or remove the folder",
    ),
    "no title": (
        rule("# title: Groups are selected at similar rates\n", ""),
        f"{RULE_FILE}:17",
        "the rule fairness.parity lacks the annotation title",
        "Add title: text",
    ),
    "no solution": (
        rule("#   solution: Mitigate the model\n", ""),
        f"{RULE_FILE}:17",
        "the rule fairness.parity lacks the annotation solution",
        "Add solution: text",
    ),
    "unknown severity": (
        rule("severity: high", "severity: hihg"),
        f"{RULE_FILE}:7",
        "severity of the rule fairness.parity is not one of low, medium, high, critical",
        "Correct it",
    ),
    "misspelt annotation": (
        rule("waivable", "waiveable"),
        f"{RULE_FILE}:14",
        "the rule fairness.parity has the unknown annotation 'waiveable'",
        "Write waivable",
    ),
    "impossible instant": (
        rule('"2026-01-01T00:00:00Z"', '"2026-02-30T00:00:00Z"'),
        f"{RULE_FILE}:10",
        "effective_on of the rule fairness.parity is not an instant in quotes, such as "
        '"2026-01-01T00:00:00Z"',
        "Correct it",
    ),
    "unknown action": (
        rule("[promote, deploy]", "[promote, deplyo]"),
        f"{RULE_FILE}:12",
        "actions of the rule fairness.parity is not a list of actions out of promote, deploy, monitor",
        "Correct it",
    ),
    "unknown environment of a rule": (
        rule("[production]", "[produktion]"),
        f"{RULE_FILE}:13",
        "there is no environment 'produktion'",
        "Write production",
    ),
    "collections are text": (
        rule("collections: [credit]", "collections: credit"),
        f"{RULE_FILE}:8",
        "collections of the rule fairness.parity is not a list of names in lower case",
        "Correct it",
    ),
    "waivable is text": (
        rule("waivable: true", 'waivable: "yes"'),
        f"{RULE_FILE}:14",
        "waivable of the rule fairness.parity is not true or false",
        "Correct it",
    ),
    "thresholds are a list": (
        rule(
            PARITY_AND_MINIMUM,
            "#     - fairness.parity",
        ),
        f"{RULE_FILE}:15",
        "thresholds of the rule fairness.parity is not a mapping of names to schemas",
        "Correct it",
    ),
    "thresholds of a library package are a list": (
        {"mandate/lib/a/a.rego": LIB_A},
        "mandate/lib/a/a.rego:3",
        "thresholds of the package mandate.lib.a is not a mapping of names to schemas",
        "Correct it",
    ),
    "a library package declares a threshold that has no value": (
        {"mandate/lib/a/a.rego": LIB_A.replace("[a.b]", "{a.b: {type: number}}")},
        "mandate/lib/a/a.rego:4",
        "the threshold a.b has no value",
        "Set it in thresholds/a.yaml",
    ),
    "instant in words": (
        rule('"2026-01-01T00:00:00Z"', "soon"),
        f"{RULE_FILE}:10",
        NO_INSTANT,
        "Correct it",
    ),
    "declaration whose bound is text": (
        rule("minimum: 0", "minimum: low"),
        f"{RULE_FILE}:16",
        "minimum of fairness.parity is not a number",
        "Correct it",
    ),
    "declaration whose unit is a number": (
        rule("minimum: 0", "minimum: 0, unit: 1"),
        f"{RULE_FILE}:16",
        "unit of fairness.parity is not text",
        "Correct it",
    ),
    "declaration whose enum is text": (
        rule("{type: number}", "{type: number, enum: one}"),
        f"{RULE_FILE}:17",
        "enum of fairness.minimum.* is not a list",
        "List the values",
    ),
    "declaration whose items have no type": (
        rule("{type: number}", "{type: array, items: {}}"),
        f"{RULE_FILE}:17",
        "fairness.minimum.* has no known type",
        "Known here: array, boolean, integer, number, string",
    ),
    "declaration without file": (
        rule("fairness.minimum.*", "minimum"),
        f"{RULE_FILE}:17",
        "'minimum' is not the name of a threshold",
        "Write it as file.setting or file.group.*",
    ),
    "declaration with unknown keyword": (
        rule("minimum: 0", "minimun: 0"),
        f"{RULE_FILE}:16",
        "fairness.parity has the unknown keyword 'minimun'",
        "Write minimum",
    ),
    "direction that is none": (
        rule("{type: number}", "{type: number, tightens: lower}"),
        f"{RULE_FILE}:17",
        "tightens of fairness.minimum.* is not a direction",
        "Write up where a larger number or a longer list is harder to satisfy, else down",
    ),
    "direction that is no text": (
        rule("{type: number}", "{type: number, tightens: [up]}"),
        f"{RULE_FILE}:17",
        "tightens of fairness.minimum.* is not a direction",
        "Write up where a larger number or a longer list is harder to satisfy, else down",
    ),
    "direction of text": (
        rule("{type: number}", "{type: string, tightens: up}"),
        f"{RULE_FILE}:17",
        "fairness.minimum.* is text, which has no direction",
        "Remove tightens",
    ),
    "direction of items": (
        rule("{type: number}", "{type: array, items: {type: number, tightens: up}}"),
        f"{RULE_FILE}:17",
        "fairness.minimum.* has the unknown keyword 'tightens'",
        "Write items",
    ),
    "declaration with unknown type": (
        rule("{type: number}", "{type: nmber}"),
        f"{RULE_FILE}:17",
        "fairness.minimum.* has no known type",
        "Write number",
    ),
    "declaration without a schema": (
        rule("{type: number}", "number"),
        f"{RULE_FILE}:17",
        "fairness.minimum.* has no schema",
        "Write it as {type: number, minimum: 0}",
    ),
    "rego too shallow": (
        {"mandate/rules/fairness/fairness.rego": "package mandate.rules.fairness\n"},
        "mandate/rules/fairness/fairness.rego",
        "a rule is a folder mandate/rules/<category>/<rule>",
        "Move the file there",
    ),
    "rego over data": (
        {"mandate/thresholds/a.rego": "package mandate.thresholds\n"},
        "mandate/thresholds/a.rego",
        "the compiler fills data.mandate.thresholds",
        "Give the package another name",
    ),
    "rego over data from above": (
        {"mandate/a.rego": "package mandate\n\nscope.risk_tiers := []\n"},
        "mandate/a.rego:3",
        "conflicting rule for data path mandate/scope/risk_tiers found (rego_compile_error)",
        "Give the rule another name: the compiler fills this one",
    ),
    "data in mandate": (
        {"mandate/lib/data.json": "{}"},
        "mandate/lib/data.json",
        "data is not read from here",
        "Put settings into thresholds/",
    ),
    "misspelt folder": (
        {"threshold/fairness.yaml": "{}"},
        "threshold/fairness.yaml",
        "nobody reads 'threshold'",
        "Write thresholds",
    ),
    "misspelt file": (
        {"scopes.yaml": "{}"},
        "scopes.yaml",
        "nobody reads 'scopes.yaml'",
        "Write scope.yaml",
    ),
    "yml": (
        {"thresholds/fairness.yml": "{}"},
        "thresholds/fairness.yml",
        "nobody reads this file",
        "Rename it to .yaml",
    ),
    "nested thresholds": (
        {"thresholds/fairness/a.yaml": "{}"},
        "thresholds/fairness/a.yaml",
        "nobody reads this file",
        "Remove it, or see the layout of policies",
    ),
    "unknown threshold": (
        thresholds("parity:\n", "pairity:\n"),
        f"{DATA}:2",
        "no rule reads the threshold 'fairness.pairity'",
        "Write fairness.parity",
    ),
    "unknown file of thresholds": (
        {"thresholds/fainress.yaml": "parity: {default: 1}"},
        "thresholds/fainress.yaml:1",
        "no rule reads the threshold 'fainress.parity'",
        "Write fairness.parity",
    ),
    "unknown group": (
        thresholds("minimum:\n", "minimun:\n"),
        f"{DATA}:10",
        "no rule reads the threshold 'fairness.minimun.accuracy'",
        "Write fairness.minimum.*",
    ),
    "unknown empty group": (
        thresholds("minimum:\n", "maximum: {}\nminimum:\n"),
        f"{DATA}:9",
        "no rule reads the thresholds 'fairness.maximum'",
        "Write fairness.minimum",
    ),
    "unknown layer": (
        thresholds("environments:", "enviroments:"),
        f"{DATA}:4",
        "fairness.parity has the unknown layer 'enviroments'",
        "Write environments",
    ),
    "misspelt default": (
        thresholds("accuracy: {default: 0.8}", "accuracy: {defualt: 0.8}"),
        f"{DATA}:10",
        "fairness.minimum.accuracy.defualt is neither a setting nor a group",
        "Write default",
    ),
    "value without default": (
        thresholds("accuracy: {default: 0.8}", "accuracy: 0.8"),
        f"{DATA}:10",
        "fairness.minimum.accuracy is neither a setting nor a group",
        "Write it as {default: value}",
    ),
    "unknown environment": (
        thresholds("staging", "stagging"),
        f"{DATA}:4",
        "there is no environment 'stagging'",
        "Write staging",
    ),
    "unknown tier": (
        thresholds("{low: 0.2}", "{lwo: 0.2}"),
        f"{DATA}:5",
        "there is no risk tier 'lwo'",
        "Write low",
    ),
    "unknown tier in an environment": (
        thresholds("{high: 0.04}", "{hihg: 0.04}"),
        f"{DATA}:6",
        "there is no risk tier 'hihg'",
        "Write high",
    ),
    "layer is a list": (
        thresholds("{low: 0.2}", "[low]"),
        f"{DATA}:5",
        "tiers is not a mapping",
        "Write it as {name: value}",
    ),
    "no default": (
        thresholds("  default: 0.05\n", ""),
        f"{DATA}:2",
        "fairness.parity has no default",
        "Add default",
    ),
    "no value": (
        thresholds("default: 0.05", "default:"),
        f"{DATA}:3",
        "fairness.parity.default has no value",
        "Write a value or remove it",
    ),
    "value is a mapping": (
        thresholds("default: 0.05", "default: {is: 0.05}"),
        f"{DATA}:3",
        "fairness.parity.default has no value",
        "Write a value or remove it",
    ),
    "missing threshold": (
        thresholds("parity:\n  default: 0.05\n", "minimum2:\n  default: 0.05\n"),
        f"{DATA}:2",
        "no rule reads the threshold 'fairness.minimum2'",
        "Write fairness.minimum.*",
    ),
    "missing group": (
        {DATA: THRESHOLDS[: THRESHOLDS.index("minimum")]},
        f"{RULE_FILE}:17",
        "the threshold fairness.minimum.* has no value",
        "Set it in thresholds/fairness.yaml",
    ),
    "missing setting": (
        {DATA: THRESHOLDS[THRESHOLDS.index("minimum") :]},
        f"{RULE_FILE}:16",
        "the threshold fairness.parity has no value",
        "Set it in thresholds/fairness.yaml",
    ),
    "text for a number": (
        thresholds("default: 0.05", 'default: "0.05"'),
        f"{DATA}:3",
        'fairness.parity: "0.05" is not a number',
        "Write a number",
    ),
    "boolean for a number": (
        thresholds("default: 0.05", "default: true"),
        f"{DATA}:3",
        "fairness.parity: true is not a number",
        "Write a number",
    ),
    "out of range": (
        thresholds("default: 0.05", "default: 5"),
        f"{DATA}:3",
        "fairness.parity: 5 is out of range",
        "Write a number that is at most 1",
    ),
    "out of range in a layer": (
        thresholds("credit: 0.03", "credit: -0.03"),
        f"{DATA}:8",
        "fairness.parity: -0.03 is out of range",
        "Write a number that is at least 0",
    ),
    "text in a group": (
        thresholds("{default: 0.8}", "{default: high}"),
        f"{DATA}:10",
        'fairness.minimum.accuracy: "high" is not a number',
        "Write a number",
    ),
    "file is a list": (
        {DATA: "- 1\n"},
        f"{DATA}:1",
        "fairness is neither a setting nor a group",
        "Write it as {default: value}",
    ),
    "not yaml": (
        {DATA: "parity: [\n"},
        f"{DATA}:2",
        "not YAML: expected the node content, but found '<stream end>'",
        "Correct the syntax",
    ),
    "no tiers": (
        {"scope.yaml": "environments: [production, staging]\n"},
        "scope.yaml",
        "risk_tiers is missing",
        "List the risk tiers",
    ),
    "tiers are text": (
        {"scope.yaml": "environments: [production, staging]\nrisk_tiers: low\n"},
        "scope.yaml:2",
        "risk_tiers is not a list of names",
        "List at least one name",
    ),
    "tier is a number": (
        {"scope.yaml": "environments: [production]\nrisk_tiers: [1]\n"},
        "scope.yaml:2",
        "risk_tiers has an item that is not a name",
        "Correct it",
    ),
    "environment twice": (
        {"scope.yaml": "environments: [a, a]\nrisk_tiers: [low]\n"},
        "scope.yaml:1",
        "environments names 'a' twice",
        "Remove one of them",
    ),
    "misspelt scope": (
        {"scope.yaml": "enviroments: [a]\nrisk_tiers: [low]\n"},
        "scope.yaml:1",
        "nobody reads 'enviroments'",
        "Write environments",
    ),
    "scope is a list": (
        {"scope.yaml": "[production]\n"},
        "scope.yaml:1",
        "it is not a mapping",
        "Set environments and risk_tiers",
    ),
    "selection is a list": (
        {"selection.yaml": "[production]\n"},
        "selection.yaml:1",
        "it is not a mapping",
        "Set include and exclude",
    ),
    "misspelt selection": (
        {"selection.yaml": "inclued: {default: []}\nexclude: {default: []}\n"},
        "selection.yaml:1",
        "nobody reads 'inclued'",
        "Write include",
    ),
    "no exclude": (
        {"selection.yaml": 'include: {default: ["*"]}\n'},
        "selection.yaml",
        "exclude is missing",
        "Set exclude: {default: […]}",
    ),
    "selection without default": (
        {"selection.yaml": "include: {tiers: {low: []}}\nexclude: {default: []}\n"},
        "selection.yaml:1",
        "include has no default",
        "Add default",
    ),
    "unknown rule": (
        {"selection.yaml": "include: {default: [fairness.party]}\nexclude: {default: []}\n"},
        "selection.yaml:1",
        "there is no rule or collection 'fairness.party'",
        "Write fairness.parity",
    ),
    "unknown collection": (
        {"selection.yaml": 'include: {default: ["@credits"]}\nexclude: {default: []}\n'},
        "selection.yaml:1",
        "there is no rule or collection '@credits'",
        "Write @credit",
    ),
    "not a pattern": (
        {"selection.yaml": 'include: {default: ["fair*"]}\nexclude: {default: []}\n'},
        "selection.yaml:1",
        "'fair*' is not a pattern",
        "Write *, @collection, category, category.rule or category.rule:term",
    ),
    "families are a list": (
        {"scope.yaml": "environments: [a]\nrisk_tiers: [low]\nfamilies: [credit]\n"},
        "scope.yaml:3",
        "families is not a mapping",
        "Write it as {family: [model, …]}",
    ),
    "an empty family": (
        {"scope.yaml": "environments: [a]\nrisk_tiers: [low]\nfamilies: {loans: []}\n"},
        "scope.yaml:3",
        "families.loans is not a list of names",
        "List at least one name",
    ),
    "a model of two families": (
        {
            "scope.yaml": "environments: [a]\nrisk_tiers: [low]\n"
            "families:\n  loans: [credit]\n  scores: [credit]\n"
        },
        "scope.yaml:5",
        "the model 'credit' is of two families, 'loans' and 'scores'",
        "Leave it in one of them",
    ),
    "unknown family": (
        thresholds("models:", "families:"),
        "thresholds/fairness.yaml:8",
        "there is no family of models 'credit'",
        "Remove it",
    ),
    "an idle pattern": (
        {
            "selection.yaml": 'include: {default: ["*"]}\n'
            'exclude:\n  default: []\n  environments: {staging: ["@credit"]}\n'
        },
        "selection.yaml:4",
        "'@credit' selects nothing: none of its rules judges in staging",
        "Remove it, or add the environment to the rules",
    ),
    "replaces nothing": (
        rule("waivable: true", "waivable: true\n#   replaces: fairness.parity"),
        f"{RULE_FILE}:15",
        "replaces of the rule fairness.parity is not a mapping {rule: category.rule, reason: text}",
        "Correct it",
    ),
    "replaces itself": (
        rule("waivable: true", "waivable: true\n#   replaces: {rule: fairness.parity, reason: as it may be}"),
        f"{RULE_FILE}:15",
        "the rule fairness.parity replaces fairness.parity, which is not of an earlier folder of policies",
        "Change fairness.parity itself",
    ),
    "replaces what is not there": (
        rule("waivable: true", "waivable: true\n#   replaces: {rule: fairness.party, reason: as it may be}"),
        f"{RULE_FILE}:15",
        "the rule fairness.parity replaces 'fairness.party', which does not exist",
        "Write fairness.parity",
    ),
    "waivers of a library that says nothing of them": (
        {
            "waivers/credit.yaml": "- rule: fairness.parity\n  subject: {name: credit, version: '3'}\n"
            "  reason: a\n  reference: b\n  approver: c\n"
            "  effective_on: 2026-11-01\n  expires: 2026-11-30\n"
        },
        "waivers/credit.yaml:7",
        "nothing says how long a waiver may last",
        "Set longest_days in thresholds/waivers.yaml",
    ),
    "selection is text": (
        {"selection.yaml": 'include: {default: "*"}\nexclude: {default: []}\n'},
        "selection.yaml:1",
        "it is not a list of patterns",
        "Write it as [pattern, …]",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_named_with_its_place(name: str, tmp_path: Path, opa: Path, store: Path) -> None:
    changes, where, what, next_step = FAULTS[name]
    root = write(tmp_path / "library", {**FILES, **changes})
    with pytest.raises(BadPolicy) as raised:
        bundle.compile([root], opa=opa, store=store)
    assert (raised.value.where, raised.value.what, raised.value.next_step) == (where, what, next_step)
    assert not store.exists()


def test_three_typos_are_three_faults(tmp_path: Path, opa: Path, store: Path) -> None:
    text = THRESHOLDS.replace("staging", "stagging").replace("low: 0.2", "lwo: 0.2")
    root = write(
        tmp_path / "library", {**FILES, DATA: text.replace("accuracy: {default: 0.8}", "accuracy: 1")}
    )
    with pytest.raises(BadPolicy) as raised:
        bundle.compile([root], opa=opa, store=store)
    assert [(fault.where, fault.what) for fault in (raised.value, *raised.value.others)] == [
        (f"{DATA}:4", "there is no environment 'stagging'"),
        (f"{DATA}:5", "there is no risk tier 'lwo'"),
        (f"{DATA}:10", "fairness.minimum.accuracy is neither a setting nor a group"),
    ]


def test_a_misspelt_name_is_not_told_again_as_a_missing_one(tmp_path: Path, opa: Path, store: Path) -> None:
    changes = {
        RULE_FILE: RULE.replace("waivable", "waiveable").replace("severity: high", "severity: dire"),
        "selection.yaml": "",
    }
    root = write(tmp_path / "library", {**FILES, **changes})
    with pytest.raises(BadPolicy) as raised:
        bundle.compile([root], opa=opa, store=store)
    assert [fault.what for fault in (raised.value, *raised.value.others)] == [
        "the rule fairness.parity has the unknown annotation 'waiveable'",
        "severity of the rule fairness.parity is not one of low, medium, high, critical",
    ]


def test_faults_of_several_files_are_found_in_one_go(tmp_path: Path, opa: Path, store: Path) -> None:
    changes = {
        DATA: THRESHOLDS.replace("default: 0.05", "default: 5"),
        "selection.yaml": 'include: {default: ["fair*"]}\nexclude: {default: []}\n',
    }
    root = write(tmp_path / "library", {**FILES, **changes})
    with pytest.raises(BadPolicy) as raised:
        bundle.compile([root], opa=opa, store=store)
    assert [fault.where for fault in (raised.value, *raised.value.others)] == [
        f"{DATA}:3",
        "selection.yaml:1",
    ]
