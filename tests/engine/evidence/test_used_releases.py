"""The ledger says which release was the newest that decided, of each key."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from mandate import composition
from mandate.engine import configuration
from mandate.engine.errors import NotRecorded
from mandate.engine.evidence import used_releases
from mandate.engine.evidence.predicates.policy_release import PolicyReleasePredicate, SignedRelease
from tests.organisation import founded

USED = [
    ("sha256:a", None),
    ("sha256:b", (3, "SHA256:ours")),
    ("sha256:c", (9, "SHA256:theirs")),
    ("sha256:d", (4, "SHA256:ours")),
    ("sha256:b", (2, "SHA256:ours")),
]


def test_the_highest_number_of_a_key_is_its_newest_whenever_it_was_stated(tmp_path: Path) -> None:
    founded(tmp_path)
    settings = configuration.load(tmp_path / "mandate.yaml", environment={})
    with ExitStack() as stack:
        recorder = composition.recorder(settings, stack)
        log = stack.enter_context(composition.opened(settings))
        keys = composition.public_keys(settings)
        assert used_releases.newest(log, keys, keyid="SHA256:ours") is None
        for revision, release in USED:
            signed = None if release is None else SignedRelease(number=release[0], keyid=release[1])
            said = {"revision": revision, "bundleSha256": "0" * 64, "release": signed, "by": "ada"}
            recorder.event(PolicyReleasePredicate, **said)
        newest = {
            keyid: used_releases.newest(log, keys, keyid=keyid)
            for keyid in ("SHA256:ours", "SHA256:theirs", "SHA256:nobodys")
        }
        with pytest.raises(NotRecorded, match="entry is not what was recorded"):
            used_releases.newest(log, {}, keyid="SHA256:ours")
    assert newest == {
        "SHA256:ours": (4, "sha256:d"),
        "SHA256:theirs": (9, "sha256:c"),
        "SHA256:nobodys": None,
    }


def test_every_page_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(used_releases, "MOST", 2)
    test_the_highest_number_of_a_key_is_its_newest_whenever_it_was_stated(tmp_path)
