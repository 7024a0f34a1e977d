"""`mandate policy diff` as reviewers use it: on an organisation in a real git repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mandate import share
from mandate.engine.evidence.public_keys import PublicKey
from tests.organisation import Organisation, founded
from tests.repository import Repository

OVERLAY = "policies/thresholds/fairness.yaml"
PARITY = "fairness.demographic_parity_difference"


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    """One whose policies are committed, and then tightened."""
    (tmp_path / "bank").mkdir()
    organisation = founded(tmp_path / "bank")
    repository = Repository.created(organisation.folder)
    repository.commit({".gitignore": ".mandate\n"})
    repository.write(
        {OVERLAY: "# Board resolution of 3 March.\ndemographic_parity_difference:\n  default: 0.03\n"}
    )
    return organisation


def head(organisation: Organisation) -> str:
    return f"HEAD ({Repository(organisation.folder).git('rev-parse', 'HEAD')[:12]})"


def test_the_last_commit_is_compared_with_what_is_there_now(organisation: Organisation) -> None:
    shown = organisation.mandate("policy", "diff")
    assert (shown.exit_code, shown.err) == (0, "")
    assert shown.out == (
        f"{head(organisation)} → the policies as they are now\n"
        "tighter: 1 · looser: 0 · other: 0 · rules: +0 −0\n"
        "\n"
        "Thresholds\n"
        f"  tighter  {PARITY} tightened by default from 0.05 to 0.03\n"
        f"           organisation/{OVERLAY.removeprefix('policies/')}:3\n"
    )


def test_programs_read_both_sides_of_each_change(organisation: Organisation) -> None:
    report = organisation.mandate("policy", "diff", "HEAD", "--output", "json").json
    assert report["old"]["name"] == head(organisation)
    assert report["old"]["revision"] != report["new"]["revision"]
    none = {"added": 0, "removed": 0, "changed": 0}
    sections = ("rules", "code", "thresholds", "selection", "judging", "waivers", "people", "scope")
    assert report["summary"] == {
        "tighter": 1,
        "looser": 0,
        "other": 0,
        **dict.fromkeys(sections, none),
        "thresholds": none | {"changed": 1},
    }
    assert report["changes"] == [
        {
            "section": "thresholds",
            "kind": "changed",
            "effect": "tighter",
            "subject": PARITY,
            "aspect": "default",
            "says": "tightened by default from 0.05 to 0.03",
            "old": 0.05,
            "new": 0.03,
            "old_at": "thresholds/fairness.yaml:9",
            "new_at": "organisation/thresholds/fairness.yaml:3",
        }
    ]


def test_a_difference_is_an_exit_code_where_that_is_asked_for(organisation: Organisation) -> None:
    assert organisation.mandate("policy", "diff", "--exit-code").exit_code == 1
    assert organisation.mandate("policy", "diff", "HEAD", "HEAD", "--exit-code").exit_code == 0


def test_what_judges_the_same_is_said_to_be_no_difference(organisation: Organisation) -> None:
    (organisation.folder / OVERLAY).write_text("# nothing yet\n")
    shown = organisation.mandate("policy", "diff", "--exit-code")
    assert (shown.exit_code, shown.out.splitlines()[1]) == (
        0,
        "No difference in what is judged: comments, tests, format or order differ at most.",
    )
    shown = organisation.mandate("policy", "diff", ".", "mandate.yaml")
    assert shown.out == ". → mandate.yaml\nNo difference in what is judged: it is the same revision.\n"


def test_a_revision_that_was_kept_can_be_compared(organisation: Organisation) -> None:
    [bundle] = (organisation.folder / ".mandate/policies").glob("*.tar.gz")
    digits = bundle.name.removesuffix(".tar.gz")
    for reference in (
        f"sha256:{digits}",
        f"sha256:{digits[:8]}",
        digits[:10],
        f".mandate/policies/{bundle.name}",
    ):
        report = organisation.mandate("policy", "diff", reference, "--output", "json").json
        assert report["old"]["revision"] == f"sha256:{digits}"
        assert [change["says"] for change in report["changes"]] == ["tightened by default from 0.05 to 0.03"]
    unknown = "".join("1" if digit == "0" else "0" for digit in digits)
    assert organisation.mandate("policy", "diff", unknown).exit_code == 2


def test_rego_is_shown_line_by_line_where_that_is_asked_for(organisation: Organisation) -> None:
    library = organisation.folder / "library"
    shutil.copytree(share.policies(), library)
    rule = "mandate/rules/drift/psi/psi.rego"
    (library / rule).write_text((library / rule).read_text().replace("0, 1000)", "0, 100)"))
    shown = organisation.mandate("policy", "diff", str(share.policies()), "./library")
    assert f"drift.psi changes its logic, in {rule}" in shown.out
    assert "1000" not in shown.out
    shown = organisation.mandate("policy", "diff", str(share.policies()), "./library", "--patch")
    assert f"--- a/{rule}\n" in shown.out
    added = 'must contains check.at_most(column.name, facts.within("drift", column.psi, 0, 100), _bound) if {'
    assert f"\n+{added}\n" in shown.out
    report = organisation.mandate(
        "policy", "diff", str(share.policies()), "./library", "--patch", "--output", "json"
    ).json
    assert [change["patch"].splitlines()[0] for change in report["changes"]] == [f"--- a/{rule}"]
    commented = organisation.mandate(
        "policy", "diff", str(share.policies()), "./library", "--patch", "--output", "markdown"
    ).out
    assert f"\n  ```diff\n  --- a/{rule}\n" in commented
    assert commented.endswith("\n  ```\n")


def test_code_of_main_and_the_library_affects_every_rule(organisation: Organisation) -> None:
    library = organisation.folder / "library"
    shutil.copytree(share.policies(), library)
    main = library / "mandate/main/main.rego"
    main.write_text(main.read_text().replace('"It', '"It ', 1).replace("No rule applies", "No rule applied"))
    shown = organisation.mandate("policy", "diff", str(share.policies()), "./library")
    assert "mandate.main changes, in mandate/main/main.rego, which affects 16 rules" in shown.out


def test_names_neither_reach_the_terminal_nor_the_page_as_more_than_text(organisation: Organisation) -> None:
    (organisation.folder / OVERLAY).write_text(
        "demographic_parity_difference:\n"
        '  models: {"\\e[31m`x` @everyone <img src=x> #1\\n# a": 0.5, "`": 0.4}\n'
    )
    shown = organisation.mandate("policy", "diff")
    assert "\x1b" not in shown.out
    words = " ".join(shown.out.split())
    assert "for the model \\x1b[31m`x` @everyone <img src=x> #1\\n# a from 0.05 to 0.5" in words
    lines = organisation.mandate("policy", "diff", "--output", "markdown").out.splitlines()
    assert [line.partition(" (set")[0] for line in lines if line.startswith("-")] == [
        f"- **looser** `{PARITY}` loosened for the model ``\\x1b[31m`x` @everyone <img src=x> #1\\n# a`` "
        "from `0.05` to `0.5`",
        f"- **looser** `{PARITY}` loosened for the model `` ` `` from `0.05` to `0.4`",
    ]
    assert lines[:4] == [
        f"### Policies: `{head(organisation)}` → `the policies as they are now`",
        "",
        "**tighter: 0 · looser: 2 · other: 0 · rules: +0 −0**",
        "",
    ]


def test_waivers_are_counted(organisation: Organisation) -> None:
    (organisation.folder / OVERLAY).unlink()
    file = organisation.folder / "policies/waivers/w.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        '- {rule: drift.psi, subject: {name: credit, version: "3"}, reason: a, reference: b, approver: c,\n'
        "   effective_on: 2026-11-01, expires: 2026-12-01}\n"
    )
    shown = organisation.mandate("policy", "diff")
    assert "tighter: 0 · looser: 1 · other: 0 · rules: +0 −0 · waivers: +1 −0\n" in shown.out


def test_an_error_says_of_which_revision_it_is(organisation: Organisation) -> None:
    (organisation.folder / OVERLAY).write_text("demographic_parity: {default: 0.03}\n")
    shown = organisation.mandate("policy", "diff")
    assert shown.exit_code == 2
    assert "the policies as they are now: organisation/thresholds/fairness.yaml:1: no rule reads" in shown.err
    (organisation.folder / "bad").mkdir()
    (organisation.folder / "bad/selection.yaml").symlink_to("/etc/passwd")
    shown = organisation.mandate("policy", "diff", "HEAD", "./bad")
    assert (shown.exit_code, shown.out) == (2, "")
    assert "./bad: organisation/selection.yaml: a link leads out of the folder of policies" in shown.err
    shown = organisation.mandate("policy", "diff", "HAED")
    assert "HAED: there is no such revision of policies: no branch, tag or commit" in shown.err


def test_what_else_a_name_could_mean_is_said(organisation: Organisation) -> None:
    shutil.copytree(organisation.folder / "policies", organisation.folder / "main")
    shown = organisation.mandate("policy", "diff", "main")
    assert shown.err == (
        "main is taken for what git knows by this name: write ./main for the file or folder.\n"
    )
    assert "tighter: 1" in shown.out


def test_without_settings_the_folder_itself_is_compared(tmp_path: Path) -> None:
    repository = Repository.created(tmp_path / "rules")
    repository.commit({"thresholds/fairness.yaml": "demographic_parity_difference: {default: 0.03}\n"})
    repository.write({"thresholds/fairness.yaml": "demographic_parity_difference: {default: 0.04}\n"})
    shown = Organisation(repository.folder).mandate("policy", "diff")
    assert f"looser   {PARITY} loosened by default from 0.03 to 0.04" in shown.out


def test_without_policies_the_library_alone_is_compared(tmp_path: Path) -> None:
    shown = Organisation(tmp_path).mandate("policy", "diff", str(share.policies()))
    assert "No difference in what is judged: it is the same revision." in shown.out


def test_a_reviewer_sees_who_may_sign_and_who_no_longer(organisation: Organisation) -> None:
    people = organisation.folder / "policies/people/risk.yaml"
    people.parent.mkdir()
    keys = [PublicKey.of(Ed25519PrivateKey.generate().public_key()) for _ in range(3)]
    people.write_text(
        f"- name: ana@bank.example\n  keys: [{keys[0].ssh}]\n  roles: [risk_officer]\n"
        f"- name: bo@bank.example\n  keys: [{keys[1].ssh}]\n  roles: []\n"
    )
    added = organisation.mandate("policy", "diff", "HEAD").out
    assert "looser   ana@bank.example may sign now, with the role risk_officer\n" in added
    assert "looser   bo@bank.example may sign now, with no role\n" in added
    Repository(organisation.folder).commit()
    people.write_text(
        f"- name: ana@bank.example\n  keys: [{keys[2].ssh}]\n  roles: [risk_officer, model_owner]\n"
        "  identities: [ana]\n"
    )
    changed = organisation.mandate("policy", "diff", "HEAD", "--output", "json").json["changes"]
    assert [(each["subject"], each["aspect"], each["effect"], each["says"]) for each in changed] == [
        (
            "ana@bank.example",
            "identities",
            "tighter",
            "has other identities: now with ana",
        ),
        (
            "ana@bank.example",
            "keys",
            "other",
            f"has other keys: now with {keys[2].keyid}, no longer with {keys[0].keyid}",
        ),
        ("ana@bank.example", "roles", "looser", "has other roles: now with model_owner"),
        ("bo@bank.example", "", "tighter", "may sign no longer, and was there with no role"),
    ]
