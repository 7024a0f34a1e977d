from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate.engine.errors import BadPolicy
from mandate.engine.policy.declarations import declaration
from mandate.engine.policy.scope import Scope
from mandate.engine.policy.thresholds import compile_thresholds
from mandate.engine.strict_yaml import Document, load

SCOPE = Scope(("development", "staging", "production"), ("low", "limited", "high"))
DECLARED = [declaration("f.a", {"type": "number"}, "r:1"), declaration("f.g.*", {"type": "number"}, "r:2")]

_ENVIRONMENTS = st.sampled_from(SCOPE.environments)
_TIERS = st.sampled_from(SCOPE.risk_tiers)
_NUMBERS = st.integers(0, 9)
_LAYERS = st.fixed_dictionaries(
    {},
    optional={
        "default": _NUMBERS,
        "environments": st.dictionaries(_ENVIRONMENTS, _NUMBERS),
        "tiers": st.dictionaries(_TIERS, _NUMBERS),
        "tiers_in_environments": st.dictionaries(_ENVIRONMENTS, st.dictionaries(_TIERS, _NUMBERS)),
        "models": st.dictionaries(st.sampled_from(["credit", "fraud", "ünïcode: #"]), _NUMBERS),
    },
)


def document(name: str, setting: Any) -> Document:
    """The file `thresholds/f.yaml` of a root (JSON is YAML)."""
    content = {"a": setting, "g": {}} if setting else {"g": {}}
    return load(json.dumps(content).encode(), BadPolicy, name=name)


def leaves(node: Any, *path: str) -> dict[tuple[str, ...], Any]:
    """Every value of nested mappings, by its path."""
    if not isinstance(node, dict):
        return {path: node}
    return {key: value for name, below in node.items() for key, value in leaves(below, *path, name).items()}


@given(_LAYERS, st.lists(_LAYERS, max_size=3))
def test_later_roots_replace_leaf_by_leaf(library: dict[str, Any], others: list[dict[str, Any]]) -> None:
    library = {"default": 0, **library}
    roots = [("thresholds/f.yaml", library)] + [
        (f"root-{n}/thresholds/f.yaml", each) for n, each in enumerate(others)
    ]
    expected = {
        (*path, part): found
        for name, setting in roots
        for path, value in leaves(setting).items()
        for part, found in (("value", value), ("set_at", f"{name}:1"))
    }
    compiled = compile_thresholds([document(*root) for root in roots], SCOPE, DECLARED)
    assert leaves(compiled["f"]["a"]) == expected


def test_a_later_root_may_set_one_layer_alone() -> None:
    library = document("thresholds/f.yaml", {"default": 1, "models": {"credit": 2}})
    bank = load(b"a:\n  # ours\n  models: {fraud: 3}\n", BadPolicy, name="organisation/thresholds/f.yaml")
    assert compile_thresholds([library, bank], SCOPE, DECLARED) == {
        "f": {
            "a": {
                "default": {"value": 1, "set_at": "thresholds/f.yaml:1"},
                "models": {
                    "credit": {"value": 2, "set_at": "thresholds/f.yaml:1"},
                    "fraud": {"value": 3, "set_at": "organisation/thresholds/f.yaml:3"},
                },
            },
            "g": {},
        }
    }


def test_a_later_root_may_add_to_a_group() -> None:
    library = document("thresholds/f.yaml", {"default": 1})
    bank = load(b"g:\n  roc_auc: {default: 0.7}\n", BadPolicy, name="organisation/thresholds/f.yaml")
    assert compile_thresholds([library, bank], SCOPE, DECLARED)["f"]["g"] == {
        "roc_auc": {"default": {"value": 0.7, "set_at": "organisation/thresholds/f.yaml:2"}}
    }


def test_a_file_of_comments_sets_nothing() -> None:
    library = document("thresholds/f.yaml", {"default": 1})
    bank = load(b"# a: {default: 2}\n", BadPolicy, name="organisation/thresholds/f.yaml")
    assert compile_thresholds([library, bank], SCOPE, DECLARED) == compile_thresholds(
        [library], SCOPE, DECLARED
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a: {b: {default: 1}}\n", "f.a is a setting in one place and a group of settings in another"),
        (b"g: {default: 1}\n", "f.g is a setting in one place and a group of settings in another"),
    ],
)
def test_a_setting_is_no_group(text: bytes, message: str) -> None:
    bank = load(text, BadPolicy, name="organisation/thresholds/f.yaml")
    with pytest.raises(BadPolicy) as raised:
        compile_thresholds([document("thresholds/f.yaml", {"default": 1}), bank], SCOPE, DECLARED)
    assert str(raised.value) == f"organisation/thresholds/f.yaml:1: {message}. Give one of them another name."
