"""What a new rule begins with: its Rego, its tests, its threshold.

All of it compiles, and none of it passes: as long as something says TODO the rule proves nothing, so it
denies, and its tests fail and say what is left to fill in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from ..errors import BadRequest
from ..nearest import advice
from . import templates
from .layers import LAYERS

_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_LONGEST_NAME = 60
_LONGEST_TITLE = 100
_MOST_DIGITS = 12
_KEYWORDS = frozenset(
    "as contains data default else every false if import in input not null package set some true with".split()  # noqa: SIM905
)
"""Words of Rego, which are no names in it."""
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ,.()/%'’-]*[A-Za-z0-9.)%]")
"""Text that YAML takes as it is."""
_JUST_BEYOND = Decimal("0.0001")

_FACTS: Mapping[str, tuple[str, str]] = {
    "approvals": (
        "approvals",
        'facts.derived("approvals", {approval.role | some approval in input.approvals})',
    ),
    "data_schema": (
        "data_schema",
        'facts.derived("data_schema", {column.type | some column in input.data_schema.current})',
    ),
    "developers": (
        "developers",
        'facts.derived("developers", {role | some role in input.developers[_].roles})',
    ),
    "documentation": (
        "documentation",
        'facts.derived("documentation", input.documentation.location)',
    ),
    "drift": ("drift", 'facts.figure("drift", input.drift.drifted_share)'),
    "fairness": ("fairness", 'facts.quantity("fairness", input.fairness.rows.count, "rows")'),
    "mlflow": ("model", 'facts.derived("mlflow", input.model.registered_by)'),
    "performance": ("performance", 'facts.quantity("performance", input.performance.rows.count, "rows")'),
    "provenance": ("provenance", 'facts.derived("provenance", input.provenance.data.source)'),
}
"""Of each collector the section of the input, and an example of a fact in it."""

COLLECTORS = tuple(_FACTS)
_WITH_NAMED_FIGURES = ("fairness", "performance")
"""Collectors whose figures are found by name, and are all in 0 … 1."""


class Comparison(StrEnum):
    """How the fact is held against the threshold: the functions of `data.mandate.lib.check`."""

    AT_MOST = "at-most"
    AT_LEAST = "at-least"
    ONE_OF = "one-of"
    INCLUDES = "includes"

    @property
    def is_of_numbers(self) -> bool:
        """Whether the threshold is a number; otherwise it is a list of texts."""
        return self in (Comparison.AT_MOST, Comparison.AT_LEAST)

    @property
    def tightens(self) -> str:
        """Whether a higher number, or a longer list, is stricter: `up`, or else `down`."""
        return "up" if self in (Comparison.AT_LEAST, Comparison.INCLUDES) else "down"

    @property
    def function(self) -> str:
        """`check.at_most`."""
        return f"check.{self.value.replace('-', '_')}"


@dataclass(frozen=True, slots=True)
class Name:
    """`fairness/equal_opportunity`: a category, and a rule in it."""

    category: str
    rule: str

    @classmethod
    def parse(cls, text: str) -> Name:
        """From `CATEGORY/RULE`. `BadRequest` for what would be no package, path and id at once."""
        category, slash, rule = text.partition("/")
        if not slash:
            suggestion = text.replace(".", "/", 1) if "." in text else f"CATEGORY/{text}"
            raise _bad_name(text, "it is not CATEGORY/RULE", f"Write {ascii(suggestion)[1:-1]}")
        for part in (category, rule):
            if _NAME.fullmatch(part) is None or len(part) > _LONGEST_NAME:
                raise _bad_name(
                    text,
                    f"{part[:_LONGEST_NAME]!a} is not a name",
                    "Write lower-case words that _ joins, such as equal_opportunity",
                )
            if part in _KEYWORDS or part in LAYERS:
                raise _bad_name(text, f"{part!r} is a word of the language", "Choose another name")
        if rule.endswith("_test"):
            raise _bad_name(text, "a name that ends in _test is a test's", "Choose another name")
        return cls(category, rule)

    @property
    def id(self) -> str:
        """`fairness.equal_opportunity`."""
        return f"{self.category}.{self.rule}"

    @property
    def folder(self) -> str:
        """Relative to the root."""
        return f"mandate/rules/{self.category}/{self.rule}"

    @property
    def file(self) -> str:
        """The rule, relative to the root."""
        return f"{self.folder}/{self.rule}.rego"

    @property
    def test_file(self) -> str:
        """Its tests, relative to the root."""
        return f"{self.folder}/{self.rule}_test.rego"

    @property
    def threshold_file(self) -> str:
        """The file with its threshold, relative to the root."""
        return f"thresholds/{self.category}.yaml"


def _bad_name(text: str, what: str, next_step: str) -> BadRequest:
    return BadRequest(what, where=ascii(text[:200])[1:-1], next_step=next_step)


@dataclass(frozen=True, slots=True)
class NewRule:
    """What is known of a rule before anybody has written it."""

    name: Name
    collector: str
    comparison: Comparison
    threshold: str
    """As it stands in YAML and Rego: `0.05`, `["a", "b"]`."""
    severity: str
    effective_on: str
    title: str | None = None
    replaces: str | None = None

    @property
    def is_share(self) -> bool:
        """Whether it judges a figure in 0 … 1."""
        return self.has_named_figures and self.comparison.is_of_numbers and 0 <= Decimal(self.threshold) <= 1

    @property
    def has_named_figures(self) -> bool:
        """Whether what it judges is found by its name."""
        return self.collector in _WITH_NAMED_FIGURES and self.comparison.is_of_numbers


def collector(name: Name, given: str | None) -> str:
    """The collector that is given, or else the one that the category is named after."""
    chosen = given or {"registry": "mlflow", "schema": "data_schema"}.get(name.category, name.category)
    if chosen not in _FACTS:
        raise BadRequest(
            f"no collector is named {chosen!r}"
            if given
            else "nothing says which collector's facts it judges",
            where="--collector",
            next_step=advice(given, _FACTS) if given else f"Name one of {', '.join(_FACTS)}",
        )
    return chosen


def threshold(comparison: Comparison, given: str | None) -> str:
    """The threshold as YAML and Rego both read it; without one, the strictest that there is."""
    if comparison.is_of_numbers:
        return _number(given if given is not None else "0" if comparison is Comparison.AT_MOST else "1")
    words = [word.strip() for word in (given if given is not None else templates.TODO).split(",")]
    if not all(words) or len(set(words)) < len(words) or not all(map(str.isprintable, words)):
        raise BadRequest(
            "it is not a list of different texts", where="--threshold", next_step="Write it as one,two"
        )
    return json.dumps(words, ensure_ascii=False)


def _number(text: str) -> str:
    try:
        number = Decimal(text)
        digits = format(number.normalize(), "f") if number.is_finite() else ""
    except InvalidOperation:
        digits = ""
    if not digits or len(digits) > _MOST_DIGITS:
        raise BadRequest(
            f"{text[:40]!a} is not a number", where="--threshold", next_step="Write a number such as 0.05"
        )
    return digits


def title(given: str | None) -> str | None:
    """The title, one line of text."""
    if given is not None and not (given.strip() and given.isprintable() and len(given) <= _LONGEST_TITLE):
        raise BadRequest(
            "it is not one short line of text",
            where="--title",
            next_step=f"Write a sentence of at most {_LONGEST_TITLE} characters without a full stop",
        )
    return given.strip() if given is not None else None


def rule(new: NewRule) -> str:
    """The rule's file."""
    shape = templates.RULES[new.collector if new.has_named_figures else ""]
    return templates.METADATA.substitute(_metadata(new)) + shape.substitute(_judging(new))


