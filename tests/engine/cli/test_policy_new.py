from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from mandate.collectors import REGISTERED
from mandate.engine.policy import scaffold
from mandate.engine.policy.command import run
from tests.organisation import Organisation, founded

RULE = "policies/mandate/rules/fairness/equalized_odds/equalized_odds.rego"
TEST = "policies/mandate/rules/fairness/equalized_odds/equalized_odds_test.rego"
THRESHOLDS = "policies/thresholds/fairness.yaml"
NEW = ("policy", "new", "fairness/equalized_odds", "--effective-on", "2027-03-01")


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    return founded(tmp_path)


def files(organisation: Organisation) -> dict[str, bytes]:
    """All that is in the folder of policies, hidden files included."""
    root = organisation.folder / "policies"
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else b"" for path in root.rglob("*")
    }


def problems(organisation: Organisation) -> list[str]:
    """What the compiler and Regal say: what its tests lack is for another test."""
    shown = organisation.mandate("policy", "check", "--no-tests", "--output", "json").json["problems"]
    return [
        f"{problem['where']}: {problem['what']}: {problem['next_step']}"
        for problem in shown
        if problem["tool"] not in ("conformance", "deadlines")
    ]


def replace(file: Path, *pairs: tuple[str, str]) -> None:
    text = file.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


def test_a_new_rule_says_what_was_written_and_what_is_next(organisation: Organisation) -> None:
    shown = organisation.mandate(*NEW)
    assert (shown.exit_code, shown.err) == (0, "")
    assert shown.out == (
        f"wrote {RULE}       the rule\n"
        f"wrote {TEST}  its tests\n"
        f"added equalized_odds to {THRESHOLDS}                      its threshold\n"
        "\n"
        "fairness.equalized_odds warns until 2027-03-01T00:00:00Z, and denies from then on.\n"
        "Next: fill in what says TODO, until these two are content:\n"
        "  mandate policy check   names what is left, with file and line\n"
        "  mandate policy test    fails until the rule judges what its tests say\n"
    )
    assert max(map(len, shown.out.splitlines())) <= 100


def test_programs_are_told_the_same(organisation: Organisation) -> None:
    assert organisation.mandate(*NEW, "--output", "json").json == {
        "rule": "fairness.equalized_odds",
        "effective_on": "2027-03-01T00:00:00Z",
        "files": {
            "rule": str(organisation.folder / RULE),
            "test": str(organisation.folder / TEST),
            "thresholds": str(organisation.folder / THRESHOLDS),
        },
        "threshold": {
            "name": "fairness.equalized_odds",
            "set_at": "organisation/thresholds/fairness.yaml:5",
        },
    }


def test_a_rule_is_announced_thirty_days_ahead(organisation: Organisation) -> None:
    from datetime import UTC, datetime, timedelta

    before = datetime.now(UTC)
    effective_on = organisation.mandate(*NEW[:3], "--output", "json").json["effective_on"]
    days = datetime.fromisoformat(effective_on) - before.replace(hour=0, minute=0, second=0, microsecond=0)
    assert timedelta(days=30) <= days <= timedelta(days=31)


def test_all_that_is_to_be_filled_in_is_named_with_file_and_line(organisation: Organisation) -> None:
    organisation.mandate(*NEW)
    rule, test = (f"organisation/{file.removeprefix('policies/')}" for file in (RULE, TEST))
    assert problems(organisation) == [
        f"{rule}:2: to be filled in: Say in one line what must hold",
        f"{rule}:4: to be filled in: Say which facts are judged, against what, and what is meant to have no "
        "verdict.",
        f"{rule}:6: to be filled in: Say in one clause what is wrong when it fails",
        f"{rule}:7: to be filled in: Say what the model's team can do then.",
        f"{rule}:11: to be filled in: Name the law, standard or internal policy that asks for it",
        f"{rule}:27: to be filled in: Name the figure, such as equalized_odds_difference.",
        f"{test}:6: to be filled in: Where the figure stands in the good input, which is "
        "mandate/testing/data.json of the library.",
        f"{test}:26: to be filled in: Remove this, and all below, when it passes.",
    ]


