"""The schemas for editors against the compiler: what one accepts, the other accepts."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from jsonschema import Draft7Validator

from mandate import share
from mandate.engine.errors import BadPolicy
from mandate.engine.opa.locate import find_opa
from mandate.engine.policy import schemas
from mandate.engine.policy.build import Compiled, compiled
from mandate.engine.policy.layers import LAYERS
from mandate.engine.policy.scope import Scope, compile_scope
from mandate.engine.policy.selection import compile_selection
from mandate.engine.policy.sources import Kind, read
from mandate.engine.policy.thresholds import compile_thresholds
from mandate.engine.policy.waivers import compile_waivers, longest
from mandate.engine.strict_yaml import Document, load
from tests.engine.policy.conftest import write

RULE = """# METADATA
# title: Odds are alike
# description: The difference of two groups' odds.
# custom:
#   failure_msg: The difference is too large
#   solution: Mitigate the model
#   severity: high
#   collections: [bank]
#   controls: []
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [fairness]
#   actions: [promote]
#   environments: [production]
#   waivable: false
#   thresholds:
#     bank.odds: {type: number, tightens: down, exclusiveMinimum: 0, exclusiveMaximum: 1}
#     bank.rating: {type: string, enum: [A, B], minLength: 1}
#     bank.committee: {type: array, tightens: up, minItems: 1, uniqueItems: true, items: {type: string}}
#     bank.limits.*: {type: integer, tightens: down}
package mandate.rules.bank.odds

terms := {"a"}

