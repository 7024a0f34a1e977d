from __future__ import annotations

from pathlib import Path

import pytest

from mandate.collectors.documentation import DocumentationCollector, Options
from mandate.engine.errors import BadInput, SourceMissing
from mandate.engine.input.gathering import Gathered
from mandate.engine.input.registered import CardSection, Documentation
from mandate.sources import VersionSources
from tests.collectors.local_sources import TARGET, local
from tests.mlflow_fixtures import Store


def sections(tmp_path: Path, text: str) -> list[tuple[str, int]]:
    (tmp_path / "card.md").write_text(text)
    gathered = DocumentationCollector(Options(card="card.md"), local(tmp_path)).collect(TARGET)
    return [(section.name, section.words) for section in gathered.sections["documentation"].sections]


def test_words_below_each_heading_are_counted(tmp_path: Path) -> None:
    text = """\
Before any heading.

# Credit *model* `v2`

Ranks **applications** for a clerk.

## Data

- 2,380 mortgage applications
- see [the source](https://example.org/a/b)

| column | meaning |
|--------|---------|
| pirat  | ratio   |

Limits
------

## Ethics ##
Judged by group.
"""
    assert sections(tmp_path, text) == [
        ("Credit model v2", 5 + 6 + 4 + 3),
        ("Data", 6 + 4),
        ("Limits", 0),
        ("Ethics", 3),
    ]


@pytest.mark.parametrize(
    "empty",
    [
        "",
        "<!-- forty words of advice on what to write here -->",
        "TODO",
        "*TBD*",
        "- TODO\n- tbd.",
        "N/A",
        "[More Information Needed]",
        "...",
        "To be done",
        "---",
        "text <!-- x -->".replace("text ", ""),
        "<script>alert(1)</script>",
        "[ref]: https://example.org 'a link that nobody sees'",
    ],
)
def test_what_says_nothing_counts_as_empty(tmp_path: Path, empty: str) -> None:
    assert sections(tmp_path, f"# A\n\n{empty}\n\n# B\n\nwords\n") == [("A", 0), ("B", 1)]


def test_a_heading_in_a_comment_or_in_code_is_none(tmp_path: Path) -> None:
    text = "# A\n\n<!--\n# Hidden\n-->\n\n```\n# Code\n```\n\n    # Indented\n"
    assert sections(tmp_path, text) == [("A", 2)]


def test_a_todo_beside_real_text_does_not_empty_it(tmp_path: Path) -> None:
    assert sections(tmp_path, "# A\n\nTODO\n\nThree real words\n") == [("A", 3)]


def test_text_in_html_counts(tmp_path: Path) -> None:
    assert sections(tmp_path, "# A\n\n<div>two <b>words</b></div>\n") == [("A", 2)]


def test_a_nameless_heading_is_none(tmp_path: Path) -> None:
    assert sections(tmp_path, "#\n\n# <!-- x -->\n\n## A\n") == [("A", 0)]


def test_bytes_that_are_no_text_are_bad_input(tmp_path: Path) -> None:
    (tmp_path / "card.md").write_bytes(b"# \xff\n")
    with pytest.raises(BadInput, match="not UTF-8"):
        DocumentationCollector(Options(card="card.md"), local(tmp_path)).collect(TARGET)


def test_a_huge_card_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="over 1 MiB"):
        sections(tmp_path, "#" * (1 << 20) + "xx")


def test_a_deeply_nested_card_is_read(tmp_path: Path) -> None:
    assert sections(tmp_path, "# A\n\n" + ">" * 5000 + " word\n") is not None


def test_without_a_card_it_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing):
        DocumentationCollector(Options(), local(tmp_path)).collect(TARGET)


@pytest.mark.xdist_group("mlflow")
def test_the_card_of_a_real_run_is_read(store: Store, tmp_path: Path) -> None:
    with store.registry() as registry:
        sources = VersionSources(registry, registry.resolve("models:/credit/1"), folder=tmp_path)
        gathered = DocumentationCollector(Options(), sources).collect(TARGET)
        digest = sources.file("run:model_card.md").sha256
    card = Documentation(
        location="run:model_card.md",
        sections=(
            CardSection(name="Credit", words=5),
            CardSection(name="Intended use", words=5),
            CardSection(name="Limits", words=0),
        ),
    )
    assert gathered == Gathered({"documentation": card}, "run:model_card.md", digest)
