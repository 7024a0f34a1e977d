"""Whatever others wrote is shown as text: no Markdown reader sees markup in it."""

from __future__ import annotations

from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mandate.engine.policy.docs.markdown import (
    code,
    document,
    fence,
    heading,
    html_code,
    link,
    paragraphs,
    table,
    text,
    value,
)

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKUP = "`*_[]()<>#|~$&!^\\{}-+=%:.\"'@/\n\t \u202e\x1b\x85 1a¡"
WRITTEN = st.text(st.one_of(st.sampled_from(MARKUP), st.characters(exclude_categories=["Cs"])), max_size=40)


def read(markdown: str) -> BeautifulSoup:
    return BeautifulSoup(READER.render(markdown), "html.parser")


def tags(markdown: str) -> set[str]:
    return {tag.name for tag in read(markdown).find_all(True)}


def shown(written: str) -> str:
    """What a person should read: the text, with its control characters as escapes and without blanks."""
    visible = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in written
    )
    return "".join(visible.split())


def as_read(markdown: str) -> str:
    return "".join(read(markdown).get_text().split())


@given(WRITTEN.filter(lambda written: "`" not in written))
def test_a_text_is_read_as_it_was_written(written: str) -> None:
    assert as_read(text(written)) == shown(" ".join(written.split()))


@given(WRITTEN)
def test_a_text_is_one_paragraph_with_code_at_most(written: str) -> None:
    assert tags(text(written)) <= {"p", "code"}
    assert as_read(text(written)).replace("`", "") == shown(" ".join(written.split())).replace("`", "")


@given(WRITTEN)
def test_a_text_stays_in_its_cell_heading_link_and_item(written: str) -> None:
    content = text(written)
    cells = read(table(("One", "Two"), [(content, code(written) if written else "x")])).find_all("td")
    assert len(cells) == 2
    assert cells[0].get_text().replace("`", "").split() == read(content).get_text().replace("`", "").split()
    assert tags(f"- {content}") <= {"ul", "li", "p", "code"}
    assert tags(heading(2, content)) <= {"h2", "code"}
    assert [tag.get("href") for tag in read(link(content, "a.md#b")).find_all("a")] == ["a.md#b"]
    assert tags(f"*{content}*") <= {"p", "em", "code"}


@given(WRITTEN.filter(bool))
def test_code_is_read_as_it_was_written_in_a_cell_too(written: str) -> None:
    for markdown in (code(written), html_code(written), table(("Code",), [(code(written),)])):
        codes = read(markdown).find_all("code")
        assert [each.get_text() for each in codes] == [
            "".join(
                each if each.isprintable() else each.encode("unicode_escape").decode() for each in written
            )
        ]


@given(st.lists(WRITTEN, max_size=4).map("\n".join))
def test_a_block_of_code_ends_where_it_should(written: str) -> None:
    assert tags(document(fence("rego", written))) == {"pre", "code"}


def test_what_stands_between_backticks_is_code() -> None:
    assert text("Each `metric` that `a|b` names") == "Each `metric` that <code>a&#124;b</code> names"
    assert text("one ` alone, `` two") == r"one \` alone, \`\` two"


def test_a_text_reads_well_unrendered() -> None:
    for plain in ("EU AI Act 10(2)(f)", "demographic_parity at 0.05 – see 29 CFR 1607.4(D)", "10(2)(b)"):
        assert text(plain) == plain


def test_what_would_begin_a_block_does_not() -> None:
    assert [text(each) for each in ("- a", "+ a", "1. a", "12) a", "= a", "% a", "(a)=", ":a: b")] == [
        r"\- a",
        r"\+ a",
        r"1\. a",
        r"12\) a",
        r"\= a",
        r"\% a",
        r"\(a)=",
        r"\:a: b",
    ]


def test_paragraphs_stay_paragraphs() -> None:
    assert paragraphs("One\nline.\n\n  \n# Two") == "One line.\n\n\\# Two"


def test_values_are_shown_as_json_and_lists_by_their_items() -> None:
    assert [value(each) for each in (0.05, 30, True, "a", [], ["a", "b|c"])] == [
        "`0.05`",
        "`30`",
        "`true`",
        "`a`",
        "none",
        "`a`, <code>b&#124;c</code>",
    ]
