"""Judging by the rules alone that a change can reach says what judging by all rules says.

One ledger with decisions of many kinds, and changes of everything that policies consist of: each is judged
both ways, and the reports are held against each other.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from mandate import composition, share
from mandate.engine import configuration
from mandate.engine.policy import bundle as policy_bundle
from mandate.engine.replay.reach import Reach
from tests.organisation import FIRST, GOOD, Organisation, Ran, founded, good, with_value
from tests.recording import changed, statement, writing

from .conftest import ACCURACY, LOOSER, PARITY, about

SIGNED = """# METADATA
# title: The signature names columns
# description: How many columns go into the model.
# custom:
#   failure_msg: The signature names too few columns
#   solution: Log the model with its signature.
#   severity: medium
#   collections: [bank]
#   controls: [BANK-7]
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [mlflow]
#   actions: [promote, deploy]
#   waivable: true
package mandate.rules.bank.{name}

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds

terms := {{"inputs"}}

must contains check.at_least("inputs", columns, thresholds.fixed({least})) if {{
	inputs := [column | some column in input.model.signature.inputs]
	columns := facts.quantity("mlflow", count(inputs), "columns")
}}
"""

WAIVER = """- rule: fairness.demographic_parity
  subject: {{name: credit, version: "2"}}
  reason: The branch in Salem was closed
  reference: MRM-120
  approver: rita@bank.example
  effective_on: 2026-11-01
  expires: {expires}
"""

PARITY_RULE = "fairness.demographic_parity"


def rule(folder: Path, name: str, text: str) -> None:
    below = folder / f"mandate/rules/bank/{name}"
    below.mkdir(parents=True, exist_ok=True)
    (below / f"{name}.rego").write_text(text)


def documents() -> Iterator[dict[str, Any]]:
    for disparity in (0.01, 0.045, 0.06, 0.2):
        for accuracy in (0.95, 0.705, 0.6):
            yield with_value(with_value(GOOD, PARITY, disparity), ACCURACY, accuracy)
    for action in ("deploy", "monitor"):
        yield with_value(GOOD, ("request", "action"), action)
    for environment in ("staging", "development"):
        yield with_value(with_value(GOOD, PARITY, 0.06), ("request", "environment"), environment)
    for absent in ("fairness", "performance", "drift", "documentation", "approvals", "provenance", "model"):
        yield good(**{absent: None})
    for failed in ("fairness", "mlflow", "drift"):
        others = [entry for entry in GOOD["collection"] if entry["name"] != failed]
        yield good(collection=[*others, {"name": failed, "status": "failed", "reason": "it is gone"}])
    yield about("mortgage", with_value(GOOD, PARITY, 0.06))
    yield with_value(GOOD, ("drift", "columns", 0, "psi", "value"), 0.3)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An organisation with a rule and a waiver of its own, and its decisions. Not to be changed."""
    folder = tmp_path_factory.mktemp("judged")
    founded(folder, trusting=True)
    own = folder / "policies"
    rule(own, "signed", SIGNED.format(name="signed", least=5))
    (own / "waivers").mkdir(exist_ok=True)
    (own / "waivers/credit.yaml").write_text(WAIVER.format(expires="2026-12-20"))
    settings = configuration.load(folder / "mandate.yaml", environment={})
    file = folder / "input.json"
    with chdir(folder), composition.assembled(settings) as mandate:
        for document in documents():
            file.write_text(json.dumps(document))
            asked = document["request"]
            facts = mandate.claimed(file, action=asked["action"], environment=asked["environment"])
            mandate.gate.decide(facts)
    return folder


@pytest.fixture
def bank(judged: Path, tmp_path: Path) -> Organisation:
    shutil.copytree(judged, tmp_path / "bank")
    return Organisation(tmp_path / "bank")


def writes(path: str, text: str) -> Callable[[Path], None]:
    def write(own: Path) -> None:
        (own / path).parent.mkdir(parents=True, exist_ok=True)
        (own / path).write_text(text)

    return write


def new_rule(name: str, text: str) -> Callable[[Path], None]:
    return lambda own: rule(own, name, text)


def both(one: Callable[[Path], None], other: Callable[[Path], None]) -> Callable[[Path], None]:
    def make(own: Path) -> None:
        one(own)
        other(own)

    return make


def removed(path: str) -> Callable[[Path], None]:
    return lambda own: (shutil.rmtree if (own / path).is_dir() else Path.unlink)(own / path)


