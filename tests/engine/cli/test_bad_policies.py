"""Policies that are broken end in a message and exit 2, and those that are active go on unchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.organisation import Organisation, founded, good


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    """One whose policies have decided."""
    organisation = founded(tmp_path, trusting=True)
    assert organisation.check(good()).exit_code == 0
    return organisation


def _rego(text: str) -> Callable[[Path], None]:
    def write(policies: Path) -> None:
        folder = policies / "mandate/lib/bank"
        folder.mkdir(parents=True)
        (folder / "bank.rego").write_text(f"package mandate.lib.bank\n\n{text}\n")

    return write


def _link(policies: Path) -> None:
    (policies / "thresholds/drift.yaml").symlink_to("/etc/passwd")


def _rules(policies: Path) -> None:
    for number in range(10_000):
        folder = policies / f"mandate/rules/many/rule_{number}"
        folder.mkdir(parents=True)
        (folder / "rule.rego").touch()


def _large(policies: Path) -> None:
    with (policies / "thresholds/drift.yaml").open("wb") as file:
        file.truncate(100 << 20)


BANK = "organisation/mandate/lib/bank/bank.rego"
BAD: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "a syntax error": (
        _rego("one := }"),
        f"error: {BANK}:3: unexpected }} token (rego_parse_error)\n"
        "  → Correct the syntax, there or in the line above\n",
    ),
    "recursion": (
        _rego("one := two\n\ntwo := one"),
        f"error: {BANK}:3: rule data.mandate.lib.bank.one is recursive: data.mandate.lib.bank.one -> "
        "data.mandate.lib.bank.two -> data.mandate.lib.bank.one (rego_recursion_error)\n"
        "  → Break the circle: one of them must do without the others\n",
    ),
    "conflicting rules": (
        _rego("one := 1\n\none contains 2"),
        f"error: {BANK}:3: conflicting rules data.mandate.lib.bank.one found (rego_type_error)\n"
        "  → Give one of them another name: a name is one value, one set or one function\n",
    ),
    "a link out of the folder": (
        _link,
        "error: organisation/thresholds/drift.yaml: a link leads out of the folder of policies\n"
        "  → Put a copy there\n",
    ),
    "10,000 rules": (
        _rules,
        "error: mandate/rules/…: there are 10,016 rules, and at most 1,000 are compiled\n"
        "  → Let one rule judge many terms\n",
    ),
    "a file of 100 MB": (
        _large,
        "error: organisation/thresholds/drift.yaml: the file is over 1 MiB\n  → Split it\n",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_broken_policies_are_refused_and_change_nothing(name: str, organisation: Organisation) -> None:
    spoil, said = BAD[name]
    policies, store = organisation.folder / "policies", organisation.folder / ".mandate/policies"
    before = {file.name: file.read_bytes() for file in store.iterdir()}
    entries = organisation.decisions()
    kept = policies.rename(organisation.folder / "kept")
    (policies / "thresholds").mkdir(parents=True)
    spoil(policies)
    (organisation.folder / "good.json").write_bytes(b"{}")
    for command in (("check", "--input", "good.json"), ("policy", "bundle", "--to", "made.tar.gz")):
        ran = organisation.mandate(*command)
        assert (ran.exit_code, ran.out, ran.err) == (2, "", said)
    policies.rename(organisation.folder / "spoilt")
    kept.rename(policies)
    assert {file.name: file.read_bytes() for file in store.iterdir()} == before
    assert organisation.decisions() == entries
    assert not (organisation.folder / "made.tar.gz").exists()
    assert organisation.check(good()).exit_code == 0
