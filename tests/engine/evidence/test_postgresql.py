"""What only a ledger in PostgreSQL has: roles, a server's settings, a server that goes away."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from mandate.engine.errors import BadConfiguration, NotRecorded
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.ledger import Place
from mandate.engine.evidence.sql import postgresql
from mandate.engine.evidence.sql.group import Refused
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.evidence.sql.postgresql import PostgresqlDatabase
from tests.postgresql import OBJECTS, Server, objects, text

from .conftest import ORIGIN
from .databases import PostgresqlHome
from .test_store import entry


@pytest.fixture
def home(postgresql_server: Server) -> Iterator[PostgresqlHome]:
    """A new ledger."""
    with postgresql_server.database() as url:
        home = PostgresqlHome(url)
        home.create(ORIGIN)
        yield home


@pytest.fixture
def url(home: PostgresqlHome) -> str:
    """The new ledger, as its owner reaches it."""
    return home.url


@pytest.fixture
def writer(url: str, postgresql_server: Server) -> str:
    """The same, as a writer reaches it."""
    role = postgresql_server.role()
    postgresql.grant(url, writer=role)
    return url.replace("user=postgres", f"user={role}")


@pytest.fixture
def auditor(url: str, postgresql_server: Server) -> str:
    """The same, as an auditor reaches it."""
    role = postgresql_server.role()
    postgresql.grant(url, auditor=role)
    return url.replace("user=postgres", f"user={role}")


@pytest.fixture
def filled(ledger: SqlLedger) -> SqlLedger:
    """Three entries and a witness's signature."""
    for number in range(3):
        ledger.append(entry(number))
    ledger.cosign(3, b"a line")
    return ledger


def test_new_ledger_has_the_guards_that_are_published(url: str) -> None:
    """If they changed: `python -m tests.postgresql`, and a new migration once this one is released."""
    assert text(objects(url)) == OBJECTS.read_text("utf-8")


def test_ledger_is_never_made_where_one_is(url: str) -> None:
    with pytest.raises(BadConfiguration) as error:
        postgresql.create(url, origin="other.example")
    assert error.value.what == "there is a schema mandate already"
    with closing(postgresql.open_for_reading(url)) as ledger:
        assert ledger.origin == ORIGIN


def test_role_that_does_not_exist_is_named_and_no_ledger_is_made(postgresql_server: Server) -> None:
    with postgresql_server.database() as url:
        with pytest.raises(NotRecorded, match=r'there is no such role \(role "nobody here" does not exist\)'):
            postgresql.create(url, origin=ORIGIN, writer="nobody here")
        with pytest.raises(NotRecorded, match="there is no ledger in this database"):
            postgresql.open_for_reading(url)
        with pytest.raises(NotRecorded, match="there is no ledger in this database"):
            postgresql.grant(url, auditor="nobody here")


TABLES = ("migrations", "ledger", "entries", "envelopes", "mentions", "nodes", "heads", "cosignatures")
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


def rights(url: str) -> dict[str, list[str]]:
    """What the role of the URL may do with each table, and with the schema."""
    with closing(psycopg.connect(url)) as connection:
        found = {
            table: [
                right
                for right in RIGHTS
                for (may,) in connection.execute(
                    "SELECT has_table_privilege(%s, %s)", (f"mandate.{table}", right)
                )
                if may
            ]
            for table in TABLES
        }
        found["the schema"] = [
            right
            for right in ("USAGE", "CREATE")
            for (may,) in connection.execute("SELECT has_schema_privilege('mandate', %s)", (right,))
            if may
        ]
    return found


def test_writer_may_append_and_read_and_no_more(
    writer: str, filled: SqlLedger, signer: SigningKey, home: PostgresqlHome
) -> None:
    assert rights(writer) == {
        **{table: ["SELECT", "INSERT"] for table in TABLES},
        "migrations": ["SELECT"],
        "ledger": ["SELECT"],
        "the schema": ["USAGE"],
    }
    with closing(postgresql.open_for_appending(writer, signer)) as ledger:
        assert ledger.append(entry(3)) == Place(3, 4, entry(3).id)
        ledger.cosign(4, b"a line")
        assert len(list(ledger.entries())) == filled.count() == 4
    assert list(filled.damage()) == []


