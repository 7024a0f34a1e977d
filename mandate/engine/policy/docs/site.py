"""The pages as a static site with search: by Sphinx, which reads Markdown with MyST and looks like Furo.

It is built in a temporary folder, asks no other host for anything, and neither do its pages. A warning of
Sphinx, such as a link that leads nowhere, is an error.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...errors import BadConfiguration, BadPolicy
from .library import Library
from .links import page

_STATIC = Path(__file__).parent / "static"
_NO_PAGES = re.compile(r"\.buildinfo.*|objects\.inv|\.doctrees/.*")


def _coloured(links: str) -> dict[str, str]:
    return {f"color-brand-{name}": links for name in ("primary", "content", "visited")}


_SETTINGS: Mapping[str, Any] = {
    "project": "Policies",
    "html_title": "Policies",
    "extensions": ["myst_parser", "mandate.engine.policy.docs.anchors"],
    "suppress_warnings": ["misc.highlighting_failure"],  # how Rego is coloured says nothing of the policies
    # Nothing in the pages means these; should a text ever get past the escapes, it still does not.
    "myst_disable_syntax": [
        "myst_role",
        "myst_target",
        "myst_line_comment",
        "myst_block_break",
    ],
    "smartquotes": False,
    "language": "en",
    "html_theme": "furo",
    "html_theme_options": {
        "light_css_variables": _coloured("#0b5e73"),
        "dark_css_variables": _coloured("#6cc6dc"),
    },
    "html_static_path": [str(_STATIC)],
    "html_css_files": ["policies.css"],
    "html_use_index": False,
    "html_domain_indices": False,
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_show_copyright": False,
    "html_show_sphinx": False,
    "html_last_updated_fmt": None,
}


def site(library: Library, pages: Mapping[str, str]) -> dict[str, bytes]:
    """The site's files by their paths. `BadConfiguration` where Sphinx, MyST or Furo is not installed."""
    return build({**pages, "index.md": pages["index.md"] + "".join(_menu(library))})


def _menu(library: Library) -> Iterator[str]:
    """The tree of pages, which forges would show as code."""
    yield _branch("Overviews", ["controls", "collections", "thresholds"])
    for category, rules in library.categories.items():
        yield _branch(category, [f"{rule.name} <{page(rule.id)}>" for rule in rules])


def _branch(caption: str, entries: list[str]) -> str:
    return "\n".join(("\n```{toctree}", ":hidden:", f":caption: {caption}", "", *entries, "```\n"))


def build(pages: Mapping[str, str]) -> dict[str, bytes]:
    """The site made of these pages. `BadPolicy` for pages that Sphinx has something to say against."""
    if any(find_spec(name) is None for name in ("sphinx", "myst_parser", "furo")):
        raise BadConfiguration(
            "the site is made with Sphinx, MyST and Furo, which are not installed",
            next_step="Run `pip install 'mandate[docs]'`, or write Markdown without --site",
        )
    with TemporaryDirectory(prefix="mandate-docs-") as name:
        source, output = Path(name).resolve() / "source", Path(name).resolve() / "site"
        for path, content in pages.items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_text(content, encoding="utf-8")
        (source / "conf.py").write_text(f"globals().update({dict(_SETTINGS)!r})\n", encoding="utf-8")
        _run_sphinx(source, output)
        return {
            ".nojekyll": b"",  # GitHub would leave out folders that begin with _
            **{path: (output / path).read_bytes() for path in _made(output)},
        }


def _run_sphinx(source: Path, output: Path) -> None:
    """In a process of its own: Sphinx changes docutils, which it shares, and cannot be run twice in one."""
    options = ["--fail-on-warning", "--no-color", "--quiet", "--fresh-env", "--builder", "html"]
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "sphinx", *options, str(source), str(output)],
        cwd=source,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        check=False,
    )
    if ended.returncode:
        said = ended.stderr.decode("utf-8", "replace").replace(f"{source}/", "").strip()
        raise BadPolicy(
            f"the site cannot be made of the pages: {said.partition(chr(10))[0] or 'Sphinx failed'}",
            next_step="Report it with the policies, and write Markdown without --site",
        )


def _made(output: Path) -> Iterator[str]:
    for file in sorted(output.rglob("*")):
        path = file.relative_to(output).as_posix()
        if file.is_file() and not _NO_PAGES.fullmatch(path):
            yield path
