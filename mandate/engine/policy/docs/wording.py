"""The words and tables that several pages share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..overview import Value
from .library import Rule, Threshold
from .links import page
from .markdown import code, link, paragraphs, table, text, value

NOTICE = "<!-- Written by `mandate policy docs`: change the policies, not this page. -->"

_LAYERS: dict[str, Callable[..., str]] = {
    "default": lambda: "everything",
    "tiers": lambda tier: f"risk tier {code(tier)}",
    "environments": lambda environment: f"environment {code(environment)}",
    "tiers_in_environments": lambda environment, tier: f"risk tier {code(tier)} in {code(environment)}",
    "families": lambda family: f"family of models {code(family)}",
    "models": lambda model: f"model {code(model)}",
}


def rule_link(rule: str, *, up: str = "") -> str:
    """A link to the page of the rule; `up` leads from the page with the link to the folder of `index.md`."""
    return link(code(rule), f"{up}{page(rule)}.md#{rule}")


def threshold_link(threshold: Threshold, *, up: str = "") -> str:
    """A link to the threshold."""
    return link(code(threshold.name), f"{up}thresholds.md#{threshold.anchor}")


def _for(setting: Value) -> str:
    layer, *names = setting.layer
    return _LAYERS[layer](*names)


def settings_table(settings: Sequence[Value], unit: str = "") -> str:
    """The values of a setting, from the widest to the most specific."""
    after = f" {text(unit)}" if unit else ""
    return table(
        ("For", "Value", "Set at"),
        ((_for(each), f"{value(each.value)}{after}", code(each.set_at)) for each in settings),
    )


def remarks(threshold: Threshold) -> str:
    """What the files say of single values beyond what the threshold is, as a list."""
    said: dict[str, list[str]] = {}
    for each in threshold.settings:
        if each.comment not in ("", threshold.explanation):
            said.setdefault(each.comment, []).append(_for(each))
    return "\n".join(f"- {', '.join(places)}: {text(comment)}" for comment, places in said.items())


def threshold_blocks(threshold: Threshold) -> tuple[str, ...]:
    """What the threshold is, what it may be, and what it is set to."""
    ranges = dict.fromkeys(declared.described for declared in threshold.declared)
    return (
        paragraphs(threshold.explanation),
        f"It is {' and '.join(map(text, ranges))}.",
        settings_table(threshold.settings, next((each.unit for each in threshold.declared if each.unit), "")),
        remarks(threshold),
    )


def rules_table(rules: Iterable[Rule]) -> str:
    """Rules with what each asks."""
    return table(("Rule", "Passes where"), ((rule_link(rule.id), text(rule.title)) for rule in rules))


def instant(value: str) -> str:
    """`2026-01-01T00:00:00Z` as people write it."""
    day, _, time = value.partition("T")
    return text(f"{day} {time.removesuffix('Z').removesuffix(':00')} UTC")


def listed(items: Iterable[str]) -> str:
    """Markdown items with commas, or the word `none`."""
    return ", ".join(items) or "none"