def test_auditor_may_read_and_no_more(auditor: str, filled: SqlLedger, signer: SigningKey) -> None:
    assert rights(auditor) == {**{table: ["SELECT"] for table in TABLES}, "the schema": ["USAGE"]}
    with closing(postgresql.open_for_reading(auditor)) as ledger:
        assert list(ledger.entries()) == list(filled.entries())
        assert list(ledger.damage()) == []
    with closing(postgresql.open_for_appending(auditor, signer)) as ledger:
        with pytest.raises(NotRecorded, match="the role may not do this") as error:
            ledger.append(entry(3))
        assert error.value.next_step == "Ask the ledger's owner to grant it, see `mandate ledger grant`"


def test_rights_that_a_role_had_before_are_taken_away(
    url: str, writer: str, home: PostgresqlHome, postgresql_server: Server
) -> None:
    role = writer.rpartition("=")[2]
    home.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA mandate TO {role}")
    postgresql.grant(url, auditor=role)
    assert rights(writer)["entries"] == ["SELECT"]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "change", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}", "TRUNCATE {table} CASCADE"]
)
def test_owner_itself_cannot_change_what_is_there(
    home: PostgresqlHome, filled: SqlLedger, table: str, change: str
) -> None:
    column = {"migrations": "number", "ledger": "origin", "heads": "size", "cosignatures": "size"}.get(
        table, "position"
    )
    before = list(filled.entries())
    with pytest.raises(psycopg.errors.IntegrityError, match="the ledger is append-only"):
        home.execute(change.format(table=table, column=column))
    assert list(filled.entries()) == before
    assert list(filled.damage()) == []


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("INSERT INTO mentions VALUES (0, 'rule', 'x')", "under a signed head already"),
        ("INSERT INTO nodes VALUES (0, 1, '\\x' || repeat('00', 32))", "under a signed head already"),
    ],
)
def test_writer_cannot_lead_a_guard_to_a_table_of_its_own(
    writer: str, filled: SqlLedger, change: str, refusal: str
) -> None:
    """Names are looked up among a session's temporary tables first, unless somebody says otherwise."""
    assert filled.count() == 3
    change = change.replace("'\\x' || repeat('00', 32)", "decode(repeat('00', 32), 'hex')")
    with closing(PostgresqlDatabase(writer).opened()) as connection:
        connection.execute("CREATE TEMP TABLE heads (size bigint)")
        connection.execute("CREATE TEMP TABLE entries (position bigint, id text)")
        with pytest.raises(psycopg.errors.IntegrityError, match=refusal):
            connection.execute(change.replace("INTO ", "INTO mandate.").encode())


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            "ALTER TABLE entries DISABLE TRIGGER entries_append_only",
            "trigger entries_append_only, which guards or holds the entries, was changed",
        ),
        (
            "DROP TRIGGER heads_append ON heads",
            "trigger heads_append, which guards or holds the entries, is gone",
        ),
        (
            "CREATE OR REPLACE FUNCTION parts_append() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NEW; END'",
            "trigger envelopes_append, which guards or holds the entries, was changed",
        ),
        (
            "ALTER TABLE entries DROP CONSTRAINT entries_id_key",
            "constraint entries_id_key, which guards or holds the entries, is gone",
        ),
        (
            "ALTER TABLE entries ADD COLUMN remark text",
            "'column entries.remark' does not belong into a ledger",
        ),
        (
            "ALTER TABLE entries ALTER COLUMN subject DROP NOT NULL",
            "column entries.subject, which guards or holds the entries, was changed",
        ),
        (
            "CREATE RULE quiet AS ON INSERT TO heads DO INSTEAD NOTHING",
            "'rule quiet' does not belong into a ledger",
        ),
        ("CREATE VIEW shown AS SELECT 1", "'relation shown' does not belong into a ledger"),
        (
            "ALTER TABLE cosignatures SET UNLOGGED",
            "relation cosignatures, which guards or holds the entries, was changed",
        ),
        (
            "CREATE TABLE public.more () INHERITS (mandate.heads)",
            "relation heads, which guards or holds the entries, was changed",
        ),
        (
            "ALTER TABLE entries ENABLE ROW LEVEL SECURITY",
            "relation entries, which guards or holds the entries, was changed",
        ),
        (
            "CREATE POLICY few ON entries USING (position < 2)",
            "'policy few' does not belong into a ledger",
        ),
    ],
)
def test_changed_guard_is_found(home: PostgresqlHome, filled: SqlLedger, change: str, fault: str) -> None:
    filled.close()
    home.execute(change)
    found = list(filled.damage())
    home.execute("DROP TABLE IF EXISTS public.more")
    assert fault in found