def own_rule(least: int) -> str:
    return SIGNED.format(name="signed", least=least)


TERMS = 'terms := {"inputs"}'
REPLACING = SIGNED.replace(
    "# custom:\n", f"# custom:\n#   replaces: {{{{rule: {PARITY_RULE}, reason: the board says so}}}}\n"
).format(name="other", least=3)

CHANGES: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "a looser bound": (writes("thresholds/fairness.yaml", LOOSER), {PARITY_RULE}),
    "bounds of models and tiers": (
        writes(
            "thresholds/fairness.yaml",
            "demographic_parity_difference: {default: 0.05, models: {mortgage: 0.09}, tiers: {high: 0.02}}\n"
            "minimum_group_size: {default: 3000}\n",
        ),
        {PARITY_RULE, "fairness.group_size"},
    ),
    "a tighter minimum": (
        writes("thresholds/performance.yaml", "minimum: {accuracy: {default: 0.9}}\n"),
        {"performance.minimum"},
    ),
    "what is required": (
        writes(
            "thresholds/documentation.yaml",
            "required_sections: {default: [Model details]}\nminimum_words: {default: 60}\n",
        ),
        {"documentation.model_card"},
    ),
    "other approvals": (
        writes("thresholds/approvals.yaml", "required: {auditor: {default: 1}}\n"),
        {"approvals.signed_off"},
    ),
    "a looser bound of drift, older data": (
        both(
            writes("thresholds/drift.yaml", "population_stability_index: {default: 0.4}\n"),
            writes("thresholds/provenance.yaml", "data_age_days: {default: 3}\n"),
        ),
        {"drift.psi", "provenance.data_age"},
    ),
    "a waiver less": (removed("waivers/credit.yaml"), {PARITY_RULE}),
    "another waiver": (
        writes("waivers/credit.yaml", WAIVER.format(expires="2026-11-10")),
        {PARITY_RULE},
    ),
    "a rule judges otherwise": (
        new_rule("signed", own_rule(50)),
        {"bank.signed"},
    ),
    "a rule is waived by nobody, is announced, and is called otherwise": (
        new_rule(
            "signed",
            own_rule(50)
            .replace("2026-01-01T00", "2026-12-01T00")
            .replace("waivable: true", "waivable: false")
            .replace("actions: [promote, deploy]", "actions: [promote, monitor]"),
        ),
        {"bank.signed"},
    ),
    "a rule more": (new_rule("other", SIGNED.format(name="other", least=50)), {"bank.other"}),
    "a rule less": (removed("mandate/rules/bank/signed"), {"bank.signed"}),
    "a rule replaces another one": (new_rule("other", REPLACING), {"bank.other", PARITY_RULE}),
    "a rule that is silent": (
        new_rule(
            "signed",
            own_rule(5).replace(TERMS, "terms contains input.no_such"),
        ),
        {"bank.signed"},
    ),
    "a rule that fails": (
        new_rule(
            "signed",
            own_rule(5).replace(
                TERMS,
                TERMS + '\n\nterms := {"a"} if input.request.action == "deploy"',
            ),
        ),
        {"bank.signed"},
    ),
    "a comment at the end": (
        writes("waivers/credit.yaml", WAIVER.format(expires="2026-12-20") + "# reviewed\n"),
        set(),
    ),
}


def said(ran: Ran) -> Any:
    """The report, without how it came about: the addresses of OPAs are other ones each time."""
    return json.loads(re.sub(r"mandate-[a-z0-9_]{8}", "mandate-…", ran.out)) | {"reached": None}


@pytest.mark.parametrize("change", CHANGES)
def test_both_ways_of_judging_say_the_same(bank: Organisation, change: str) -> None:
    make, rules = CHANGES[change]
    make(bank.folder / "policies")
    ran = bank.mandate("policy", "impact", "--output", "json")
    whole = bank.mandate("policy", "impact", "--output", "json", "--whole")
    assert ran.err == whole.err == ""
    reached, nothing = ran.json["reached"], whole.json["reached"]
    assert said(ran) == said(whole)
    assert ran.exit_code == whole.exit_code
    assert nothing == {"decisions": 0, "flips": 0, "rules": []}
    assert {*reached["rules"]} == rules
    assert reached["decisions"] > ran.json["judged"] / 2


