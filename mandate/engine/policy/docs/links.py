"""Where the page of a rule is. The rule's id is the anchor."""

from __future__ import annotations

from urllib.parse import quote


def page(rule: str) -> str:
    """Of `fairness.demographic_parity`: `rules/fairness/demographic_parity`, without a suffix."""
    category, _, name = rule.partition(".")
    return f"rules/{quote(category, safe='')}/{quote(name, safe='')}"


def address(site: str, rule: str) -> str:
    """The page of a rule on the site at this URL."""
    return f"{site.rstrip('/')}/{page(rule)}.html#{quote(rule, safe='')}"
