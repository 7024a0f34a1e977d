"""`mandate retire`."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import click

from ..configuration import Configuration
from ..errors import MandateError
from ..report.terminal import console
from ..report.visible import visible
from . import options
from .acting import act, moved

if TYPE_CHECKING:
    from ..lifecycle.registry import Registry


@click.command("retire")
@click.argument("subject")
@options.reason
@options.output
@options.configured
def command(subject: str, reason: str, output: str, configuration: Configuration) -> int:
    """Take a model version out of service.

    SUBJECT is a version, models:/credit/3 or models:/credit@champion. All aliases that name it are removed,
    and it is marked in the registry with the entry that says why. Nothing that allowed it before stands any
    more: to be promoted again it must be judged again.
    """
    from ... import composition
    from ..evidence.predicates.acts import VersionStated
    from ..lifecycle import plans

    with ExitStack() as stack:
        registry = stack.enter_context(composition.model_registry(configuration))
        version = registry.resolve(subject)
        recorder = composition.recorder(configuration, stack)
        lifecycle = composition.lifecycle(configuration, registry, recorder, stack)
        known = lifecycle.course(version.name).digests.get((version.name, version.version))
        stated = VersionStated(version=version.version, sha256=known or _digest(registry, version.uri))
        aliases = registry.aliases(version.name)
        plan = plans.retirement(version.name, stated, aliases=aliases, by=composition.caller(), reason=reason)
        acted = act(lifecycle, lambda: plan)
    if output == "json":
        document = {
            "subject": {"name": version.name, "version": version.version, "uri": version.uri},
            "aliases": acted.moves,
            "act": acted.document,
            "error": str(acted.error) if acted.error else None,
        }
        click.echo(json.dumps(document, indent=2))
        return acted.error.exit_code if acted.error else 0
    shown = console(sys.stdout)
    if not acted.error:
        label = f"{visible(version.name)} version {visible(version.version)} is retired"
        shown.print(f"\n  {label}", style="green")
    for move in acted.moves:
        shown.print(f"  {moved(move)}")
    acted.show()
    if acted.error:
        raise acted.error
    return 0


def _digest(registry: Registry, uri: str) -> str | None:
    """The artifact's digest. A version whose files are gone can be retired, too."""
    with suppress(MandateError):
        return registry.digest(uri)
    return None
