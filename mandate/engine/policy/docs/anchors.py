"""An extension of Sphinx: `<a id="fairness.demographic_parity"></a>` in a page is an anchor as it is written.

Sphinx makes the ids of sections itself, without dots. Here a section has the id that stands in its heading:
the id of a rule is its anchor. Links to anchors are checked, and the search knows the ids of rules.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_ANCHOR = re.compile(r'<a id="(?P<anchor>[\w.-]+)">')
_BEFORE_SPHINX_COLLECTS_TITLES = 400


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_object_type("rule", "rule", objname="rule")
    app.connect("doctree-read", _anchor, priority=_BEFORE_SPHINX_COLLECTS_TITLES)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _anchor(app: Sphinx, doctree: Any) -> None:
    from docutils import nodes  # type: ignore[import-untyped]  # docutils has no types

    page = app.env.current_document.docname
    standard = app.env.domains.standard_domain
    for opening in list(doctree.findall(nodes.raw)):
        if (found := _ANCHOR.fullmatch(opening.astext())) is None:
            continue
        anchor, around = found["anchor"], opening.parent
        around.remove(around[around.index(opening) + 1])  # </a>
        if isinstance(around, nodes.title):
            around.remove(opening)
            around.parent["ids"].insert(0, anchor)
        else:
            opening.replace_self(nodes.target("", "", ids=[anchor]))
        standard.anonlabels[f"{page}#{anchor}"] = page, anchor
        if page.startswith("rules/"):
            standard.note_object("rule", anchor, anchor, location=around)
