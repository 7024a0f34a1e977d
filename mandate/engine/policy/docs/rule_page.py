"""The page of one rule."""

from __future__ import annotations

from collections.abc import Iterator

from .library import Library, Rule, Waiver
from .markdown import code, document, fence, heading, html_code, link, paragraphs, table, text
from .wording import NOTICE, instant, listed, rule_link, threshold_blocks, threshold_link

_UP = "../../"


def rule_page(rule: Rule, library: Library) -> str:
    """Markdown."""
    return document(
        NOTICE,
        heading(1, text(rule.title), anchor=rule.id),
        paragraphs(rule.description),
        _facts(rule, library),
        heading(2, "What makes it pass"),
        *_passing(rule),
        heading(2, "If it does not pass"),
        *_failing(rule),
        *_waivers(rule),
        heading(2, "Source"),
        *_sources(rule),
    )


def _facts(rule: Rule, library: Library) -> str:
    everywhere = set(rule.environments) == set(library.environments)
    environments = listed(map(code, rule.environments))
    rows = [
        ("Severity", rule.severity),
        ("Actions", listed(rule.actions)),
        ("Environments", f"all: {environments}" if everywhere else environments),
        ("Collections", listed(link(code(name), f"{_UP}collections.md#{name}") for name in rule.collections)),
        ("Evidence supporting", "<br>".join(_control(name, library) for name in rule.controls) or "none"),
        ("Collectors", listed(map(code, rule.depends_on))),
        ("Denies from", instant(rule.effective_on)),
        ("Waivable", "yes" if rule.waivable else "no: nobody can waive it"),
    ]
    return table(("Rule", code(rule.id)), [*rows, *_replacements(rule)])


def _control(name: str, library: Library) -> str:
    return link(text(name), f"{_UP}controls.md#{library.anchors[name]}")


def _replacements(rule: Rule) -> Iterator[tuple[str, str]]:
    if rule.replaces is not None:
        other, reason = rule.replaces
        yield "Replaces", f"{rule_link(other, up=_UP)}: {text(reason)}"
    if rule.replaced_by is not None:
        yield "Replaced by", rule_link(rule.replaced_by, up=_UP)


def _passing(rule: Rule) -> Iterator[str]:
    if rule.replaced_by is not None:
        yield f"Where {rule_link(rule.replaced_by, up=_UP)} judges, once it denies, this rule judges nothing."
    yield (
        "Each term that the rule names must be proven to hold. What is absent, mistyped or was not judged "
        "does not pass."
    )
    if not rule.thresholds:
        yield "The rule reads no threshold: nothing in it can be set."
        return
    yield "The bounds are set in these thresholds. Of the rows that fit a model, the last one counts."
    for threshold in rule.thresholds:
        yield heading(3, threshold_link(threshold, up=_UP))
        yield from threshold_blocks(threshold)
        others = [rule_link(other, up=_UP) for other in threshold.rules if other != rule.id]
        if others:
            yield f"Also read by {', '.join(others)}."


def _failing(rule: Rule) -> Iterator[str]:
    yield f"The report says: *{text(rule.failure_msg)}*"
    yield f"**What to do.** {text(rule.solution)}"
    yield (
        f"A violation denies from {instant(rule.effective_on)}; until then it is a warning. "
        + ("For a single model it can be waived, for a time." if rule.waivable else "It cannot be waived.")
    )


def _waivers(rule: Rule) -> Iterator[str]:
    if not rule.waivable:
        return
    yield heading(2, "Waivers")
    yield "\n".join(map(_waiver, rule.waivers)) or "The policies hold none for this rule."


def _waiver(waiver: Waiver) -> str:
    subject = (
        f"{code(waiver.subject['name'])} version {code(waiver.subject['version'])}"
        if "name" in waiver.subject
        else f"the artifact {code(waiver.subject['sha256'])}"
    )
    of = f", term {code(waiver.term)}" if waiver.term else ""
    return (
        f"- **{subject}**{of}: {text(waiver.reason)}<br>From {instant(waiver.effective_on)} until "
        f"{instant(waiver.expires)}, approved by {text(waiver.approver)}, recorded as "
        f"{text(waiver.reference)}, set at {code(waiver.set_at)}"
    )


def _sources(rule: Rule) -> Iterator[str]:
    for source in rule.sources:
        yield f"<details>\n<summary>{html_code(source.label)}</summary>"
        yield fence("rego", source.content.decode("utf-8", "replace"))
        yield "</details>"