def test_against_other_policies_both_sides_are_judged_so(bank: Organisation) -> None:
    other = bank.folder / "before"
    shutil.copytree(bank.folder / "policies", other)
    writes("thresholds/performance.yaml", "minimum: {accuracy: {default: 0.9}}\n")(other)
    writes("thresholds/fairness.yaml", LOOSER)(bank.folder / "policies")
    ran = bank.mandate("policy", "impact", "--output", "json", "--against", "before")
    whole = bank.mandate("policy", "impact", "--output", "json", "--against", "before", "--whole")
    assert said(ran) == said(whole)
    assert ran.json["reached"]["rules"] == [PARITY_RULE, "performance.minimum"]


def test_a_report_says_how_it_was_judged(bank: Organisation) -> None:
    text = " ".join(bank.mandate("policy", "impact").out.split())
    assert "judged by none, because nothing that judges differs from what is on record" in text
    writes("thresholds/fairness.yaml", LOOSER)(bank.folder / "policies")
    text = " ".join(bank.mandate("policy", "impact").out.split())
    assert f"judged by the rules alone that the change can reach ({PARITY_RULE}); the others by all" in text
    assert "the others by all rules, among them 1 of 1 flip" in text


def test_of_many_flips_the_first_hundred_and_then_every_tenth_are_judged_by_all_rules(
    bank: Organisation,
) -> None:
    writes("thresholds/fairness.yaml", LOOSER)(bank.folder / "policies")
    first = bank.mandate("policy", "impact", "--output", "json").json["flips"][0]
    flipping = statement(bank.folder, first["index"])
    with writing(bank.folder) as ledger:
        for _ in range(130):
            ledger.append(flipping)
    ran = bank.mandate("policy", "impact", "--output", "json", "--last", "130")
    hundredth = sum(flip["index"] % 100 == 0 for flip in ran.json["flips"])
    tested = hundredth + 100 + len(range(100, 130 - hundredth, 10))
    assert len(ran.json["flips"]) == 130
    assert ran.json["reached"] == {
        "decisions": 130 - tested,
        "flips": 130 - tested,
        "rules": [PARITY_RULE],
    }
    text = " ".join(bank.mandate("policy", "impact", "--last", "130").out.split())
    assert f"the others by all rules, among them {tested} of 130 flips" in text


READS_ANYTHING = {
    "all of it": "input",
    "a section that another one names": "input[input.apiVersion]",
    "what it replaces": 'object.union(input, {"a": 1})',
}
READS_ONE = {
    "by a name": "input.drift",
    "by a text": 'input["drift"].columns[0]',
    "by an import": "imported.columns",
    "within a text": '$"{input.drift.columns}"',
    "in place of another one": "[1 | input.x == 2 with input.drift as 1]",
}


def sections(bank: Organisation, expression: str) -> frozenset[str] | None:
    text = own_rule(5) + f"\nshould contains {expression}\n"
    if "imported" in expression:
        text = text.replace(
            "import data.mandate.lib.check\n",
            "import data.mandate.lib.check\nimport input.drift as imported\n",
        )
    rule(bank.folder / "policies", "signed", text)
    settings = configuration.load(bank.folder / "mandate.yaml", environment={})
    with chdir(bank.folder):
        reach = Reach(composition.bundle(settings), opa=composition.opa_program(settings))
    return reach.sections(frozenset({"bank.signed"}))


ALWAYS = frozenset(
    {"apiVersion", "approvals", "collection", "developers", "model", "request", "subject", "waivers"}
)
"""What the library reads of any input."""


def test_of_an_input_is_read_what_rules_and_library_name(bank: Organisation, opa: Path) -> None:
    settings = configuration.load(bank.folder / "mandate.yaml", environment={})
    with chdir(bank.folder):
        reach = Reach(composition.bundle(settings), opa=opa)
    assert reach.sections(frozenset({"no.such"})) == ALWAYS
    assert reach.sections(frozenset({PARITY_RULE})) == ALWAYS | {"fairness"}
    assert reach.sections(frozenset({PARITY_RULE, "drift.psi"})) == ALWAYS | {"fairness", "drift"}


@pytest.mark.parametrize("way", READS_ONE)
def test_a_section_is_read_however_it_is_named(bank: Organisation, way: str) -> None:
    found = sections(bank, READS_ONE[way])
    assert found is not None
    assert found - {"x"} == ALWAYS | {"drift"}


