"""What changed between two revisions of policies, in both directions, on the real library and a real OPA."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mandate import share
from mandate.engine.errors import BadPolicy
from mandate.engine.opa.locate import find_opa
from mandate.engine.policy.build import Compiled, compiled
from mandate.engine.policy.command import run
from mandate.engine.policy.declarations import declaration
from mandate.engine.policy.diff import Difference, compare, thresholds
from mandate.engine.policy.diff.changes import Change, Effect, Kind
from mandate.engine.policy.diff.layered import governing, settings
from mandate.engine.policy.scope import compile_scope
from mandate.engine.policy.sources import Kind as SourceKind
from mandate.engine.policy.sources import Sources, read
from mandate.engine.policy.thresholds import compile_thresholds
from mandate.engine.policy.tree import merged, write_data
from mandate.engine.strict_yaml import load
from tests.engine.policy.conftest import write

TIGHTER, LOOSER, OTHER = Effect
MIRRORED: dict[str, str] = {
    TIGHTER: LOOSER,
    LOOSER: TIGHTER,
    OTHER: OTHER,
    Kind.ADDED: Kind.REMOVED,
    Kind.REMOVED: Kind.ADDED,
    Kind.CHANGED: Kind.CHANGED,
}

RULE = """# METADATA
# title: Groups are selected often enough
# description: The least selection rate of a group.
# custom:
#   failure_msg: A group is hardly ever selected
#   solution: Find out why
#   severity: high
#   collections: [fairness]
#   controls: [MRM-7]
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [fairness]
#   actions: [promote, deploy]
#   waivable: true
#   thresholds:
#     bank.least_rate: {type: number, tightens: up, minimum: 0, maximum: 1}
#     bank.levels.*: {type: number, tightens: up}
#     names.known: {type: array}
package mandate.rules.fairness.least_rate

import data.mandate.bank.rates
import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.bank as settings

terms contains attribute.name if some attribute in input.fairness.attributes

must contains check.at_least(attribute.name, facts.share("fairness", rates.of(attribute)), bound) if {
	some attribute in input.fairness.attributes
	bound := thresholds.of(settings.least_rate)
}
"""
RATES = """package mandate.bank.rates

of(attribute) := metric if {
	some metric in attribute.metrics
	metric.name == "least_rate"
}
"""
WAIVER = """- rule: drift.psi:income
  subject: {name: credit, version: "3"}
  reason: The branch was closed
  reference: MRM-120
  approver: rita@bank.example
  effective_on: 2026-11-01
  expires: 2026-12-01