def test_its_tests_fail_and_say_what_is_to_be_filled_in(organisation: Organisation) -> None:
    organisation.mandate(*NEW)
    report = organisation.mandate("policy", "test", "--output", "json")
    assert report.exit_code == 1
    failed = {case["name"] for case in report.json["cases"] if case["ended"] == "failed"}
    name = "mandate.rules.fairness.equalized_odds_test"
    assert failed >= {
        f"{name}.test_filled_in / name the figure in equalized_odds.rego",
        f"{name}.test_filled_in / say in equalized_odds_test.rego where that figure stands in the good input",
        f"{name}.test_verdicts / at the threshold passes",
        f"{name}.test_verdicts / just beyond it fails",
    }
    assert all(case.startswith(f"{name}.test_") for case in failed)


def test_a_rule_about_a_figure_is_whole_once_it_is_filled_in(organisation: Organisation) -> None:
    organisation.mandate(*NEW, "--title", 'Groups: the "odds" are alike', "--threshold", "0.10")
    rule, test = organisation.folder / RULE, organisation.folder / TEST
    replace(rule, ("# TODO: name the figure, such as", "# After"), ('"TODO"', '"equalized_odds_difference"'))
    replace(rule, (": TODO say", ": say"), ("- TODO name", "- name"))
    replace(test, ("# TODO: where", "# Where"), ("metrics/TODO/", "metrics/2/"))
    test.write_text(test.read_text().partition("\n# TODO: remove this")[0])
    assert problems(organisation) == []
    report = organisation.mandate("policy", "test")
    assert (report.exit_code, report.err) == (0, "")


def test_a_rule_about_a_listed_fact_is_whole_once_it_is_filled_in(organisation: Organisation) -> None:
    new = (
        "policy",
        "new",
        "provenance/known_source",
        "--comparison",
        "one-of",
        "--effective-on",
        "2027-03-01",
    )
    assert organisation.mandate(*new, "--threshold", "data/hmda.csv, data/census.csv").exit_code == 0
    folder = organisation.folder / "policies/mandate/rules/provenance/known_source"
    rule, test = folder / "known_source.rego", folder / "known_source_test.rego"
    replace(rule, ("# TODO: name what is judged", "# What is judged"), ('"TODO"', '"data.source"'))
    replace(rule, ("TODO: the fact", "The fact"), ("null", "input.provenance.data.source"))
    replace(rule, (": TODO say", ": say"), ("- TODO name", "- name"))
    replace(test, ("# TODO: name", "# Name"), ("# TODO: where", "# Where"))
    replace(test, ('"TODO"', '"data.source"'), ("/TODO", "/data/source"))
    test.write_text(test.read_text().partition("\n# TODO: remove this")[0])
    assert problems(organisation) == []
    assert organisation.mandate("policy", "test").exit_code == 0


def test_a_rule_about_a_metric_is_whole_once_it_is_filled_in(organisation: Organisation) -> None:
    new = ("policy", "new", "performance/recall", "--comparison", "at-least", "--effective-on", "2027-03-01")
    assert organisation.mandate(*new, "--threshold", "0.6").exit_code == 0
    folder = organisation.folder / "policies/mandate/rules/performance/recall"
    rule, test = folder / "recall.rego", folder / "recall_test.rego"
    replace(rule, ("# TODO: name", "# Name"), (": TODO say", ": say"), ("- TODO name", "- name"))
    replace(rule, ('"TODO"', '"recall"'))
    replace(test, ("# TODO: name", "# Name"), ('metric := "TODO"', 'metric := "recall"'))
    test.write_text(test.read_text().partition("\n# TODO: remove this")[0])
    assert problems(organisation) == []
    assert organisation.mandate("policy", "test").exit_code == 0


def test_whatever_is_judged_and_however_only_what_is_to_be_filled_in_is_wrong(
    organisation: Organisation, opa: Path
) -> None:
    root = organisation.folder / "policies"
    for collector in scaffold.COLLECTORS:
        for comparison in scaffold.Comparison:
            name = scaffold.Name.parse(f"{collector}/new_{comparison.value.replace('-', '_')}")
            new = scaffold.NewRule(
                name=name,
                collector=collector,
                comparison=comparison,
                threshold=scaffold.threshold(comparison, None),
                severity="high",
                effective_on="2027-03-01T00:00:00Z",
            )
            (root / name.folder).mkdir(parents=True)
            for file, rego in ((name.file, scaffold.rule(new)), (name.test_file, scaffold.test(new))):
                formatted = run(opa, ["fmt"], folder=root, stdin=rego.encode())
                (root / file).write_bytes(formatted.stdout)
            with (root / name.threshold_file).open("a") as thresholds:
                thresholds.write(scaffold.settings(new))
    assert [problem for problem in problems(organisation) if ": to be filled in: " not in problem] == []
    cases = organisation.mandate("policy", "test", "--output", "json").json["cases"]
    new_ones = [case for case in cases if "/new_" in case["where"]]
    assert {
        case["name"] for case in new_ones if " / name " in case["name"] and case["ended"] != "failed"
    } == set()


