"""A bundle carries its sources: the same policies can be read back from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mandate.engine.errors import BadPolicy
from mandate.engine.policy import archive, bundle, contents
from mandate.engine.policy.build import build
from mandate.engine.policy.sources import FORMAT, MAX_BYTES, MAX_FILES, Kind, read

from .conftest import FILES, RULE, write

BANK = {
    "mandate/rules/acme/parity/parity.rego": RULE.replace("rules.fairness", "rules.acme"),
    "thresholds/fairness.yaml": "parity: {models: {crédit: 0.02}}\n",
}


@pytest.fixture
def roots(library: Path, tmp_path: Path) -> list[Path]:
    """The library, a folder that sets nothing, and one with a rule."""
    (tmp_path / "empty").mkdir()
    return [library, tmp_path / "empty", write(tmp_path / "bank", BANK)]


@pytest.fixture
def released(roots: list[Path], opa: Path, tmp_path: Path) -> Path:
    """The bundle of these roots, as release 3."""
    file = tmp_path / "bundle.tar.gz"
    file.write_bytes(archive.pack(build(read(roots), opa=opa, release=3)))
    return file


def test_a_stored_bundle_carries_what_decides(roots: list[Path], opa: Path, store: Path) -> None:
    compiled = bundle.compile(roots, opa=opa, store=store)
    assert compiled.sources == read(roots).deciding
    assert compiled.sources.revision == compiled.revision


def test_a_released_bundle_carries_the_tests_too(roots: list[Path], released: Path) -> None:
    carried = contents.parsed(released.read_bytes())
    assert carried.sources == read(roots)
    assert (carried.release, carried.signed) == (3, False)
    assert carried.revision == read(roots).revision


def test_a_bundle_stands_for_the_roots_that_it_was_made_of(
    roots: list[Path], released: Path, opa: Path, store: Path, tmp_path: Path
) -> None:
    of_folders = bundle.compile(roots, opa=opa, store=tmp_path / "other")
    of_bundle = bundle.compile([released], opa=opa, store=store)
    assert of_bundle.revision == of_folders.revision
    assert of_bundle.path.read_bytes() == of_folders.path.read_bytes()
    assert of_bundle.thresholds["fairness"]["parity"]["models"]["crédit"] == {
        "value": 0.02,
        "set_at": "organisation-2/thresholds/fairness.yaml:1",
    }


def test_a_bundle_beside_a_folder_is_refused(roots: list[Path], released: Path) -> None:
    with pytest.raises(BadPolicy) as raised:
        read([released, roots[2]])
    assert str(raised.value) == (
        f"{released}: it is not a folder, and a bundle stands alone. "
        "Name folders of policies, or one bundle, which carries all its layers."
    )


def changed(released: Path, **values: Any) -> bytes:
    """The bundle with other sources."""
    entries = archive.unpack(released.read_bytes())
    carried = json.loads(entries["sources.json"])
    return archive.pack({**entries, "sources.json": json.dumps({**carried, **values}).encode()})


def fault(content: bytes) -> str:
    with pytest.raises(BadPolicy) as raised:
        contents.parsed(content)
    return str(raised.value)


@pytest.mark.parametrize(
    "texts",
    [[[]], [{"mandate/main/main.rego": 1}], [None], "roots", 1, {"mandate/main/main.rego": ""}],
    ids=str,
)
def test_what_are_no_sources_is_refused(texts: Any, released: Path) -> None:
    assert fault(changed(released, roots=texts)).startswith("sources.json: these are no sources of a bundle.")


def test_no_sources_are_not_those_of_the_manifest(released: Path) -> None:
    assert fault(changed(released, roots=[])).startswith(".manifest: its manifest is not that of its sources")


@pytest.mark.parametrize(
    "path",
    [
        "../a.rego",
        "mandate/lib/../../../../a.rego",
        "/etc/a.rego",
        "mandate//lib/a.rego",
        "mandate/.hidden/a.rego",
        "mandate/lib/a\n.rego",
        "mandate/lib/a\x00.rego",
        "README.md",
        "checks/a.rego",
        "",
    ],
)
def test_a_path_that_no_folder_of_policies_has_is_refused(path: str, released: Path) -> None:
    assert fault(changed(released, roots=[{path: ""}])) == (
        f"{path}: a bundle does not carry such a file. Make the bundle with `mandate policy bundle`."
        if path
        else "a bundle does not carry such a file. Make the bundle with `mandate policy bundle`."
    )


def test_a_file_that_is_too_large_is_refused(released: Path) -> None:
    text = "#" * (MAX_BYTES + 1)
    assert "a bundle does not carry such a file" in fault(changed(released, roots=[{"scope.yaml": text}]))


def test_too_many_files_are_refused(released: Path) -> None:
    texts = {f"thresholds/{number}.yaml": "" for number in range(MAX_FILES + 1)}
    assert fault(changed(released, roots=[texts])) == (
        "there are 5,001 files of policies, and at most 5,000 are taken. Remove some."
    )


def test_sources_that_are_not_json_are_refused(released: Path) -> None:
    entries = archive.unpack(released.read_bytes())
    for broken in (b"", b"{", b'{"roots": [], "roots": []}', b"[]"):
        assert "these are no sources" in fault(archive.pack({**entries, "sources.json": broken}))
    del entries["sources.json"]
    assert fault(archive.pack(entries)).startswith("sources.json: the bundle does not carry its sources.")


MANIFESTS: Mapping[str, Any] = {
    "other roots": {"roots": ["mandate", "system"]},
    "all roots": {"roots": [""]},
    "another revision": {"revision": "sha256:" + "0" * 64},
    "another version of Rego": {"rego_version": 0},
    "a release that is no number": {"metadata": {"mandate": {"release": "3"}}},
    "a release that is true": {"metadata": {"mandate": {"release": True}}},
    "a release of zero": {"metadata": {"mandate": {"release": 0}}},
    "more metadata": {"metadata": {"mandate": {"release": 3}, "other": 1}},
    "a Wasm module": {"wasm": [{"entrypoint": "mandate/main/decision", "module": "/policy.wasm"}]},
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_another_manifest_is_refused(name: str, released: Path) -> None:
    entries = archive.unpack(released.read_bytes())
    manifest = {**json.loads(entries[".manifest"]), **MANIFESTS[name]}
    revision = contents.parsed(released.read_bytes()).revision
    for written in (json.dumps(manifest).encode(), b"", b"[]"):
        assert fault(archive.pack({**entries, ".manifest": written})) == (
            f".manifest: its manifest is not that of its sources, whose revision is {revision}. "
            "Get the file again, or make it with `mandate policy bundle`."
        )


def test_the_sources_of_another_format_keep_their_revision(released: Path) -> None:
    entries = archive.unpack(released.read_bytes())
    older = json.loads(entries["sources.json"]) | {"format": FORMAT - 1}
    manifest = json.loads(entries[".manifest"])
    refused = fault(archive.pack({**entries, "sources.json": json.dumps(older).encode()}))
    manifest["revision"] = "sha256:" + refused.partition("sha256:")[2][:64]
    carried = contents.parsed(
        archive.pack(
            {
                **entries,
                "sources.json": json.dumps(older).encode(),
                ".manifest": contents._manifest(manifest["revision"], 3),
            }
        )
    )
    assert carried.sources.format == FORMAT - 1
    assert carried.sources.files == contents.parsed(released.read_bytes()).sources.files
    assert carried.revision != contents.parsed(released.read_bytes()).revision


def test_a_test_that_is_not_text_is_not_released(library: Path, opa: Path) -> None:
    (library / "mandate/testing/data.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(BadPolicy) as raised:
        build(read([library]), opa=opa)
    assert str(raised.value) == ("mandate/testing/data.json: the file is not UTF-8 text. Save it as UTF-8.")


def test_every_kind_of_file_is_carried(released: Path) -> None:
    kinds = {source.kind for source in read([released]).files}
    assert kinds == {Kind.REGO, Kind.YAML, Kind.TEST}
    assert sum(source.root == 0 for source in read([released]).files) == len(FILES)
