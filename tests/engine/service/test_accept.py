"""Which form a caller gets (RFC 9110, 12.5.1)."""

from __future__ import annotations

import pytest

from mandate.engine.service.accept import best
from mandate.engine.service.problems import Problem

FORMS = {"application/json": 1, "application/sarif+json": 2, "text/markdown": 3, "text/plain": 4}


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/*", "text/markdown"),
        ("TEXT/Markdown; charset=utf-8", "text/markdown"),
        ("text/plain;q=0.5, text/markdown;q=0.9", "text/markdown"),
        ("text/plain, text/markdown;q=0.999", "text/plain"),
        ("*/*;q=0.1, application/json;q=0", "application/sarif+json"),
        ("application/*;q=0, */*", "text/markdown"),
        ("image/png, text/plain ; q=0.2 ,,", "text/plain"),
    ],
)
def test_the_form_of_the_highest_weight_is_sent(header: str | None, kind: str) -> None:
    assert best(header, FORMS) == (kind, FORMS[kind])


@pytest.mark.parametrize("header", ["image/png", "application/json;q=0", "*/*;q=0.000", "application/xml"])
def test_what_there_is_not_is_406_and_lists_what_there_is(header: str) -> None:
    with pytest.raises(Problem) as refused:
        best(header, FORMS)
    assert (refused.value.status, refused.value.detail) == (406, f"the forms are {', '.join(FORMS)}")


@pytest.mark.parametrize(
    "header",
    ["json", "*/json", "text/plain;q=2", "text/plain;q=1.001", "text/plain;q=x", "a/b/c", "text/plain," * 60],
)
def test_what_cannot_be_understood_is_400(header: str) -> None:
    with pytest.raises(Problem) as refused:
        best(header, FORMS)
    assert (refused.value.status, refused.value.detail[:8]) == (400, "Accept: ")
