"""Where an OPA to start is looked for."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from mandate.engine.errors import OpaUnavailable
from mandate.engine.opa import places
from mandate.engine.opa.locate import find_opa, version


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home in which nothing was built, and no `opa` on PATH."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path


def put(program: Path, place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(program)
    return place


def test_the_configured_opa_comes_first(home: Path, opa: Path) -> None:
    put(opa, places.program("opa"))
    configured = put(opa, home / "mine")
    assert find_opa(configured) == configured


def test_a_configured_opa_that_is_not_there_is_not_replaced_by_another(home: Path, opa: Path) -> None:
    put(opa, places.program("opa"))
    with pytest.raises(OpaUnavailable, match="no program at the configured path"):
        find_opa(home / "mine")


def test_the_built_opa_comes_before_the_one_on_path(home: Path, opa: Path) -> None:
    put(opa, home / "bin" / "opa")
    built = put(opa, places.program("opa"))
    assert built == home / "data" / "mandate" / "opa-1.22.2" / "opa"
    assert find_opa() == built


def test_a_good_opa_on_path_serves(home: Path, opa: Path) -> None:
    on_path = put(opa, home / "bin" / "opa")
    assert find_opa() == on_path


def test_a_refused_opa_on_path_does_not_serve(home: Path, opa_1_20_0: Path) -> None:
    put(opa_1_20_0, home / "bin" / "opa")
    with pytest.raises(OpaUnavailable, match=r"OPA 1\.20\.0 is refused.*Run `mandate opa install`"):
        find_opa()


def test_the_version_on_path_is_asked_once_for_each_state_of_the_file(
    home: Path, opa: Path, opa_1_20_0: Path
) -> None:
    on_path = home / "bin" / "opa"
    shutil.copy2(opa, on_path)
    assert find_opa() == on_path
    memory = home / "data" / "mandate" / "versions-on-path.json"
    remembered = memory.stat().st_mtime_ns
    assert find_opa() == on_path
    assert memory.stat().st_mtime_ns == remembered
    fresh = home / "bin" / "fresh"
    shutil.copy2(opa_1_20_0, fresh)
    fresh.replace(on_path)
    with pytest.raises(OpaUnavailable, match=r"OPA 1\.20\.0 is refused"):
        find_opa()


@pytest.mark.parametrize("content", ["", "[]", '{"state": 1}', "\x00"])
def test_a_damaged_memory_is_forgotten(home: Path, opa: Path, content: str) -> None:
    on_path = put(opa, home / "bin" / "opa")
    memory = home / "data" / "mandate" / "versions-on-path.json"
    memory.parent.mkdir(parents=True)
    memory.write_text(content)
    assert find_opa() == on_path


def test_a_memory_that_cannot_be_written_is_done_without(
    home: Path, opa: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "file"))
    on_path = put(opa, home / "bin" / "opa")
    assert find_opa() == on_path


def test_no_opa_at_all_says_how_to_get_one() -> None:
    with pytest.raises(OpaUnavailable) as missing:
        find_opa()
    assert missing.value.what == "there is no OPA on this machine"
    assert missing.value.next_step == "Run `mandate opa install`, which builds OPA 1.22.2"


@pytest.mark.parametrize("program", ["true", "false", "cat"])
def test_a_program_that_is_no_opa_is_refused(program: str) -> None:
    with pytest.raises(OpaUnavailable, match="does not say which version of OPA it is"):
        version(Path("/bin") / program)


def test_a_relative_data_home_is_ignored(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "data")
    monkeypatch.setenv("HOME", str(home))
    assert places.folder("regal") == home / ".local" / "share" / "mandate" / "regal-0.35.1"
    assert os.environ["XDG_DATA_HOME"] == "data"