def test_index_that_an_operator_adds_is_no_fault(home: PostgresqlHome, filled: SqlLedger) -> None:
    home.execute("CREATE INDEX by_subject ON entries (subject)")
    assert list(filled.damage()) == []


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_server_that_can_lose_what_it_acknowledges_takes_no_entries(
    url: str, signer: SigningKey, postgresql_server: Server, setting: str
) -> None:
    with postgresql_server.restarted(**{setting: "off"}):
        with pytest.raises(NotRecorded) as error:
            postgresql.open_for_appending(url, signer)
        with closing(postgresql.open_for_reading(url)) as ledger:
            assert ledger.count() == 0
    assert error.value.what == f"the server can lose what it acknowledges: {setting} is off"
    assert error.value.next_step == f"Set {setting} = on in the server's configuration"


@pytest.mark.parametrize(
    ("set_to", "used"), [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")]
)
def test_commits_are_synced_whatever_the_role_has_set(
    url: str, signer: SigningKey, home: PostgresqlHome, set_to: str, used: str
) -> None:
    home.execute(f"ALTER ROLE postgres SET synchronous_commit = {set_to}")
    try:
        with closing(postgresql.open_for_appending(url, signer)) as ledger:
            assert ledger.durability() == (
                f"PostgreSQL, fsync on, full_page_writes on, synchronous_commit {used}"
            )
    finally:
        home.execute("ALTER ROLE postgres RESET synchronous_commit")


def test_standby_takes_no_entries_and_can_be_verified(
    home: PostgresqlHome, filled: SqlLedger, signer: SigningKey, postgresql_server: Server
) -> None:
    with postgresql_server.standby() as standby:
        there = home.url.replace(str(postgresql_server.folder), str(standby.folder))
        with closing(postgresql.open_for_reading(there)) as ledger:
            assert list(ledger.entries()) == list(filled.entries())
            assert list(ledger.damage()) == []
        with pytest.raises(NotRecorded, match="this server is a standby, which takes no entries") as error:
            postgresql.open_for_appending(there, signer)
        assert error.value.next_step == "Point ledger.url to the primary"


def test_writer_whose_turn_does_not_come_is_not_recorded_in_time(
    home: PostgresqlHome, ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.close()
    monkeypatch.setattr(postgresql, "_BUSY_MILLISECONDS", 100)
    other = PostgresqlDatabase(home.url)
    with closing(other.opened()) as connection:
        with other.transaction(connection), pytest.raises(NotRecorded) as error:
            ledger.append(entry(0))
        assert (error.value.what, error.value.next_step) == (
            "another process holds the ledger (canceling statement due to lock timeout)",
            "Ask again; end the process that holds it",
        )
        assert ledger.count() == 0
    assert ledger.append(entry(0)).index == 0


def test_role_that_is_not_let_in_is_told_what_to_look_at(url: str) -> None:
    with pytest.raises(NotRecorded) as error:
        postgresql.open_for_reading(url.replace("user=postgres", "user=stranger"))
    assert 'role "stranger" does not exist' in error.value.what


def test_database_that_is_not_there_is_named(url: str, signer: SigningKey) -> None:
    with pytest.raises(NotRecorded, match='database "gone" does not exist'):
        postgresql.open_for_appending("postgresql:///gone?" + url.partition("?")[2], signer)


def test_server_that_is_not_there_is_not_recorded(signer: SigningKey) -> None:
    with pytest.raises(NotRecorded) as error:
        postgresql.open_for_appending("postgresql:///x?host=/nowhere", signer)
    assert error.value.what.startswith("the database cannot be reached, or went away (")
    assert error.value.next_step == "Check ledger.url and that the server runs, then ask again"


def test_text_that_the_database_cannot_keep_is_refused(ledger: SqlLedger) -> None:
    bad = replace(entry(0), columns=replace(entry(0).columns, subject="a\0b"))
    with pytest.raises(Refused) as error:
        ledger.append(bad)
    assert error.value.next_step == "Look for a NUL character in a name"
    assert ledger.append(entry(0)).index == 0


def test_text_that_an_index_cannot_take_is_refused(ledger: SqlLedger) -> None:
    """An index takes 2,704 bytes, and text is compressed: this is not."""
    digits = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(200))
    bad = replace(entry(0), columns=replace(entry(0).columns, model=digits))
    with pytest.raises(Refused, match="the database cannot keep a name that is so long"):
        ledger.append(bad)
    assert ledger.append(entry(0)).index == 0


def test_error_that_nobody_expects_is_no_lost_connection(home: PostgresqlHome, ledger: SqlLedger) -> None:
    home.execute(
        "CREATE FUNCTION strange() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE EXCEPTION 'strange' USING ERRCODE = '99999'; END $$"
    )
    home.execute("CREATE TRIGGER strange BEFORE INSERT ON entries EXECUTE FUNCTION strange()")
    with pytest.raises(NotRecorded) as error:
        ledger.append(entry(0))
    assert (type(error.value), error.value.what) == (NotRecorded, "the ledger cannot be used (strange)")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_server_that_was_restarted_is_reached_again(
    ledger: SqlLedger, postgresql_server: Server, how: signal.Signals
) -> None:
    assert ledger.append(entry(0)).index == 0
    postgresql_server.stop(how)
    with pytest.raises(NotRecorded, match="cannot be reached, or went away"):
        ledger.append(entry(1))
    postgresql_server.start()
    assert ledger.append(entry(1)).index == 1
    postgresql_server.stop(how)
    postgresql_server.start()
    assert ledger.append(entry(2)) == Place(2, 3, entry(2).id)  # the connection was lost: made anew, once
    assert list(ledger.damage()) == []


def test_ledger_of_a_newer_mandate_is_left_alone(home: PostgresqlHome, signer: SigningKey) -> None:
    home.tamper("INSERT INTO migrations VALUES (2)")
    with pytest.raises(NotRecorded, match=r"a newer Mandate made this ledger \(version 2;"):
        postgresql.open_for_appending(home.url, signer)


def test_older_ledger_is_migrated_by_its_owner_and_nobody_else(
    url: str, signer: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = "CREATE TABLE remarks (remark text);\nINSERT INTO migrations (number) VALUES (2);\n"
    monkeypatch.setattr(postgresql, "_MIGRATIONS", (*postgresql._MIGRATIONS, second))
    with pytest.raises(NotRecorded) as error:
        postgresql.open_for_appending(url, signer)
    assert (error.value.what, error.value.next_step) == (
        "an older Mandate made this ledger (version 1)",
        "Run `mandate ledger migrate`, as the database's owner",
    )
    assert [postgresql.migrate(url), postgresql.migrate(url)] == [1, 0]
    with closing(postgresql.open_for_appending(url, signer)) as ledger:
        assert ledger.append(entry(0)).index == 0


def test_location_never_tells_a_password() -> None:
    assert PostgresqlDatabase("postgresql://me:secret@host:1/db?sslmode=require").location == (
        "postgresql://me@host:1/db"
    )
