"""What people signed, where the ledger is not: in an export, and restored from one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.organisation import Organisation

from .conftest import Bank

pytestmark = pytest.mark.xdist_group("mlflow")

PEOPLE = "that the keys of people are theirs: the policies in the export say so"


def public(folder: Path, name: str, key: str) -> str:
    file = folder / f"{name}.pub"
    file.write_text(f"{key} {name}\n")
    return str(file)


def test_an_export_is_verified_by_the_policies_in_it_or_by_keys_that_an_auditor_has(
    bank: Bank, tmp_path: Path
) -> None:
    bank.check()
    bank.approve_both()
    assert bank.organisation.mandate("ledger", "export", str(tmp_path / "copy")).exit_code == 0
    auditor = Organisation(tmp_path)
    shutil.copy(bank.folder / ".mandate/keys/signing.pub", tmp_path / "ledger.pub")
    verify = ("verify", "copy", "--key", "ledger.pub")
    shown = auditor.mandate(*verify)
    assert (shown.exit_code, PEOPLE in shown.out) == (0, True)
    mira, tomas = (public(tmp_path, each.name, each.public) for each in (bank.mira, bank.tomas))
    shown = auditor.mandate(*verify, "--signer", mira, "--signer", tomas)
    assert (shown.exit_code, PEOPLE in shown.out) == (0, False)
    shown = auditor.mandate(*verify, "--signer", mira)
    unknown = f"it is signed by an unknown key, {bank.tomas.keyid}"
    assert (shown.exit_code, unknown in shown.out) == (3, True)


def test_what_was_signed_counts_after_the_ledger_and_its_policies_are_restored(
    bank: Bank, tmp_path: Path
) -> None:
    bank.check()
    bank.approve_both()
    assert bank.organisation.mandate("ledger", "export", str(tmp_path / "copy")).exit_code == 0
    for lost in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (bank.folder / ".mandate" / lost).unlink(missing_ok=True)
    shutil.rmtree(bank.folder / ".mandate/policies")
    restored = bank.organisation.mandate("ledger", "import", str(tmp_path / "copy"))
    assert restored.exit_code == 0, restored.out + restored.err
    assert bank.check()["outcome"] == "allow"
    assert bank.organisation.mandate("ledger", "verify").exit_code == 0
