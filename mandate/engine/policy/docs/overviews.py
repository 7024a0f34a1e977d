"""The pages that lead to the rules: all of them, by collection, by control and by threshold."""

from __future__ import annotations

from collections.abc import Iterator

from .controls import Framework
from .library import Library, Threshold
from .markdown import anchored, code, document, heading, link, table, text
from .wording import NOTICE, listed, rule_link, rules_table, settings_table, threshold_blocks


def index(library: Library) -> str:
    """`index.md`: every rule."""
    counted = f"{len(library.rules):,} {'rule' if len(library.rules) == 1 else 'rules'}"
    rows = (
        (rule_link(rule.id), text(rule.title), rule.severity, listed(rule.actions)) for rule in library.rules
    )
    return document(
        NOTICE,
        heading(1, "Policies"),
        f"{counted} that a machine-learning model is held against before it is promoted or deployed, and "
        "while it is in service. Each has a page with what makes it pass, its bounds and who set them.",
        "\n".join(
            (
                f"- {link('Controls', 'controls.md')}: which rule produces evidence supporting which clause",
                f"- {link('Collections', 'collections.md')}: which rules judge which models",
                f"- {link('Thresholds', 'thresholds.md')}: every bound, its value and the line that sets it",
            )
        ),
        heading(2, "Rules"),
        table(("Rule", "Passes where", "Severity", "Actions"), rows),
        f"These pages show the revision {code(library.revision)}.",
    )


def collections(library: Library) -> str:
    """`collections.md`: which rules judge, and the rules of each collection."""
    return document(
        NOTICE,
        heading(1, "Collections"),
        "A collection is a set of rules that can be chosen by one name.",
        heading(2, "Which rules judge"),
        "The patterns stand for rules: `*` for every rule, `@name` for those of a collection, `category` for "
        "those of a category, `category.rule` for one rule and `category.rule:term` for one term of it.",
        "Of the rows that fit a model, the last one counts. What is excluded is not judged even where it is "
        "included.",
        heading(3, "Included"),
        settings_table(library.include),
        heading(3, "Excluded"),
        settings_table(library.exclude),
        *(
            block
            for name, rules in library.collections.items()
            for block in (heading(2, code(name), anchor=name), rules_table(rules))
        ),
    )


def controls(library: Library) -> str:
    """`controls.md`: the rules that produce evidence supporting each control, by framework."""
    return document(
        NOTICE,
        heading(1, "Controls"),
        "What the rules decide is recorded, and is *evidence supporting* the clause beside them. Whether a "
        "clause is satisfied is for people to judge: it asks for more than any rule can see.",
        *(block for framework in library.frameworks for block in _framework(framework, library)),
    )


def _framework(framework: Framework, library: Library) -> Iterator[str]:
    titles = {rule.id: rule.title for rule in library.rules}
    yield heading(2, text(framework.name))
    yield f"{framework.about[0].upper()}{framework.about[1:]}." if framework.about else ""
    yield table(
        ("Clause", "Evidence supporting it comes from"),
        (
            (
                anchored(text(control.clause), library.anchors[control.name]),
                "<br>".join(f"{rule_link(rule)} {text(titles[rule])}" for rule in control.rules),
            )
            for control in framework.controls
        ),
    )


def thresholds(library: Library) -> str:
    """`thresholds.md`: every bound, and who set it where."""
    groups: dict[str, list[Threshold]] = {}
    for threshold in library.thresholds:
        groups.setdefault(threshold.name.partition(".")[0], []).append(threshold)
    return document(
        NOTICE,
        heading(1, "Thresholds"),
        "The bounds that rules read, by the file that sets them. Of the rows that fit a model, the last one "
        "counts.",
        *(
            block
            for group, members in groups.items()
            for block in (
                heading(2, code(group)),
                *(each for threshold in members for each in _threshold(threshold)),
            )
        ),
    )


def _threshold(threshold: Threshold) -> Iterator[str]:
    yield heading(3, code(threshold.name), anchor=threshold.anchor)
    yield from threshold_blocks(threshold)
    readers = [rule_link(rule) for rule in threshold.rules] or [
        code(place) for place in dict.fromkeys(declared.where for declared in threshold.declared)
    ]
    yield f"Read by {', '.join(readers)}."