@pytest.mark.parametrize("way", READS_ANYTHING)
def test_what_is_not_named_may_be_any_section(bank: Organisation, way: str) -> None:
    assert sections(bank, READS_ANYTHING[way]) is None


def test_where_nothing_is_understood_any_section_may_be_read(opa: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    shutil.copytree(share.policies(), library)
    main = library / "mandate/main/main.rego"
    main.write_text(main.read_text() + "\n# another one\n")
    other = policy_bundle.compile([library], opa=opa, store=tmp_path / "store")
    assert Reach(other, opa=opa).sections(frozenset({PARITY_RULE})) is None


UNBOUNDED: dict[str, Callable[[Path], None]] = {
    "the selection": writes("selection.yaml", "exclude: {default: [drift]}\n"),
    "the scope": writes("scope.yaml", "environments: [development, staging, production, canary]\n"),
    "whose facts count": writes("thresholds/evidence.yaml", "accepted_origins: {default: [measured]}\n"),
    "how long a waiver may last": writes("thresholds/waivers.yaml", "longest_days: {default: 60}\n"),
    "Rego that is no rule's": writes("mandate/bank/sums.rego", "package mandate.bank\n\ntotal := 1\n"),
    "a rule that reads the selection": new_rule(
        "signed",
        own_rule(5).replace(
            "import data.mandate.lib.check\n",
            "import data.mandate.lib.check\nimport data.mandate.lib.selection\n",
        )
        + '\nshould contains check.present(each, facts.derived("x", 1)) if some each in selection.rules\n',
    ),
    "a rule that reads what is said of others": new_rule(
        "signed",
        own_rule(5) + "\nshould contains data.mandate.catalogue[input.apiVersion]\n",
    ),
}


@pytest.mark.parametrize("change", UNBOUNDED)
def test_where_any_rule_may_find_something_else_all_are_judged(bank: Organisation, change: str) -> None:
    settings = configuration.load(bank.folder / "mandate.yaml", environment={})
    with chdir(bank.folder):
        old = composition.bundle(settings)
        UNBOUNDED[change](bank.folder / "policies")
        new = composition.bundle(settings)
        opa = composition.opa_program(settings)
    assert Reach(new, opa=opa).of(old) is None
    assert Reach(old, opa=opa).of(new) is None or "a rule" not in change
    assert Reach(old, opa=opa).of(old) == frozenset()


def test_another_library_may_judge_in_another_way(bank: Organisation, opa: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    shutil.copytree(share.policies(), library)
    store = tmp_path / "store"
    ours = policy_bundle.compile([share.policies()], opa=opa, store=store)
    main = library / "mandate/main/main.rego"
    main.write_text(main.read_text() + "\n# another one\n")
    other = policy_bundle.compile([library], opa=opa, store=store)
    assert Reach(other, opa=opa).of(other) is None
    assert Reach(ours, opa=opa).of(other) is None


def test_what_is_on_record_must_be_what_was_judged(bank: Organisation) -> None:
    """A bundle that was compiled again, or is gone, or an OPA that judged otherwise: everything is judged."""
    kind = statement(bank.folder, FIRST)
    with writing(bank.folder) as ledger:
        ledger.append(changed(kind, policy=kind["predicate"]["policy"] | {"bundleSha256": "0" * 64}))
        ledger.append(changed(kind, policy=kind["predicate"]["policy"] | {"revision": f"sha256:{'0' * 64}"}))
        ledger.append(changed(kind, opa={"version": "1.22.1"}))
    writes("thresholds/fairness.yaml", LOOSER)(bank.folder / "policies")
    ran = bank.mandate("policy", "impact", "--output", "json", "--last", "3")
    assert (ran.json["judged"], ran.json["reached"]) == (3, {"decisions": 0, "flips": 0, "rules": []})


def test_a_record_that_its_policies_contradict_ends_the_run(bank: Organisation) -> None:
    kind = statement(bank.folder, FIRST)
    with writing(bank.folder) as ledger:
        for _ in range(100):
            ledger.append(changed(kind, input=kind["predicate"]["input"] | {"approvals": None}))
    writes("thresholds/fairness.yaml", LOOSER)(bank.folder / "policies")
    ran = bank.mandate("policy", "impact", "--output", "json")
    assert ran.exit_code == 3
    assert ran.json["error"]["where"] == "entry 100 of the ledger"
    assert "--whole" in ran.json["error"]["next_step"]
    assert bank.mandate("policy", "impact", "--output", "json", "--whole").json["judged"] > 100