"""
BANK = {
    "mandate/rules/fairness/least_rate/least_rate.rego": RULE,
    "mandate/bank/rates/rates.rego": RATES,
    "thresholds/bank.yaml": "least_rate: {default: 0.1}\nlevels: {auc: {default: 0.6}}\n",
    "thresholds/fairness.yaml": "demographic_parity_difference: {models: {credit: 0.04}}\n",
    "thresholds/names.yaml": "known: {default: [a, b]}\n",
    "scope.yaml": "families: {consumer: [credit, loan]}\n",
    "waivers/credit.yaml": WAIVER,
}
RULE_FILE = "mandate/rules/fairness/least_rate/least_rate.rego"
NO_THRESHOLDS = {"thresholds/bank.yaml": None, "thresholds/names.yaml": None}
PARITY = "fairness.demographic_parity_difference"


def _rule(old: str, new: str) -> dict[str, str | None]:
    assert old in RULE
    return {RULE_FILE: RULE.replace(old, new)}


def _parity(text: str) -> dict[str, str | None]:
    return {"thresholds/fairness.yaml": f"demographic_parity_difference: {text}\n"}


def _bank(text: str) -> dict[str, str | None]:
    return {"thresholds/bank.yaml": f"{text}\n"}


def _waiver(old: str, new: str) -> dict[str, str | None]:
    assert old in WAIVER
    return {"waivers/credit.yaml": WAIVER.replace(old, new)}


CASES: Mapping[str, tuple[dict[str, str | None], list[tuple[Effect, str]]]] = {
    # what changes in the bank's files (None: the file is gone), and what is said
    "a comment, a test, the format and the order of rules": (
        {
            RULE_FILE: RULE.replace("must contains", "# Why\n\nmust   contains").replace(
                "terms contains attribute.name if some attribute in input.fairness.attributes\n", ""
            )
            + "\nterms contains attribute.name if some attribute in input.fairness.attributes\n",
            "mandate/bank/rates/rates_test.rego": "package mandate.bank.rates_test\n\ntest_it if true\n",
            "thresholds/bank.yaml": "# ours\nlevels: {auc: {default: 0.60}}\nleast_rate:\n  "
            "default: 1.0e-1\n",
        },
        [],
    ),
    "a rule": (
        {RULE_FILE: None, "mandate/bank/rates/rates.rego": None, **NO_THRESHOLDS},
        [
            (
                LOOSER,
                "rules: fairness.least_rate is gone: “Groups are selected often enough”, "
                "severity high, can be "
                "waived, denies from 2026-01-01T00:00:00Z; judged for the tiers limited and high, to promote "
                "or deploy",
            ),
            (
                OTHER,
                "code: mandate.bank.rates is gone, in "
                "organisation/mandate/bank/rates/rates.rego, which affects "
                "fairness.least_rate",
            ),
            (OTHER, "thresholds: bank.least_rate is gone: it was by default 0.1"),
            (OTHER, "thresholds: bank.levels.auc is gone: it was by default 0.6"),
            (OTHER, "thresholds: names.known is gone: it was by default a, b"),
        ],
    ),
    "severity": (
        _rule("severity: high", "severity: low"),
        [(OTHER, "rules: fairness.least_rate changes its severity from high to low")],
    ),
    "that it can be waived": (
        _rule("waivable: true", "waivable: false"),
        [(TIGHTER, "rules: fairness.least_rate can no longer be waived")],
    ),
    "when it begins to deny": (
        _rule('effective_on: "2026', 'effective_on: "2027'),
        [
            (
                LOOSER,
                "rules: fairness.least_rate denies from 2027-01-01T00:00:00Z on, and did from "
                "2026-01-01T00:00:00Z",
            )
        ],
    ),
    "controls": (
        _rule("[MRM-7]", "[MRM-8, MRM-9]"),
        [
            (
                OTHER,
                "rules: fairness.least_rate changes its controls: now with MRM-8 and MRM-9, no "
                "longer with MRM-7",
            )
        ],
    ),
    "controls in another order, and collectors": (
        _rule("depends_on: [fairness]", "depends_on: [performance, fairness]"),
        [(OTHER, "rules: fairness.least_rate changes the collectors: now with performance")],
    ),
    "wording": (
        {
            RULE_FILE: RULE.replace("Find out why", "Find out").replace(
                "selected often enough", "selected often"
            )
        },
        [
            (OTHER, "rules: fairness.least_rate words its solution otherwise"),
            (
                OTHER,
                "rules: fairness.least_rate changes its title from Groups are selected often enough to "
                "Groups are selected often",
            ),
        ],
    ),
    "actions": (
        _rule("[promote, deploy]", "[promote, monitor]"),
        [
            (
                OTHER,
                "rules: fairness.least_rate changes its actions: now with monitor, no longer with deploy",
            ),
            (
                LOOSER,
                "judging: fairness.least_rate no longer judges for the tiers limited and high, to deploy",
            ),
            (TIGHTER, "judging: fairness.least_rate judges now for the tiers limited and high, to monitor"),
        ],
    ),
    "environments": (
        _rule("#   waivable", "#   environments: [production]\n#   waivable"),
        [
            (
                OTHER,
                "rules: fairness.least_rate changes its environments: now with production, no "
                "longer with all",
            ),
            (
                LOOSER,
                "judging: fairness.least_rate no longer judges in development and staging, for "
                "the tiers limited "
                "and high",
            ),
        ],
    ),
    "collections": (
        _rule("[fairness]\n#   controls", "[essential]\n#   controls"),
        [
            (
                OTHER,
                "rules: fairness.least_rate changes its collections: now with essential, no "
                "longer with fairness",
            ),
            (TIGHTER, "judging: fairness.least_rate judges now for the tier low"),
        ],
    ),
    "the rule that it replaces": (
        _rule(
            "#   waivable",
            "#   replaces: {rule: fairness.disparate_impact, reason: Ours is stricter}\n#   waivable",
        ),
        [
            (OTHER, "rules: fairness.least_rate replaces fairness.disparate_impact: Ours is stricter"),
            (
                LOOSER,
                "judging: fairness.disparate_impact no longer judges for the tiers limited and high "
                "(fairness.least_rate replaces it)",
            ),
        ],
    ),
    "logic": (
        _rule('facts.share("fairness", rates', 'facts.figure("fairness", rates'),
        [(OTHER, f"code: fairness.least_rate changes its logic, in organisation/{RULE_FILE}")],
    ),
    "code that one rule reads": (
        {"mandate/bank/rates/rates.rego": RATES.replace('"least_rate"', '"lowest_rate"')},
        [
            (
                OTHER,
                "code: mandate.bank.rates changes, in "
                "organisation/mandate/bank/rates/rates.rego, which affects "
                "fairness.least_rate",
            )
        ],
    ),
    "code that nobody reads": (
        {"mandate/bank/spare/spare.rego": "package mandate.bank.spare\n\nnone := 1\n"},
        [
            (
                OTHER,
                "code: mandate.bank.spare is new, in organisation/mandate/bank/spare/spare.rego, "
                "which no rule "
                "reads",
            )
        ],
    ),
    "what may be set": (
        _rule("maximum: 1}", "maximum: 0.5}"),
        [(OTHER, "thresholds: bank.least_rate is declared otherwise: maximum is 0.5 and was 1")],
    ),
    "the type of a threshold": (
        _rule(
            "least_rate: {type: number, tightens: up, minimum: 0, maximum: 1}", "least_rate: {type: boolean}"
        )
        | _bank("least_rate: {default: true}\nlevels: {auc: {default: 0.6}}"),
        [
            (
                OTHER,
                "thresholds: bank.least_rate is declared otherwise: maximum is null and was 1, minimum is "
                "null and was 0, tightens is null and was up, type is boolean and was number",
            ),
            (OTHER, "thresholds: bank.least_rate changed by default from 0.1 to true"),
        ],
    ),
    "a default, for which less is tighter": (
        _parity("{default: 0.03, models: {credit: 0.04}}"),
        [(TIGHTER, f"thresholds: {PARITY} tightened by default from 0.05 to 0.03")],
    ),
    "a default, for which more is tighter": (
        _bank("least_rate: {default: 0.2}\nlevels: {auc: {default: 0.6}}"),
        [(TIGHTER, "thresholds: bank.least_rate tightened by default from 0.1 to 0.2")],
    ),
    "a model's own value": (
        _parity("{models: {credit: 0.06}}"),
        [(LOOSER, f"thresholds: {PARITY} loosened for the model credit from 0.04 to 0.06")],
    ),
    "a model's own value that is gone": (
        _parity("{}") | {"thresholds/fairness.yaml": "{}\n"},
        [
            (
                LOOSER,
                f"thresholds: {PARITY} loosened for the model credit from 0.04 to 0.05 (no longer set there)",
            )
        ],
    ),
    "layers that are new": (
        _parity(
            "{environments: {staging: 0.1}, tiers: {low: 0.2}, tiers_in_environments: "
            "{production: {high: 0.02}},"
            " families: {consumer: 0.01}, models: {credit: 0.04, mortgage: 0.05}}"
        ),
        [
            (LOOSER, f"thresholds: {PARITY} loosened in staging from 0.05 to 0.1 (set there now)"),
            (
                TIGHTER,
                f"thresholds: {PARITY} tightened for the family consumer from 0.05 to 0.01 (set there now)",
            ),
            (
                OTHER,
                f"thresholds: {PARITY} is set for the model mortgage to 0.05, which changes no value "
                "that holds",
            ),
            (LOOSER, f"thresholds: {PARITY} loosened for the tier low from 0.05 to 0.2 (set there now)"),
            (
                TIGHTER,
                f"thresholds: {PARITY} tightened for the tier high in production from 0.05 to "
                "0.02 (set there now)",
            ),
        ],
    ),
    "a default that others hide": (
        {
            "thresholds/bank.yaml": "least_rate:\n  default: 0.1\n  environments: "
            "{development: 0.1, staging: 0.1, production: 0.1}\nlevels: {auc: {default: 0.6}}\n",
        },
        [
            (
                OTHER,
                f"thresholds: bank.least_rate is set in {name} to 0.1, which changes no value that holds",
            )
            for name in ("development", "production", "staging")
        ],
    ),
    "a list": (
        {"thresholds/developers.yaml": "required_topics: {default: [privacy]}\n"},
        [
            (
                OTHER,
                "thresholds: developers.required_topics changed by default: now with privacy, no longer with "
                "ethics",
            )
        ],
    ),
    "a longer list, for which more is looser": (
        {"thresholds/evidence.yaml": "accepted_origins: {default: [measured, reported]}\n"},
        [(LOOSER, "thresholds: evidence.accepted_origins loosened by default: now with reported")],
    ),
    "a list in another order": (
        {"thresholds/names.yaml": "known: {default: [b, a]}\n"},
        [(OTHER, "thresholds: names.known changed by default: in another order")],
    ),
    "what nobody says the direction of": (
        {"thresholds/names.yaml": "known: {default: [a]}\n"},
        [(OTHER, "thresholds: names.known changed by default: no longer with b")],
    ),
    "a boolean": (
        {"thresholds/performance.yaml": "baseline_required: {default: true}\n"},
        [(TIGHTER, "thresholds: performance.baseline_required tightened by default from false to true")],
    ),
    "one more of a group": (
        _bank("least_rate: {default: 0.1}\nlevels: {auc: {default: 0.6}, recall: {default: 0.5}}"),
        [(TIGHTER, "thresholds: bank.levels.recall is new: by default 0.5")],
    ),
    "a pattern, by environment": (
        {"selection.yaml": 'exclude: {environments: {staging: ["@people"]}}\n'},
        [
            (OTHER, "selection: exclude is set in staging: @people"),
            (LOOSER, "judging: approvals.signed_off no longer judges in staging"),
            (
                LOOSER,
                "judging: developers.certified no longer judges in staging, for the tiers limited and high",
            ),
        ],
    ),
    "a pattern, by model": (
        {"selection.yaml": 'include: {models: {mortgage: ["@essential"]}}\n'},
        [
            (OTHER, "selection: include is set for the model mortgage: @essential"),
            *(
                (
                    LOOSER,
                    f"judging: {rule} no longer judges for the tiers limited and high, for the model "
                    "mortgage",
                )
                for rule in (
                    "developers.certified",
                    "fairness.demographic_parity",
                    "fairness.disparate_impact",
                    "fairness.group_size",
                    "fairness.least_rate",
                    "performance.no_regression",
                    "provenance.data_age",
                )
            ),
        ],
    ),
    "a pattern, by a model with the name of all others": (
        {"selection.yaml": "exclude: {models: {another: [registry.signature]}}\n"},
        [
            (OTHER, "selection: exclude is set for the model another: registry.signature"),
            (LOOSER, "judging: registry.signature no longer judges for the model another"),
        ],
    ),
    "a pattern, by family and by many models": (
        {
            "selection.yaml": "exclude:\n  families: {consumer: [registry.signature]}\n  models:\n"
            + "".join(f"    m{at}: [registry.signature]\n" for at in range(8))
        },
        [
            (OTHER, "selection: exclude is set for the family consumer: registry.signature"),
            *(
                (OTHER, f"selection: exclude is set for the model m{at}: registry.signature")
                for at in range(8)
            ),
            (
                LOOSER,
                "judging: registry.signature no longer judges for the models m0, m1, m2, m3, m4 and 3 more "
                "and models of the family consumer",
            ),
        ],
    ),
    "a pattern, by family": (
        {"selection.yaml": "exclude: {default: [registry.signature], families: {consumer: []}}\n"},
        [
            (OTHER, "selection: exclude changes by default: now with registry.signature"),
            (OTHER, "selection: exclude is set for the family consumer: nothing"),
            (
                LOOSER,
                "judging: registry.signature no longer judges for all but models of the family consumer",
            ),
        ],
    ),
    "a pattern of a term": (
        {"selection.yaml": 'exclude: {default: ["drift.psi:income"]}\n'},
        [
            (OTHER, "selection: exclude changes by default: now with drift.psi:income"),
            (LOOSER, "judging: drift.psi no longer judges the term income everywhere"),
        ],
    ),
    "a pattern that leads to nothing": (
        {"selection.yaml": 'include: {default: ["*", "@essential"]}\n'},
        [(OTHER, "selection: include changes by default: now with @essential")],
    ),
    "a waiver": (
        {"waivers/credit.yaml": None},
        [
            (
                TIGHTER,
                "waivers: drift.psi:income is no longer waived for credit version 3 from "
                "2026-11-01T00:00:00Z "
                "until 2026-12-01T00:00:00Z: The branch was closed (MRM-120, by rita@bank.example)",
            )
        ],
    ),
    "one more waiver of the same": (
        {
            "waivers/credit.yaml": WAIVER.replace("120", "121")
            .replace("12-01", "12-31")
            .replace("11-", "12-")
            + WAIVER
        },
        [
            (
                LOOSER,
                "waivers: drift.psi:income is waived for credit version 3 from 2026-12-01T00:00:00Z until "
                "2026-12-31T00:00:00Z: The branch was closed (MRM-121, by rita@bank.example)",
            )
        ],
    ),
    "a waiver of an artifact": (
        {"waivers/artifact.yaml": WAIVER.replace('{name: credit, version: "3"}', f"{{sha256: {'ab' * 32}}}")},
        [
            (
                LOOSER,
                "waivers: drift.psi:income is waived for the artifact abababababab from 2026-11-01T00:00:00Z "
                "until 2026-12-01T00:00:00Z: The branch was closed (MRM-120, by rita@bank.example)",
            )
        ],
    ),
    "a longer waiver": (
        _waiver("expires: 2026-12-01", "expires: 2026-12-31"),
        [
            (
                LOOSER,
                "waivers: drift.psi:income is waived for credit version 3 for longer, expiring from "
                "2026-12-01T00:00:00Z to 2026-12-31T00:00:00Z",
            )
        ],
    ),
    "a waiver at another time": (
        {"waivers/credit.yaml": WAIVER.replace("-11-01", "-11-15").replace("-12-01", "-12-15")},
        [
            (
                OTHER,
                "waivers: drift.psi:income is waived for credit version 3 at another time, beginning from "
                "2026-11-01T00:00:00Z to 2026-11-15T00:00:00Z, expiring from 2026-12-01T00:00:00Z to "
                "2026-12-15T00:00:00Z",
            )
        ],
    ),
    "why a violation is waived": (
        _waiver("rita@", "ruth@"),
        [
            (
                OTHER,
                "waivers: drift.psi:income is waived for credit version 3 otherwise: approver from "
                "rita@bank.example to ruth@bank.example",
            )
        ],
    ),
    "an environment": (
        {"scope.yaml": BANK["scope.yaml"] + "environments: [development, staging, production, sandbox]\n"},
        [(LOOSER, "scope: environment sandbox is known now: a request for it was always denied")],
    ),
    "an environment with a value of its own": (
        {
            "scope.yaml": BANK["scope.yaml"] + "environments: [development, staging, production, sandbox]\n",
            **_parity("{models: {credit: 0.04}, environments: {sandbox: 0.5}}"),
        },
        [
            (OTHER, f"thresholds: {PARITY} is set in sandbox to 0.5, an environment that is new"),
            (LOOSER, "scope: environment sandbox is known now: a request for it was always denied"),
        ],
    ),
    "the order of tiers": (
        {"scope.yaml": BANK["scope.yaml"] + "risk_tiers: [limited, low, high]\n"},
        [
            (
                OTHER,
                "scope: risk tiers are now, from lowest to highest, limited, low and high, and were low, "
                "limited and high",
            )
        ],
    ),
    "tiers": (
        {"scope.yaml": BANK["scope.yaml"] + "risk_tiers: [low, limited, high, extreme]\n"},
        [
            (
                OTHER,
                "scope: risk tiers are now, from lowest to highest, low, limited, high and "
                "extreme, and were low, "
                "limited and high; a model of an unknown tier is judged as extreme, and was as high",
            )
        ],
    ),
    "families": (
        {"scope.yaml": "families: {consumer: [credit], housing: [loan, mortgage]}\n"},
        [
            (OTHER, "scope: model loan is of the family housing, and was of consumer"),
            (OTHER, "scope: model mortgage is of the family housing"),
        ],
    ),
}


@cache
def organisation(files: frozenset[tuple[str, str]]) -> Compiled:
    """The library and the files of an organisation."""
    with TemporaryDirectory() as name:
        root = write(Path(name), dict(files))
        return compiled(read([share.policies(), root]), opa=find_opa())


def bank(changes: Mapping[str, str | None] | None = None) -> Compiled:
    files = {path: text for path, text in {**BANK, **(changes or {})}.items() if text is not None}
    return organisation(frozenset(files.items()))


def said(difference: Difference) -> list[tuple[Effect, str]]:
    return [
        (change.effect, f"{change.section}: {change.subject} {change.says}") for change in difference.changes
    ]


def mirrored(changes: tuple[Change, ...]) -> list[Any]:
    """What the changes are the other way round, their words aside."""
    return sorted(
        (change.section, change.subject, MIRRORED[change.kind], MIRRORED[change.effect], repr(change.new))
        for change in changes
    )


def plain(changes: tuple[Change, ...]) -> list[Any]:
    return sorted(
        (change.section, change.subject, change.kind, change.effect, repr(change.old)) for change in changes
    )


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_said_and_is_the_reverse_the_other_way_round(name: str, opa: Path) -> None:
    files, expected = CASES[name]
    old, new = bank(), bank(files)
    there = compare(old, new, opa=opa)
    assert said(there) == expected
    assert plain(compare(new, old, opa=opa).changes) == mirrored(there.changes)


def test_a_revision_does_not_differ_from_itself(opa: Path) -> None:
    assert compare(bank(), bank(), opa=opa).changes == ()


def test_a_rule_that_nothing_selects_is_said_to_judge_nowhere(opa: Path) -> None:
    people: dict[str, str | None] = {
        "selection.yaml": 'include: {default: ["@people"], tiers: {low: ["@people"]}}\n'
    }
    without: dict[str, str | None] = {RULE_FILE: None, **NO_THRESHOLDS}
    [change] = [
        change
        for change in compare(bank(people | without), bank(people), opa=opa).changes
        if change.section == "rules"
    ]
    assert change.says.endswith("; judges nowhere: no selection includes it")


def test_the_terms_that_a_rule_judges_are_named(opa: Path) -> None:
    def selecting(*patterns: str) -> Compiled:
        return bank(
            {"selection.yaml": f"include: {{default: {[*patterns]}, tiers: {{low: {[*patterns]}}}}}\n"}
        )

    def excluding(pattern: str) -> Compiled:
        included = "include: {default: ['drift:income'], tiers: {low: ['drift:income']}}"
        return bank({"selection.yaml": f"{included}\nexclude: {{default: ['{pattern}']}}\n"})

    one, two = ("drift.psi:income",), ("drift.psi:income", "drift.psi:age")
    found = {
        name: said(compare(selecting(*old), selecting(*new), opa=opa))[2:]
        for name, old, new in (
            ("fewer", ("drift.psi",), one),
            ("more", one, two),
            ("others", ("drift.psi:age",), one),
            ("none", two, ("registry",)),
        )
    }
    assert found == {
        "fewer": [(LOOSER, "judging: drift.psi no longer judges all terms but income everywhere")],
        "more": [(TIGHTER, "judging: drift.psi judges now the term age everywhere")],
        "others": [
            (
                OTHER,
                "judging: drift.psi judges now the term income and no longer judges the term age everywhere",
            )
        ],
        "none": [
            (LOOSER, "judging: drift.psi no longer judges the terms age and income everywhere"),
            (TIGHTER, "judging: registry.digest judges now everywhere"),
            (TIGHTER, "judging: registry.signature judges now everywhere"),
        ],
    }
    # A rule that is selected without any of its terms has no verdict: that is not nothing.
    assert said(compare(excluding("drift.psi:income"), excluding("drift.psi"), opa=opa))[1:] == [
        (LOOSER, "judging: drift.psi no longer judges the term * everywhere")
    ]


SCOPE = """environments: [staging, production]
risk_tiers: [low, high]
families: {consumer: [credit, loan]}
"""
LAYERS: list[tuple[str, ...]] = [
    ("environments", "production"),
    ("tiers", "low"),
    ("tiers_in_environments", "production", "high"),
    ("families", "consumer"),
    ("models", "credit"),
    ("models", "other"),
]
NAME = ("f", "a")
values = st.sampled_from([0.1, 0.2, 0.3])
layered = st.builds(
    lambda default, more: {("default",): default, **more},
    values,
    st.dictionaries(st.sampled_from(LAYERS), values),
)
scopes = st.sampled_from(
    [SCOPE, SCOPE.replace("[credit, loan]", "[loan]"), SCOPE.replace("[low, high]", "[high, low]")]
)
REQUESTS = [
    (environment, tier, model)
    for environment in ("staging", "production")
    for tier in ("low", "high", "unknown")
    for model in ("credit", "loan", "other", "another")
]


def synthetic(setting: Mapping[tuple[str, ...], float], scope: str) -> Compiled:
    """A revision with one threshold, of which more is tighter."""
    node: dict[str, Any] = {}
    for layer, value in setting.items():
        below = node
        for part in layer[:-1]:
            below = below.setdefault(part, {})
        below[layer[-1]] = value
    limits = compile_scope([load(scope.encode(), BadPolicy, name="scope.yaml")])
    declared = declaration("f.a", {"type": "number", "tightens": "up"}, "r.rego:1")
    document = load(json.dumps({"a": node}).encode(), BadPolicy, name="thresholds/f.yaml")
    return Compiled(
        Sources(()),
        (declared,),
        {"scope": limits.as_data(), "thresholds": compile_thresholds([document], limits, [declared])},
    )


def held(revision: Compiled) -> list[float]:
    """The value for each request."""
    scope = revision.data["scope"]
    setting = dict(settings(revision.data["thresholds"]))[NAME]
    return [
        setting[
            governing(
                setting,
                environment,
                tier if tier in scope["risk_tiers"] else scope["risk_tiers"][-1],
                model,
                scope["families"].get(model),
            )
        ]["value"]
        for environment, tier, model in REQUESTS
    ]


@hypothesis_settings(deadline=None)
@given(layered, layered, scopes, scopes)
def test_every_value_that_holds_otherwise_is_said(
    before: dict[tuple[str, ...], float], after: dict[tuple[str, ...], float], then: str, now: str
) -> None:
    old, new = synthetic(before, then), synthetic(after, now)
    changes = tuple(thresholds.changes(old, new))
    assert plain(tuple(thresholds.changes(new, old))) == mirrored(changes)
    assert tuple(thresholds.changes(old, old)) == ()
    moves = {(b > a) - (b < a) for a, b in zip(held(old), held(new), strict=True)}
    effects = {change.effect for change in changes}
    if moves == {0}:
        assert effects <= {OTHER}
    elif moves <= {0, 1}:
        assert TIGHTER in effects
        assert LOOSER not in effects
    elif moves <= {0, -1}:
        assert LOOSER in effects
        assert TIGHTER not in effects
    else:
        assert effects >= {TIGHTER, LOOSER} or OTHER in effects


def test_the_layer_that_holds_is_the_one_that_rego_chooses(opa: Path) -> None:
    every = {("default",): 0.0, **{layer: float(at) for at, layer in enumerate(LAYERS, 1)}}
    revisions = [
        synthetic({layer: every[layer] for layer in [*every][:count]}, SCOPE)
        for count in range(1, len(every) + 1)
    ]
    asked = [
        {
            "setting": revision.data["thresholds"]["f"]["a"],
            "input": {"request": {"environment": environment}, "subject": {"risk_tier": tier, "name": model}},
        }
        for revision in revisions
        for environment, tier, model in REQUESTS
    ]
    holds = "data.mandate.lib.thresholds.of(one.setting).value with input as one.input"
    query = f"some one in input\nvalue := {holds}"
    with merged(bank().sources, SourceKind.REGO) as tree:
        write_data(tree, bank().data | {"scope": revisions[0].data["scope"]})
        ended = run(
            opa,
            ["eval", "--format", "json", "--stdin-input", "--bundle", ".", query],
            folder=tree,
            stdin=json.dumps(asked).encode(),
        )
    found = [result["bindings"]["value"] for result in json.loads(ended.stdout)["result"]]
    assert found == [value for revision in revisions for value in held(revision)]
