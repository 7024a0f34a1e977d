from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate.engine.errors import BadRequest
from mandate.registry.model_uri import ModelUri, parse


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("models:/credit/3", ModelUri("credit", version="3")),
        ("models:/credit@challenger", ModelUri("credit", alias="challenger")),
        ("models:/a@b/3", ModelUri("a@b", version="3")),
        ("models:/a@b@c", ModelUri("a@b", alias="c")),
        ("models:/what?/3", ModelUri("what?", version="3")),
        ("models:/100%2Fa b'\"${x}/1", ModelUri("100%2Fa b'\"${x}", version="1")),
    ],
)
def test_every_character_of_a_name_counts(uri: str, expected: ModelUri) -> None:
    assert parse(uri) == expected
    assert str(expected) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "credit",
        "runs:/r/model",
        "models:credit/3",
        "models:/",
        "models:/credit",
        "models:/credit/",
        "models:/credit/0",
        "models:/credit/03",
        "models:/credit/-1",
        "models:/credit/\u0663",
        "models:/credit/3/MLmodel",
        "models:/credit/99999999999",
        "models:/credit@",
        "models:/credit@a b",
        "models:/@a",
        "models:/../3",
        "models:/./3",
        "models://host/credit/3",
        "models:/a:b/3",
        "models:/a\nb/3",
        "models:/a\x1b[31m/3",
        f"models:/{'a' * 10_000}/3",
    ],
)
def test_anything_else_is_a_bad_request_that_shows_it_escaped(uri: str) -> None:
    with pytest.raises(BadRequest) as raised:
        parse(uri)
    assert str(raised.value).isascii()
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize("stage", ["Production", "staging", "ARCHIVED", "None"])
def test_a_stage_is_refused_with_what_replaced_it(stage: str) -> None:
    with pytest.raises(BadRequest) as raised:
        parse(f"models:/credit/{stage}")
    assert raised.value.what == f"'{stage}' is a stage, and MLflow has deprecated stages"
    assert (
        raised.value.next_step
        == "Name a version or an alias, such as models:/credit/3 or models:/credit@champion"
    )


def test_latest_is_refused() -> None:
    with pytest.raises(BadRequest, match="latest is not one version"):
        parse("models:/credit/latest")


@given(st.text())
def test_what_is_understood_says_itself(text: str) -> None:
    uri = f"models:/{text}"
    try:
        understood = parse(uri)
    except BadRequest:
        return
    assert str(understood) == uri