def test_every_collector_can_be_judged() -> None:
    # Waivers are no facts about a model.
    assert {*scaffold.COLLECTORS} == {*REGISTERED} - {"waivers"}


def test_what_is_in_the_file_of_thresholds_stays_as_it_is(organisation: Organisation) -> None:
    file = organisation.folder / THRESHOLDS
    before = "# Ours.\n\ndemographic_parity_difference: # 3 March\n  models: {credit: 0.03}  # tighter"
    file.write_text(before)
    assert organisation.mandate(*NEW).exit_code == 0
    assert file.read_text() == (
        f"{before}\n\n"
        "# TODO: what this bounds and in which unit, who decided it, and where that is written.\n"
        "equalized_odds:\n"
        "  default: 0\n"
    )


def test_a_new_file_of_thresholds_begins_with_the_line_that_editors_read(organisation: Organisation) -> None:
    organisation.mandate(*NEW)
    first = (organisation.folder / THRESHOLDS).read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../.mandate/schemas/thresholds/fairness.json"


@pytest.mark.parametrize(
    ("arguments", "what", "next_step"),
    [
        (
            ["Fairness/x"],
            "'Fairness' is not a name",
            "Write lower-case words that _ joins, such as",
        ),
        (["../../x"], "'..' is not a name", "Write lower-case words that _ joins, such as"),
        (["fairness/../x"], "'../x' is not a name", "Write lower-case words that _ joins"),
        (["/etc/passwd"], "'' is not a name", "Write lower-case words that _ joins"),
        (["fairness/x\n"], "'x\\n' is not a name", "Write lower-case words that _ joins"),
        (["fairness/ünfair"], "'\\xfcnfair' is not a name", "Write lower-case words that _ joins"),
        (["fairness/" + "x" * 61], "is not a name", "Write lower-case words that _ joins"),
        (["fairness.x"], "it is not CATEGORY/RULE", "Write fairness/x"),
        (["x"], "it is not CATEGORY/RULE", "Write CATEGORY/x"),
        (["fairness/default"], "'default' is a word of the language", "Choose another name"),
        (["fairness/tiers"], "'tiers' is a word of the language", "Choose another name"),
        (["fairness/x_test"], "a name that ends in _test is a test's", "Choose another name"),
        (
            ["fairness/group_size"],
            "mandate/rules/fairness/group_size/group_size.rego: the rule fairness.group_size is",
            "Set its thresholds, or write one of another name with --replaces fairness.group_size",
        ),
        (
            ["fairness/minimum_group_size"],
            "thresholds/fairness.yaml:19: the threshold fairness.minimum_group_size is already there",
            "Give the rule another name",
        ),
        (
            ["credit/x"],
            "nothing says which collector's facts it judges",
            "Name one of approvals, data_schema,",
        ),
        (["credit/x", "--collector", "fairnes"], "no collector is named 'fairnes'", "Write fairness"),
        (["fairness/x", "--threshold", "0,1"], "'0,1' is not a number", "Write a number such as 0.05"),
        (["fairness/x", "--threshold", "inf"], "'inf' is not a number", "Write a number such as 0.05"),
        (["fairness/x", "--threshold", "1e99"], "'1e99' is not a number", "Write a number such as 0.05"),
        (
            ["fairness/x", "--comparison", "includes", "--threshold", "a,,b"],
            "it is not a list of different texts",
            "Write it as one,two",
        ),
        (
            ["fairness/x", "--title", "two\nlines"],
            "it is not one short line of text",
            "Write a sentence of at most 100 characters without a full stop",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_is_written(
    organisation: Organisation, arguments: list[str], what: str, next_step: str
) -> None:
    before = files(organisation)
    shown = organisation.mandate("policy", "new", *arguments)
    assert (shown.exit_code, shown.out) == (2, "")
    assert what in shown.err
    assert f"→ {next_step}" in shown.err
    assert files(organisation) == before


def test_a_rule_of_ones_own_is_to_be_edited(organisation: Organisation) -> None:
    organisation.mandate(*NEW)
    before = files(organisation)
    shown = organisation.mandate(*NEW)
    assert shown.exit_code == 2
    assert "organisation/mandate/rules/fairness/equalized_odds/" in shown.err
    assert "→ Edit it, or give the new one another name" in shown.err
    assert files(organisation) == before


def test_a_folder_that_is_in_the_way_is_left_alone(organisation: Organisation) -> None:
    (organisation.folder / RULE).parent.mkdir(parents=True)
    before = files(organisation)
    shown = organisation.mandate(*NEW)
    assert shown.exit_code == 2
    assert "the folder of the rule is already there" in shown.err
    assert files(organisation) == before


@pytest.mark.parametrize(
    "text", ["{minimum_group_size: {default: 40}}\n", "  minimum_group_size: {default: 40}\n"]
)
def test_a_file_of_thresholds_to_which_nothing_can_be_added_stays_as_it_is(
    organisation: Organisation, text: str
) -> None:
    (organisation.folder / THRESHOLDS).write_text(text)
    before = files(organisation)
    shown = organisation.mandate(*NEW)
    assert shown.exit_code == 2
    assert "thresholds/fairness.yaml: nothing can be added at its end" in shown.err
    assert files(organisation) == before


def test_beside_policies_that_are_broken_nothing_is_written(organisation: Organisation) -> None:
    (organisation.folder / "policies/thresholds/drift.yaml").write_text("drifted_shar: {default: 1}\n")
    before = files(organisation)
    shown = organisation.mandate(*NEW)
    assert shown.exit_code == 2
    assert (
        "organisation/thresholds/drift.yaml:1: no rule reads the threshold 'drift.drifted_shar'" in shown.err
    )
    assert files(organisation) == before


@pytest.mark.parametrize("thresholds", [None, "# ours\nminimum_group_size: {default: 40}\n"])
def test_what_fails_halfway_leaves_nothing_behind(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch, thresholds: str | None
) -> None:
    """A disk that is full when the last file is moved to its place."""
    if thresholds is not None:
        (organisation.folder / THRESHOLDS).write_text(thresholds)
    before = files(organisation)

    def full(self: Path, target: Any) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(Path, "rename", full)
    shown = organisation.mandate(*NEW)
    assert shown.exit_code == 2
    assert "the rule cannot be written: No space left on device" in shown.err
    assert files(organisation) == before


def test_outside_of_an_organisation_there_is_nowhere_to_write(tmp_path: Path) -> None:
    shown = Organisation(tmp_path).mandate(*NEW)
    assert shown.exit_code == 2
    assert "there is no mandate.yaml here or in a folder above" in shown.err
    assert "→ Run `mandate init`" in shown.err
    assert [*tmp_path.iterdir()] == []


def test_the_library_is_nobodys_own(organisation: Organisation) -> None:
    settings = organisation.folder / "mandate.yaml"
    settings.write_text(settings.read_text().replace("policies: [library, policies]", "policies: [library]"))
    shown = organisation.mandate(*NEW)
    assert shown.exit_code == 2
    assert "no folder of policies is your own" in shown.err
    assert "→ Write policies: [library, policies], and make the folder policies" in shown.err


def test_the_last_folder_of_several_is_the_one_that_is_written(organisation: Organisation) -> None:
    (organisation.folder / "credit").mkdir()
    settings = organisation.folder / "mandate.yaml"
    settings.write_text(
        settings.read_text().replace("policies: [library, policies]", "policies: [library, policies, credit]")
    )
    shown = organisation.mandate(*NEW, "--output", "json").json
    assert shown["files"]["rule"] == str(organisation.folder / RULE.replace("policies/", "credit/"))
    assert shown["threshold"]["set_at"] == "organisation-2/thresholds/fairness.yaml:5"


def test_a_rule_that_replaces_another_one_says_so(organisation: Organisation) -> None:
    assert organisation.mandate(*NEW, "--replaces", "fairness.demographic_parity").exit_code == 0
    assert (
        "#   replaces:\n"
        "#     rule: fairness.demographic_parity\n"
        "#     reason: TODO say why this organisation judges otherwise\n"
    ) in (organisation.folder / RULE).read_text()
    assert [problem for problem in problems(organisation) if ": to be filled in: " not in problem] == []


def test_what_is_not_there_cannot_be_replaced(organisation: Organisation) -> None:
    before = files(organisation)
    shown = organisation.mandate(*NEW, "--replaces", "fairness.demographic_paritty")
    assert shown.exit_code == 2
    assert "replaces 'fairness.demographic_paritty', which does not exist" in shown.err
    assert "→ Write fairness.demographic_parity" in shown.err
    assert files(organisation) == before
