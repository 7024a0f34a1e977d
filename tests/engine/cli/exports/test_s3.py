"""A ledger is exported to a real S3 server with object lock, which then lets nobody take it away."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mandate.engine.errors import BadConfiguration, MandateError
from mandate.engine.evidence.export import places
from mandate.engine.evidence.export import s3 as exports
from tests.exporting import LEDGER, copy, exported, grow, lose, organisation, restored, rows
from tests.organisation import Organisation
from tests.s3_fixtures import ACCESS, S3, SECRET

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """Its ledger has 304 entries."""
    made = organisation(tmp_path_factory.mktemp("decided"))
    grow(made, 300)
    return made


@pytest.fixture
def exporter(decided: Organisation, tmp_path: Path) -> Organisation:
    """The organisation, which exports."""
    return copy(decided, tmp_path / "exporter")


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As the AWS tools take them, and nothing of the developer's own."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


def objects(s3: S3, bucket: str) -> list[dict[str, Any]]:
    """All versions in a bucket, and the marks of those that were removed."""
    found = s3.client.list_object_versions(Bucket=bucket)
    assert not found["IsTruncated"]
    return [*found.get("Versions", ()), *found.get("DeleteMarkers", ())]


def test_a_destroyed_ledger_is_restored_from_a_locked_bucket(s3: S3, exporter: Organisation) -> None:
    url = s3.url(s3.bucket("whole"))
    answer = exported(exporter, url, "--retain-days", "3650").json
    assert (answer["destination"], answer["size"], answer["recorded"]) == ("s3://whole/ledger", 305, 304)
    until = datetime.fromisoformat(answer["retain_until"])
    assert timedelta(days=3649) < until - datetime.now(UTC) <= timedelta(days=3650)
    before = rows(exporter.folder / LEDGER)

    stored = objects(s3, "whole")
    again = exported(exporter, url, "--retain-days", "3650").json
    assert (again["added"], again["files"], again["recorded"]) == (0, 0, None)
    assert objects(s3, "whole") == stored

    lose(exporter)
    back = restored(exporter, url)
    assert back.exit_code == 0
    assert back.json["root"] == answer["root"]
    assert rows(exporter.folder / LEDGER) == before


def test_nobody_can_remove_or_replace_what_is_locked(s3: S3, exporter: Organisation) -> None:
    url = s3.url(s3.bucket("locked"))
    exported(exporter, url, "--retain-days", "1")
    stored = objects(s3, "locked")
    for each in stored:
        with pytest.raises(ClientError, match="Access Denied because object protected by object lock"):
            s3.client.delete_object(Bucket="locked", Key=each["Key"], VersionId=each["VersionId"])
        retention = s3.client.get_object_retention(
            Bucket="locked", Key=each["Key"], VersionId=each["VersionId"]
        )["Retention"]
        assert retention["Mode"] == "COMPLIANCE"
        assert retention["RetainUntilDate"] > datetime.now(UTC) + timedelta(hours=23)
        with pytest.raises(ClientError):
            s3.client.put_object_retention(
                Bucket="locked",
                Key=each["Key"],
                VersionId=each["VersionId"],
                Retention={"Mode": "COMPLIANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(minutes=1)},
            )
    assert objects(s3, "locked") == stored

    # What S3 lets anybody do: put another version on top, or a mark that it was removed. Neither is believed.
    for each in stored:
        s3.client.put_object(Bucket="locked", Key=each["Key"], Body=b"forged")
        if each["Key"] != "ledger/checkpoint":  # this server lets nobody write upon such a mark; S3 does
            s3.client.delete_object(Bucket="locked", Key=each["Key"])
    before = rows(exporter.folder / LEDGER)
    grow(exporter, 10)
    answer = exported(exporter, url, "--retain-days", "1").json
    assert answer["added"] == 11
    lose(exporter)
    assert restored(exporter, url).json["entries"] == 316
    assert rows(exporter.folder / LEDGER)["envelopes"][:305] == before["envelopes"]


def test_what_was_locked_can_be_removed_after_its_date(s3: S3) -> None:
    """The server of the tests does keep the time: the test above shows something."""
    address = exports.Address.parse(s3.url(s3.bucket("short")))
    until = datetime.now(UTC) + timedelta(seconds=4)
    place = exports.Locked.to(s3.url("short"), until)
    assert place.add("keys/one.pub", b"one")
    assert not place.add("keys/one.pub", b"two")
    assert place.read("keys/one.pub") == b"one"
    (version,) = objects(s3, address.bucket)
    about = {"Bucket": "short", "Key": version["Key"], "VersionId": version["VersionId"]}
    with pytest.raises(ClientError, match="object lock"):
        s3.client.delete_object(**about)
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()) + 1.1)
    s3.client.delete_object(**about)
    assert objects(s3, address.bucket) == []
    place.close()


def test_what_somebody_else_put_there_first_is_refused(s3: S3, exporter: Organisation) -> None:
    s3.bucket("taken")
    s3.client.put_object(
        Bucket="taken", Key="ledger/entries/000000/000000000000-000000000255.jsonl", Body=b"{}\n"
    )
    refused = exporter.mandate("ledger", "export", s3.url("taken"), "--retain-days", "1")
    assert refused.exit_code == 3
    assert "is there already, and is not what belongs there" in refused.err


def test_of_two_who_add_at_once_one_is_first(s3: S3) -> None:
    s3.bucket("race")
    until = datetime.now(UTC) + timedelta(days=1)
    one, two = (exports.Locked.to(s3.url("race"), until) for _ in range(2))
    assert [place.names() for place in (one, two)] == [set(), set()]
    assert one.add("keys/one.pub", b"one")
    assert not two.add("keys/one.pub", b"two")
    assert two.read("keys/one.pub") == b"one"
    for place in (one, two):
        place.close()


def test_a_run_that_was_killed_goes_on(s3: S3, exporter: Organisation) -> None:
    s3.bucket("killed")
    url = s3.url("killed")
    for count in (5, 30):
        process = subprocess.Popen(
            [sys.executable, "-m", "mandate", "ledger", "export", url, "--retain-days", "1"],
            cwd=exporter.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while len(objects(s3, "killed")) < count and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        process.kill()
        process.wait()
        grow(exporter, 3)
    before = objects(s3, "killed")
    assert len(before) >= 30
    answer = exported(exporter, url, "--retain-days", "1").json
    kept = {(each["Key"], each["VersionId"]) for each in objects(s3, "killed")}
    assert {(each["Key"], each["VersionId"]) for each in before} <= kept
    keys = [key for key, _ in kept if key != "ledger/checkpoint"]
    assert len(keys) == len(set(keys))  # nothing was written twice
    lose(exporter)
    assert restored(exporter, url).json["entries"] == answer["size"]


@pytest.mark.parametrize(
    ("url", "code", "what"),
    [
        ("s3://gone/ledger", 2, "there is no such bucket"),
        ("s3://plain/ledger", 2, "the bucket has no object lock"),
        ("s3:///ledger", 2, "this is no address of a bucket"),
        ("s3://name/../up", 2, "this is no address of a bucket"),
        ("s3://user:secret@name", 2, "this is no address of a bucket"),
        ("s3://name/ledger?colour=blue", 2, "this is no address of a bucket"),
        ("s3://name/ledger?endpoint", 2, "this is no address of a bucket"),
        ("s3://name/ledger#part", 2, "this is no address of a bucket"),
        ("s3://[name/ledger", 2, "this is no address of a bucket"),
        ("s3://name/ledger?endpoint=nonsense", 2, "the store cannot be used"),
    ],
)
def test_a_bucket_that_cannot_hold_an_export_is_refused(
    s3: S3, exporter: Organisation, url: str, code: int, what: str
) -> None:
    if url.startswith("s3://plain"):
        s3.bucket("plain", lock=False)
    if "?" not in url and url.startswith(("s3://plain", "s3://gone")):
        url += f"?endpoint={s3.endpoint}"
    refused = exporter.mandate("ledger", "export", url, "--retain-days", "1")
    assert refused.exit_code == code
    assert what in refused.err
    assert "secret" not in refused.err.replace(url, "")
    assert len(rows(exporter.folder / LEDGER)["entries"]) == 304


def test_wrong_credentials_are_refused(
    s3: S3, exporter: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.bucket("credentials")
    for name, value, what in (
        ("AWS_SECRET_ACCESS_KEY", "another", "the store does not know these credentials"),
        ("AWS_ACCESS_KEY_ID", "nobody", "the store does not know these credentials"),
        ("AWS_ACCESS_KEY_ID", None, "there are no credentials for the store"),
    ):
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        if value is None:
            monkeypatch.delenv(name)
            monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        else:
            monkeypatch.setenv(name, value)
        refused = exporter.mandate("ledger", "export", s3.url("credentials"), "--retain-days", "1")
        assert refused.exit_code == 2
        assert what in refused.err
        assert SECRET not in refused.err


def test_a_server_that_goes_away_is_named_and_the_run_goes_on_later(
    s3: S3, exporter: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_TRIES", 1)
    s3.bucket("away")
    url = s3.url("away")
    s3.stop()
    try:
        refused = exporter.mandate("ledger", "export", url, "--retain-days", "1")
    finally:
        s3.start()
    assert refused.exit_code == 3
    assert "the store cannot be reached, or went away" in refused.err
    assert exported(exporter, url, "--retain-days", "1").json["size"] == 305


def test_how_long_it_is_locked_must_be_said(s3: S3, exporter: Organisation) -> None:
    s3.bucket("until")
    url = s3.url("until")
    for options, what in (
        ((), "until when what is exported must not be removed, nobody said"),
        (("--retain-until", "2020-01-01"), "2020-01-01T00:00:00+00:00 is past"),
        (
            ("--retain-until", "2036-01-01", "--retain-days", "3"),
            "--retain-days or --retain-until, and not both",
        ),
    ):
        refused = exporter.mandate("ledger", "export", url, *options)
        assert refused.exit_code == 2
        assert what in refused.err
    assert objects(s3, "until") == []
    refused = exporter.mandate("ledger", "export", "folder", "--retain-days", "3")
    assert refused.exit_code == 2
    assert "only a bucket with object lock keeps anybody from removing files" in refused.err
    shown = exporter.mandate("ledger", "export", url, "--retain-until", "2036-01-01")
    assert "nobody can change or remove what was added before 2036-01-01 00:00 UTC\n" in shown.out


def test_a_server_that_does_not_lock_is_found_out(s3: S3) -> None:
    """The bucket says that it has object lock, and the object says that it is not locked."""

    class Forgetful(exports.Locked):
        def _put(self, name: str, content: bytes, **condition: str) -> None:
            put = self._client.put_object(Bucket="forgetful", Key=f"ledger/{name}", Body=content)
            self._versions[name] = put["VersionId"]

    s3.bucket("forgetful")
    place = Forgetful.to(s3.url("forgetful"), datetime.now(UTC) + timedelta(days=1))
    place.finish()  # there is nothing yet
    assert place.add("snapshots/000000000001.json", b"{}")
    with pytest.raises(BadConfiguration, match="the bucket has no object lock"):
        place.finish()
    place.close()


def test_objects_that_are_no_files_of_an_export_are_not_read(s3: S3) -> None:
    s3.bucket("strange")
    for key in ("ledger/.hidden", "ledger/a b", "other/keys/one.pub"):
        s3.client.put_object(Bucket="strange", Key=key, Body=b"x")
    place = places.source(s3.url("strange"))
    assert set(place.names()) == set()
    with pytest.raises(MandateError, match=r"keys/one\.pub is not there"):
        place.read("keys/one.pub")
    place.close()


def test_an_object_that_is_too_large_is_not_read(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    from mandate.engine.evidence.export import layout

    monkeypatch.setattr(layout, "MAX_BYTES", 10)
    s3.bucket("large")
    s3.client.put_object(Bucket="large", Key="ledger/keys/one.pub", Body=b"x" * 11)
    place = places.source(s3.url("large"))
    with pytest.raises(MandateError, match="longer than a file of an export can be"):
        place.read("keys/one.pub")
    place.close()


def test_without_a_client_the_extra_is_named(exporter: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    refused = exporter.mandate("ledger", "export", "s3://bucket/ledger", "--retain-days", "1")
    assert refused.exit_code == 2
    assert "pip install 'mandate[s3]'" in refused.err
