"""README.md of an export, done step by step: every command of it, in one shell, in a real export."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exporting import exported, files, grow, organisation

_FENCE = re.compile(r"^```sh\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_TOLD = (
    # What each command says, in their order. Cosign speaks on standard error.
    r"keys/SHA256-[\w-]{43}\.pub is SHA256:[\w/+]{43}\n",
    "",
    "",
    r"Signature Verified Successfully\nby keys/SHA256-[\w-]{43}\.vkey\n",
    r"the root is right\n",
    "",
    r"Signature Verified Successfully\n",
    r'\{\n  "type": "https://mandate\.dev/attestations/opening/v1",\n[^}]*.*\n\}\n',
    "",
    r"((left|right) [\w+/]{43}=\n)+[\w+/]{43}=\nthe entry is in the log\n",
    r"[0-9a-f]{64}  snapshots/000000000304\.json\n",
    "",
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of 305 entries, two of them decisions."""
    decided = organisation(tmp_path_factory.mktemp("decided"))
    grow(decided, 300)
    exported(decided, "export")
    return decided.folder / "export"


@pytest.fixture
def export(whole: Path, tmp_path: Path) -> Path:
    """A copy, to be changed."""
    shutil.copytree(whole, tmp_path / "export")
    return tmp_path / "export"


def commands(readme: Path, scratch: Path) -> Iterator[str]:
    for match in _FENCE.finditer(readme.read_text(encoding="utf-8")):
        yield match["body"].replace("/tmp/check", str(scratch))


def run(export: Path, *scripts: str, cosign: Path | None = None) -> subprocess.CompletedProcess[str]:
    path = f"{cosign.parent}:{os.environ['PATH']}" if cosign else os.environ["PATH"]
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(scripts)],
        cwd=export,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("index", [0, 3, 256, 304])
def test_every_command_does_what_the_readme_says(
    export: Path, tmp_path: Path, cosign: Path, index: int
) -> None:
    every = [
        command.replace("INDEX=0", f"INDEX={index}")
        for command in commands(export / "README.md", tmp_path / "check")
    ]
    before = files(export)
    ran = run(export, *(f"{command}\necho =====" for command in every), cosign=cosign)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("Verified OK") == 1
    said = ran.stdout.split("=====\n")[:-1]
    for told, words in zip(_TOLD, said, strict=True):
        if "opening" not in told or index == 0:
            assert re.fullmatch(told, words, re.DOTALL), words
    assert files(export) == before


def test_the_commands_find_what_was_changed(export: Path, tmp_path: Path) -> None:
    every = list(commands(export / "README.md", tmp_path / "check"))
    prepare, digests, head, root = every[1:5]
    checks = {"digests": digests, "head": head, "root": root}
    for name, change, broken in (
        ("entries/000000/000000000256-000000000303.jsonl", b'"payload":"e', ("digests", "root")),
        ("checkpoint", b"\n305\n", ("head", "root")),
        ("tile/entries/000", b"\x00\x20", ("digests",)),
    ):
        content = (export / name).read_bytes()
        assert change in content
        (export / name).write_bytes(content.replace(change, change[:-1] + bytes([change[-1] ^ 1]), 1))
        for check, command in checks.items():
            ran = run(export, prepare, command)
            assert (ran.returncode != 0) == (check in broken), (name, check, ran.stdout, ran.stderr)
        (export / name).write_bytes(content)