def test(new: NewRule) -> str:
    """The test's file."""
    shape = new.collector if new.has_named_figures else ""
    cases = "\n".join(
        f"\t{json.dumps(note, ensure_ascii=False)}: {case}," for note, case in _cases(new, shape).items()
    )
    return templates.TEST.substitute(
        id=new.name.id,
        changes=templates.CHANGES[shape].substitute(section=_FACTS[new.collector][0]),
        cases=cases,
        steps=templates.STEPS[shape].substitute(rule=new.name.rule),
    )


def settings(new: NewRule) -> str:
    """What is added to the file of thresholds."""
    return templates.THRESHOLD.substitute(name=new.name.rule, threshold=new.threshold)


def _metadata(new: NewRule) -> Mapping[str, str]:
    replaces = "" if new.replaces is None else templates.REPLACES.substitute(rule=new.replaces)
    return {
        "title": _as_yaml(new.title) if new.title else f"{templates.TODO} say in one line what must hold",
        "severity": new.severity,
        "category": new.name.category,
        "id": new.name.id,
        "effective_on": new.effective_on,
        "collector": new.collector,
        "replaces": replaces,
        "schema": _schema(new),
    }


def _schema(new: NewRule) -> str:
    tightens = f"tightens: {new.comparison.tightens}"
    if new.is_share:
        return f"{{type: number, {tightens}, minimum: 0, maximum: 1}}"
    if new.comparison.is_of_numbers:
        return f"{{type: number, {tightens}}}"
    return (
        f"{{type: array, {tightens}, minItems: 1, uniqueItems: true, items: {{type: string, minLength: 1}}}}"
    )


