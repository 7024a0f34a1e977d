"""`mandate policy`: what compliance people have for policies. One module a command."""

from __future__ import annotations

import click

from ..lazy import LazyGroup

_COMMANDS = {
    "new": "Write the folder of a new rule: Rego, threshold and tests to fill in.",
    "list": "Show which rules apply to what.",
    "show": "Show one rule: what it asks, its thresholds and where each was set.",
    "check": "Find what is wrong with the policies, with file, line and the fix.",
    "test": "Run the policies' own tests.",
    "docs": "Write a page for each rule, and a site to search them.",
    "bundle": "Make, sign and verify the bundle that OPA loads.",
    "diff": "Say in a reviewer's words what changed between two revisions.",
    "impact": "Judge recorded decisions again under changed policies: which would flip.",
    "schema": "Print the JSON Schema of a policy file, for editors.",
}


@click.command(
    "policy",
    cls=LazyGroup,
    package=__name__,
    modules=_COMMANDS,
    context_settings={"max_content_width": 100},
)
def command() -> None:
    """Write, test, check, release and compare policies."""
