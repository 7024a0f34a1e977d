"""What the documents and messages name exists: files, commands, targets of make."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from mandate.engine.cli import cli

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/README.md"), ROOT / "opa/README.md")
)
SOURCES = sorted((ROOT / "mandate").rglob("*.py"))
_PATH = re.compile(r"`((?:mandate|tests|policies|opa|schemas|examples|requirements)/[\w./-]+)`")
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)[^)]*\)")
_COMMAND = re.compile(r"(?:`|^ {4}|\n {2}|Next: )mandate ([a-z]+)(?: ([a-z]+)\b)?", re.MULTILINE)
_TARGET = re.compile(r"(?:`|^ {4})make ([a-z]+)", re.MULTILINE)


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_file_that_a_document_names_is_there(document: Path) -> None:
    text = document.read_text()
    # A file is named from the top, or from where the document stands.
    named = [path for path in _PATH.findall(text) if not (ROOT / path).exists()]
    strangers = [*named, *_LINK.findall(text)]
    assert [path for path in strangers if not (document.parent / path).exists()] == []


@pytest.mark.parametrize("file", [*DOCUMENTS, *SOURCES], ids=name_of)
def test_every_command_that_is_named_is_one(file: Path) -> None:
    context = click.Context(cli)
    strangers = []
    for name, below in _COMMAND.findall(file.read_text()):
        command = cli.get_command(context, name)
        if command is None or (
            isinstance(command, click.Group) and below and not command.get_command(context, below)
        ):
            strangers.append(f"mandate {name} {below}")
    assert strangers == []


def test_every_target_of_make_that_is_named_is_one() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for document in DOCUMENTS for target in _TARGET.findall(document.read_text())}
    assert {"demo", "test"} <= named <= targets