def _judging(new: NewRule) -> Mapping[str, str]:
    return {
        "category": new.name.category,
        "name": new.name.rule,
        "collector": new.collector,
        "function": new.comparison.function,
        "figure": "facts.share" if new.is_share else "facts.figure",
        "example": _FACTS[new.collector][1],
    }


def _cases(new: NewRule, shape: str) -> Mapping[str, str]:
    """The table of cases: Rego objects by what each says."""
    section = f"/{_FACTS[new.collector][0]}"

    def verdicts(verdict: str) -> str:
        return templates.VERDICTS[shape].substitute(verdict=verdict)

    def replaced(path: str, value: str) -> str:
        return f'[testing.replaced("{path}", {value})]'

    rows = [(note, f"value({value})", verdicts(verdict)) for note, value, verdict in _values(new)]
    if new.comparison is Comparison.ONE_OF:  # where a text may pass, another place shows that none does there
        rows.append(
            ("a string in its place has no verdict", replaced(section, '"text"'), verdicts("no verdict"))
        )
    unjudged = verdicts("no verdict")
    if shape:
        path, unjudged = templates.LISTS[shape]
        rows.append(("an empty list has no verdict", replaced(path, "[]"), unjudged))
    else:
        rows.append(("an empty list fails", "value([])", verdicts("fails")))
    rows.append(("an absent section has no verdict", replaced(section, "null"), unjudged))
    return {note: f'{{"changes": {changes}, "verdicts": {expected}}}' for note, changes, expected in rows}


def _values(new: NewRule) -> list[tuple[str, str, str]]:
    """On both sides of the threshold, and what is no value: what each says, the value, the verdict."""
    if new.comparison.is_of_numbers:
        bound = Decimal(new.threshold)
        beyond = bound + (_JUST_BEYOND if new.comparison is Comparison.AT_MOST else -_JUST_BEYOND)
        return [
            ("at the threshold passes", new.threshold, "holds"),
            ("just beyond it fails", format(beyond, "f"), "fails"),
            ("null fails", "null", "fails"),
            ("a string fails", json.dumps(new.threshold), "fails"),
        ]
    first = json.dumps(json.loads(new.threshold)[0], ensure_ascii=False)
    if new.comparison is Comparison.ONE_OF:
        return [
            ("what is listed passes", first, "holds"),
            ("what is not listed fails", '"another"', "fails"),
            ("null fails", "null", "fails"),
        ]
    return [
        ("what is listed passes", new.threshold, "holds"),
        ("what is not listed fails", '["another"]', "fails"),
        ("null fails", "null", "fails"),
        ("a string fails", first, "fails"),
    ]


def _as_yaml(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