must contains {"term": "a", "holds": false}
"""

OWN = {
    "mandate/rules/bank/odds/odds.rego": RULE,
    "thresholds/bank.yaml": (
        "# How far the odds may differ.\n"
        "odds: {default: 0.1}\n"
        "rating: {default: A}\n"
        "committee: {default: [ada]}\n"
        "# Of whatever is counted.\n"
        "limits: {}\n"
    ),
    "scope.yaml": "families: {consumer_credit: [credit, mortgage]}\n",
}

WHERE = {"organisation": 1, "library": 0}
"""The root whose files a schema is for."""


@cache
def policies() -> Compiled:
    """The library, and an organisation with a rule of its own and a family of models."""
    with TemporaryDirectory() as folder:
        return compiled(read([share.policies(), write(Path(folder), OWN)]), opa=find_opa())


def documents(path: str, *, root: int) -> list[Document]:
    """The YAML of the root at the path, or in the folder."""
    return [
        load(source.content, BadPolicy, name=source.label)
        for source in policies().sources.of(Kind.YAML)
        if source.path.startswith(path) and source.root == root
    ]


def written(name: str, value: Any) -> Document:
    return load(json.dumps(value).encode(), BadPolicy, name=f"organisation/{name}.yaml")


@cache
def validator(name: str, root: int = 1) -> Draft7Validator:
    schema = schemas.schemas(policies(), root)[name]
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def compiles(compiling: Callable[[], object]) -> bool:
    try:
        compiling()
    except BadPolicy:
        return False
    return True


def limits() -> Scope:
    return Scope.from_data(policies().data["scope"])


def rarely(odd: SearchStrategy[Any], usual: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.integers(0, 9).flatmap(lambda number: usual if number else odd)


WORDS = st.text("abcA *@:.-_é", max_size=4)
NUMBERS = st.one_of(
    st.integers(-2, 400),
    st.floats(-1.5, 1.5).map(lambda number: number + 0.0625 if number.is_integer() else number),
)
VALUES: SearchStrategy[Any] = st.one_of(
    NUMBERS,
    st.sampled_from(["A", "C", "measured", 0, 0.05, 1, True, False, None, [], {}]),
    WORDS,
    st.lists(st.one_of(WORDS, st.sampled_from(["measured", "reported", 1])), max_size=3),
)


def mostly(names: list[str]) -> SearchStrategy[str]:
    return rarely(WORDS, st.sampled_from(names)) if names else WORDS


def mappings(keys: SearchStrategy[str], values: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return rarely(VALUES, st.dictionaries(keys, values, max_size=2))


def layered(values: SearchStrategy[Any]) -> SearchStrategy[Any]:
    environments, tiers = [*limits().environments], [*limits().risk_tiers]
    layers: dict[str, SearchStrategy[Any]] = {
        "default": values,
        "environments": mappings(mostly(environments), values),
        "tiers": mappings(mostly(tiers), values),
        "tiers_in_environments": mappings(mostly(environments), mappings(mostly(tiers), values)),
        "families": mappings(mostly([*limits().families]), values),
        "models": mappings(WORDS, values),
    }
    assert set(layers) == set(LAYERS)
    some = st.fixed_dictionaries({}, optional=layers)
    others = {name: layer for name, layer in layers.items() if name != "default"}
    with_default = st.fixed_dictionaries({"default": values}, optional=others)
    return rarely(
        st.one_of(mappings(mostly([*LAYERS]), values), values), st.one_of(some, with_default, with_default)
    )


FITTING: dict[str, SearchStrategy[Any]] = {
    "number": NUMBERS,
    "integer": st.integers(0, 100),
    "string": st.sampled_from(["A", "B", "C", ""]),
    "boolean": st.booleans(),
    "array": st.lists(st.sampled_from(["measured", "reported", "afam", ""]), max_size=3),
}


def thresholds_of(file: str) -> SearchStrategy[Any]:
    """Documents of a file of thresholds, most of which are nearly right."""
    members: dict[str, SearchStrategy[Any]] = {}
    for declared in policies().declarations:
        if declared.name[0] == file:
            kind = FITTING[declared.schema["type"]]
            setting = layered(rarely(VALUES, kind))
            group = mappings(mostly(["accuracy", "model_owner", "rows", *LAYERS[:2]]), setting)
            members[declared.name[1]] = group if declared.is_group else setting
    stranger = st.fixed_dictionaries({}, optional={**members, "stranger": layered(VALUES)})
    nearly = rarely(st.one_of(stranger, VALUES), st.fixed_dictionaries({}, optional=members))
    if file != "bank":
        return nearly
    # What its rule needs and no root before it sets could stand in a later one: no schema of one asks for it.
    needed = documents("thresholds/bank", root=1)[0].value
    return nearly.filter(lambda value: isinstance(value, dict)).map(lambda value: {**needed, **value})


FILES = ("approvals", "bank", "documentation", "evidence", "fairness", "performance", "schema", "waivers")


@pytest.mark.parametrize("file", FILES)
def test_thresholds_compile_where_the_schema_accepts_them(file: str) -> None:
    others = [
        *documents("thresholds/", root=0),
        *(one for one in documents("thresholds/", root=1) if not one.name.endswith(f"/{file}.yaml")),
    ]

    @settings(max_examples=300, deadline=None)
    @given(thresholds_of(file))
    def hold(value: Any) -> None:
        document = written(f"thresholds/{file}", value)
        found = compiles(lambda: compile_thresholds([*others, document], limits(), policies().declarations))
        assert found == validator(f"thresholds/{file}").is_valid(value)

    hold()


PATTERNS = st.lists(
    rarely(
        st.sampled_from(["@fairness:a", "bank:", "bank.odds:\n", "@", "fairness.psi", "*:a", "", 1, None]),
        st.sampled_from(["*", "@fairness", "@bank", "bank", "fairness", "drift.psi", "bank.odds", "drift:a"]),
    ),
    max_size=2,
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_selection_compiles_where_the_schema_accepts_it(data: st.DataObject) -> None:
    lists = layered(rarely(VALUES, PATTERNS))
    value = data.draw(mappings(mostly(["include", "exclude"]), lists))
    document = written("selection", value)
    catalogue = policies().data["catalogue"]
    found = compiles(
        lambda: compile_selection([*documents("selection.yaml", root=0), document], limits(), catalogue)
    )
    assert found == validator("selection").is_valid(value)


NAMES = rarely(VALUES, st.lists(st.sampled_from(["a", "b", "c"]), max_size=2))


@settings(max_examples=300, deadline=None)
@given(
    mappings(
        mostly(["environments", "risk_tiers", "families"]),
        st.one_of(NAMES, st.dictionaries(WORDS, NAMES, max_size=1)),
    )
)
def test_a_scope_compiles_where_the_schema_accepts_it(value: Any) -> None:
    found = compiles(lambda: compile_scope([*documents("scope.yaml", root=0), written("scope", value)]))
    assert found == validator("scope").is_valid(value)


TEXTS = rarely(st.one_of(VALUES, st.just(" \n")), st.sampled_from(["MRM-118", "rita@bank.example"]))
WAIVER = {
    "rule": st.sampled_from(
        ["drift.psi", "drift.psi:income"] * 4 + ["registry.digest", "drift.psi:", "a", 1]
    ),
    "subject": rarely(
        st.sampled_from(
            [
                *({"name": "credit"}, {"name": "credit", "version": 3}, {"name": "", "version": "3"}),
                *({"sha256": "0f" * 31}, {"sha256": "0F" * 32}, {"sha256": "0f" * 32 + "\n"}),
                *("credit", None),
            ]
        ),
        st.sampled_from([{"name": "credit", "version": "3"}, {"sha256": "0f" * 32}]),
    ),
    "reason": TEXTS,
    "reference": TEXTS,
    "approver": TEXTS,
    "effective_on": st.sampled_from(
        ["2026-11-20", "2026-11-20T09:30:00Z", "2026-11-20T09:30:00.5Z"] * 4
        + ["2026-11-20T09:30:00", "20 November", 20261120, None]
    ),
    "expires": st.sampled_from(["2026-12-20", "2026-12-20T00:00:00Z"] * 6 + ["2026-12-20T00:00Z", "never"]),
}


@settings(max_examples=300, deadline=None)
@given(
    rarely(
        st.one_of(
            st.lists(st.fixed_dictionaries({}, optional={**WAIVER, "until": TEXTS}), max_size=2), VALUES
        ),
        st.lists(st.fixed_dictionaries(WAIVER), max_size=2),
    )
)
def test_waivers_compile_where_the_schema_accepts_them(value: Any) -> None:
    data = policies().data
    document = written("waivers/all", value)
    found = compiles(lambda: compile_waivers([document], data["catalogue"], longest(data["thresholds"])))
    assert found == validator("waivers").is_valid(value)


@pytest.mark.parametrize(("root", "number"), WHERE.items())
def test_what_is_written_there_already_is_accepted(root: str, number: int) -> None:
    for source in policies().sources.of(Kind.YAML):
        if source.root == number:
            document = load(source.content, BadPolicy, name=source.label)
            name = source.path.removesuffix(".yaml")
            assert [error.message for error in validator(name, number).iter_errors(document.value)] == []
    assert root in WHERE


def test_the_library_must_set_what_nobody_sets_before_it() -> None:
    assert not validator("scope", 0).is_valid({"environments": ["production"]})
    assert not validator("selection", 0).is_valid({"include": {"default": ["*"]}})
    assert not validator("thresholds/fairness", 0).is_valid({"minimum_group_size": {"tiers": {"low": 10}}})
    assert validator("thresholds/fairness", 1).is_valid({"minimum_group_size": {"tiers": {"low": 10}}})


def test_only_the_compiler_finds_what_no_schema_can_say() -> None:
    """The differences that `schemas.py` names, one by one."""
    data = policies().data
    assert validator("thresholds/bank").is_valid({"limits": {"rows": {"default": 5.0}}})
    assert validator("scope").is_valid({"families": {"a": ["credit"], "b": ["credit"]}})
    assert not compiles(
        lambda: compile_scope(
            [
                *documents("scope.yaml", root=0),
                written("scope", {"families": {"a": ["credit"], "b": ["credit"]}}),
            ]
        )
    )
    waiver = {
        "rule": "drift.psi",
        "subject": {"name": "credit", "version": "3"},
        **dict.fromkeys(("reason", "reference", "approver"), "x"),
    }
    for days in (("2026-02-30", "2026-03-01"), ("2026-03-02", "2026-03-01"), ("2026-01-01", "2026-12-31")):
        value = [{**waiver, "effective_on": days[0], "expires": days[1]}]
        assert validator("waivers").is_valid(value)
        with pytest.raises(BadPolicy):
            compile_waivers([written("waivers/all", value)], data["catalogue"], 90)


def test_a_threshold_is_described_by_its_comment_its_value_and_who_reads_it() -> None:
    odds = schemas.schemas(policies(), 1)["thresholds/bank"]["properties"]["odds"]
    assert odds["description"] == (
        "How far the odds may differ.\n"
        "Now 0.1 (organisation/thresholds/bank.yaml).\n"
        "Read by organisation/mandate/rules/bank/odds/odds.rego."
    )
    assert schemas.schemas(policies(), 1)["thresholds/bank"]["properties"]["limits"]["description"] == (
        "Of whatever is counted."
    )
