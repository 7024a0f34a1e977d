"""Waivers as they are written: what could never count is an error, with its place."""

from __future__ import annotations

from typing import Any

import pytest
from ruamel.yaml import YAML

from mandate.engine.errors import BadPolicy
from mandate.engine.policy.waivers import compile_waivers, longest
from mandate.engine.strict_yaml import load

CATALOGUE = {"drift.psi": {"waivable": True}, "registry.digest": {"waivable": False}}
GOOD: dict[str, Any] = {
    "rule": "drift.psi:income",
    "subject": {"name": "credit", "version": "3"},
    "reason": "The branch in Salem was closed",
    "reference": "MRM-120",
    "approver": "rita@bank.example",
    "effective_on": "2026-11-01",
    "expires": "2027-01-30T00:00:00Z",
}


def compiled(text: str, longest_days: int | None = 90) -> list[dict[str, Any]]:
    document = load(text.encode(), BadPolicy, name="organisation/waivers/credit.yaml")
    return compile_waivers([document], CATALOGUE, longest_days)


def written(*waivers: Any) -> str:
    from io import StringIO

    stream = StringIO()
    YAML(typ="safe", pure=True).dump(list(waivers), stream)
    return stream.getvalue()


def test_a_waiver_is_data_with_its_place() -> None:
    text = "# ours\n" + written(GOOD)
    assert compiled(text) == [
        GOOD | {"effective_on": "2026-11-01T00:00:00Z", "id": "organisation/waivers/credit.yaml:2"}
    ]


def test_an_empty_file_waives_nothing() -> None:
    assert compiled("# none\n") == []


def test_a_digest_is_a_subject_too() -> None:
    subject = {"sha256": "a" * 64}
    assert compiled(written(GOOD | {"subject": subject}))[0]["subject"] == subject


def test_ninety_days_are_ninety_days() -> None:
    assert len(compiled(written(GOOD | {"effective_on": "2026-11-01", "expires": "2027-01-30"}))) == 1
    with pytest.raises(BadPolicy, match="90 are the most"):
        compiled(written(GOOD | {"effective_on": "2026-11-01", "expires": "2027-01-31"}))


FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no expiry": ({"expires": None}, "the waiver has no expires", "Add expires"),
    "never": ({"expires": "never"}, "'never' is neither a day nor an instant in UTC", "Write it as"),
    "no such day": ({"expires": "2026-02-30"}, "'2026-02-30' is neither a day nor", "Write it as"),
    "another zone": ({"expires": "2026-12-01T00:00:00+01:00"}, "is neither a day nor", "Write it as"),
    "a number": ({"expires": 20261231}, "20261231 is neither a day nor", "Write it as"),
    "over before it began": (
        {"expires": "2026-10-31"},
        "the waiver expires before it takes effect",
        "Let expires be after effective_on",
    ),
    "no time at all": ({"expires": "2026-11-01"}, "the waiver expires before it takes effect", "Let expires"),
    "too long": (
        {"expires": "2027-11-01"},
        "the waiver lasts 365 days, and 90 are the most that any may last",
        "Let it expire earlier",
    ),
    "misspelt rule": (
        {"rule": "drift.psy"},
        "the waiver is for the rule 'drift.psy', which does not exist",
        "Write drift.psi",
    ),
    "everything": ({"rule": "*"}, "the waiver is for the rule '*', which does not exist", ""),
    "no rule at all": ({"rule": ["drift.psi"]}, "which does not exist", ""),
    "an empty term": (
        {"rule": "drift.psi:"},
        "the waiver names no term",
        "Write drift.psi, or drift.psi:term",
    ),
    "what cannot be waived": (
        {"rule": "registry.digest"},
        "the rule registry.digest cannot be waived",
        "Remove the waiver, and satisfy the rule",
    ),
    "blank reason": ({"reason": " "}, "reason of the waiver is not text", "Write text"),
    "approvers": ({"approver": ["rita"]}, "approver of the waiver is not text", "Write text"),
    "misspelt key": ({"expiry": "2026-12-01"}, "a waiver has no 'expiry'", "Write expires"),
    "every version": (
        {"subject": {"name": "credit"}},
        "neither a name and version nor a digest",
        "Write {name",
    ),
    "a bare subject": ({"subject": "credit"}, "neither a name and version nor a digest", "Write {name"),
    "a version that is a number": (
        {"subject": {"name": "credit", "version": 3}},
        "version of the waiver's subject is not text",
        "Put it in quotes",
    ),
    "half a digest": ({"subject": {"sha256": "abc"}}, "is not 64 hexadecimal digits", "Copy it from"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_could_never_count_is_named(name: str) -> None:
    changes, what, next_step = FAULTS[name]
    with pytest.raises(BadPolicy) as raised:
        compiled(written(GOOD | changes))
    assert what in raised.value.what
    assert raised.value.next_step.startswith(next_step)
    assert raised.value.where.startswith("organisation/waivers/credit.yaml:")


@pytest.mark.parametrize("text", ["rule: drift.psi\n", "waivers\n"])
def test_a_file_that_is_no_list_is_named(text: str) -> None:
    with pytest.raises(BadPolicy) as raised:
        compiled(text)
    assert raised.value.what == "it is not a list of waivers"


def test_an_item_that_is_no_waiver_is_named() -> None:
    with pytest.raises(BadPolicy) as raised:
        compiled("- drift.psi\n")
    assert (raised.value.what, raised.value.where) == (
        "it is not a waiver",
        "organisation/waivers/credit.yaml:1",
    )


def test_without_a_longest_duration_there_is_no_waiver() -> None:
    with pytest.raises(BadPolicy) as raised:
        compiled(written(GOOD), None)
    assert raised.value.next_step == "Set longest_days in thresholds/waivers.yaml"


def test_the_longest_is_the_longest_of_any_layer() -> None:
    leaf = {"value": 30, "set_at": "thresholds/waivers.yaml:3"}
    layered = {"default": leaf, "environments": {"staging": leaf | {"value": 60}}}
    assert longest({"waivers": {"longest_days": layered}}) == 60
    assert longest({}) is None


def test_a_model_may_be_called_as_a_leaf_is_made() -> None:
    """A model named `set_at` in a layer is a name, and no place in a file."""
    leaf = {"value": 90, "set_at": "thresholds/waivers.yaml:1"}
    layered = {"default": leaf, "models": {"set_at": leaf | {"value": 120}, "value": leaf}}
    assert longest({"waivers": {"longest_days": layered}}) == 120
