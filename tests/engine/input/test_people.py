from __future__ import annotations

import sys
import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate.engine.input.people import normal

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
FORMS: tuple[Form, ...] = ("NFC", "NFD", "NFKC", "NFKD")

ONE = [
    "jos\u00e9@bank.example",
    "jose\u0301@bank.example",
    " Jos\u00c9@Bank.Example\n",
    "jos\u00e9\u200b@bank.example",
    "\ufeffjos\u00e9@bank.example",
    "jos\u00e9@bank\u00ad.example",
    "jos\u00e9@bank.example\u2060 ",
    "\uff4aos\u00e9@bank.example",
    "jos\u00e9\ufe0f@bank.example",
    "jos\u00e9\U000e0041@bank.example",
    "jose\u034f\u0301@bank.example",
]


@pytest.mark.parametrize("spelling", ONE)
def test_one_person_has_one_identity_however_it_is_spelt(spelling: str) -> None:
    assert normal(spelling) == "jos\u00e9@bank.example"


@pytest.mark.parametrize("other", ["jose@bank.example", "jos\u0435@bank.example", "jos\u00e9+1@bank.example"])
def test_what_is_written_otherwise_is_somebody_else(other: str) -> None:
    assert normal(other) != normal(ONE[0])


@pytest.mark.parametrize("nobody", ["", " ", "\u200b", "\u3164\t\u00ad", "\u2003"])
def test_what_nobody_sees_names_nobody(nobody: str) -> None:
    assert normal(nobody) == ""


def test_every_character_alone_comes_to_rest() -> None:
    for code in range(sys.maxunicode + 1):
        once = normal(f"a{chr(code)}b")
        assert normal(once) == once


@given(st.text(), st.sampled_from(FORMS))
def test_the_form_of_unicode_makes_no_difference(identity: str, form: Form) -> None:
    assert normal(unicodedata.normalize(form, identity)) == normal(identity)
