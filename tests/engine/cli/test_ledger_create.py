"""`mandate ledger create`, `grant` and `migrate`, with decisions recorded in a real PostgreSQL."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.organisation import FIRST, GOOD, Organisation, founded
from tests.postgresql import Server


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    """An organisation whose ledger is a file."""
    return founded(tmp_path, trusting=True)


@pytest.fixture
def url(postgresql_server: Server) -> Iterator[str]:
    """An empty database, as its owner reaches it."""
    with postgresql_server.database() as url:
        yield url


def use(organisation: Organisation, url: str, user: str) -> None:
    """Set ledger.url in mandate.yaml."""
    file = organisation.folder / "mandate.yaml"
    url = url.replace("user=postgres", f"user={user}")
    file.write_text(file.read_text().replace("  path: .mandate/ledger.db\n", f"  url: {url}\n"))


def test_a_shared_ledger_without_what_talks_to_it_is_2(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    use(organisation, "postgresql://gate@db.bank.example/mandate", "gate")
    ran = organisation.mandate("ledger", "verify")
    assert (ran.exit_code, ran.err) == (
        2,
        "error: postgresql://gate@db.bank.example/mandate: what talks to PostgreSQL is not installed\n"
        "  → Run `pip install 'mandate[postgresql]'`\n",
    )


def test_a_shared_ledger_is_made_by_its_owner_and_used_by_a_writer_and_an_auditor(
    organisation: Organisation, url: str, postgresql_server: Server
) -> None:
    writer, auditor = postgresql_server.role(), postgresql_server.role()
    roles = ("--writer", writer, "--auditor", auditor)
    made = organisation.mandate("ledger", "create", "--url", url, *roles)
    where = url.partition("?")[0]
    assert (made.exit_code, made.out, made.err) == (
        0,
        f"created bank.example/models in {where}\n"
        f"{writer} may append and read, and no more\n"
        f"{auditor} may read, and no more\n",
        "",
    )
    use(organisation, url, writer)
    assert organisation.check(GOOD).json["ledger"]["index"] == FIRST
    assert [entry["kind"].split("/")[-2] for entry in organisation.entries()] == [
        "opening",
        "policy-release",
        "decision",
    ]
    assert organisation.mandate("ledger", "verify").exit_code == 0
    assert organisation.mandate("explain", str(FIRST)).exit_code == 0
    doctor = organisation.mandate("doctor").out
    assert (
        f"3 entries of bank.example/models in {where}"
        " (PostgreSQL, fsync on, full_page_writes on, synchronous_commit on)"
    ) in doctor
    read_only = f"ledger.url={url.replace('user=postgres', f'user={auditor}')}"
    assert organisation.mandate("ledger", "verify", "--set", read_only).exit_code == 0
    refused = organisation.check(GOOD, "--set", read_only)
    assert (refused.exit_code, refused.json["outcome"], refused.json["ledger"]) == (3, "undecided", None)
    assert "the role may not do this" in refused.json["reasons"][0]


def test_roles_are_granted_later_too(organisation: Organisation, url: str, postgresql_server: Server) -> None:
    role = postgresql_server.role()
    assert organisation.mandate("ledger", "create", "--url", url).exit_code == 0
    use(organisation, url, "postgres")
    assert organisation.mandate("ledger", "grant", "--writer", role).out == (
        f"{role} may append and read, and no more\n"
    )
    assert organisation.mandate("ledger", "grant", "--auditor", role).out == f"{role} may read, and no more\n"
    assert organisation.mandate("ledger", "grant").exit_code == 2
    assert organisation.mandate("ledger", "migrate").out == "The ledger has this version's form already.\n"


def test_an_empty_ledger_waits_for_an_import(organisation: Organisation, url: str) -> None:
    assert organisation.mandate("ledger", "create", "--url", url, "--empty").exit_code == 0
    use(organisation, url, "postgres")
    assert organisation.entries() == []


def test_a_ledger_is_made_as_the_file_that_the_settings_name(organisation: Organisation) -> None:
    (organisation.folder / ".mandate/ledger.db").unlink()
    made = organisation.mandate("ledger", "create")
    assert (made.exit_code, made.out) == (
        0,
        f"created bank.example/models in {organisation.folder}/.mandate/ledger.db\n",
    )
    assert [entry["index"] for entry in organisation.entries()] == [0]
    again = organisation.mandate("ledger", "create")
    assert (again.exit_code, "never overwritten" in again.err) == (2, True)


def test_a_ledger_that_is_there_is_kept(organisation: Organisation, url: str) -> None:
    assert organisation.mandate("ledger", "create", "--url", url).exit_code == 0
    again = organisation.mandate("ledger", "create", "--url", url)
    assert again.exit_code == 2
    assert "there is a schema mandate already" in again.err


def test_without_a_signing_key_no_ledger_is_made(organisation: Organisation, url: str) -> None:
    (organisation.folder / ".mandate/keys/signing.pem").unlink()
    assert organisation.mandate("ledger", "create", "--url", url).exit_code == 2
    shown = organisation.mandate("ledger", "show", "--set", f"ledger.url={url}")
    assert (shown.exit_code, "there is no ledger in this database" in shown.err) == (3, True)


@pytest.mark.parametrize(
    "arguments", [("create", "--writer", "a"), ("grant", "--auditor", "a"), ("migrate",)]
)
def test_a_file_has_no_roles(organisation: Organisation, arguments: tuple[str, ...]) -> None:
    refused = organisation.mandate("ledger", *arguments)
    assert refused.exit_code == 2
    assert "this ledger is a file, which has no roles" in refused.err


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://mandate:secret@db.bank.example/mandate",
        "postgresql://db.bank.example/mandate?user=mandate&password=secret",
        "postgresql://db.bank.example/mandate?password=",
    ],
)
def test_a_password_is_neither_a_setting_nor_an_argument(organisation: Organisation, url: str) -> None:
    setting = organisation.mandate("ledger", "show", "--set", f"ledger.url={url}")
    assert setting.exit_code == 2
    assert "ledger.url: a password does not belong into settings; the file that PGPASSFILE names has it" in (
        setting.err
    )
    argument = organisation.mandate("ledger", "create", "--url", url)
    assert argument.exit_code == 2
    assert "put the password into the file that PGPASSFILE names" in " ".join(argument.err.split())
    assert "secret" not in setting.err + argument.err


def test_another_database_is_refused(organisation: Organisation) -> None:
    refused = organisation.mandate("ledger", "create", "--url", "mysql://db.bank.example/mandate")
    assert (refused.exit_code, "it does not begin with postgresql://" in refused.err) == (2, True)
