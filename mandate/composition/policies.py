"""The policies that the settings name: folders that are compiled, or one bundle that was released."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.configuration import LIBRARY, Configuration
from ..engine.errors import BadConfiguration
from ..engine.policy import bundle as policy_bundle
from ..engine.policy.bundle import Bundle
from ..engine.policy.folder import is_file
from .opa import opa_program

if TYPE_CHECKING:
    from ..engine.policy.releases import Release


def policy_folders(configuration: Configuration) -> list[Path]:
    """The folders with policies, the library first; or one file, the bundle that was released."""
    if (release := policy_release(configuration)) is not None:
        return [release.root(policy_store(configuration))]
    return _folders(configuration)


def bundle(configuration: Configuration) -> Bundle:
    """The compiled policies: from the store beside the ledger, or compiled into it."""
    return compiled_policies(configuration, policy_release(configuration))


def compiled_policies(configuration: Configuration, release: Release | None) -> Bundle:
    """The same, where the release is known already."""
    store, opa = policy_store(configuration), partial(opa_program, configuration)
    if release is not None:
        return policy_bundle.of_release(release, opa=opa, store=store)
    return policy_bundle.compile(_folders(configuration), opa=opa, store=store)


def past_policies(configuration: Configuration, revision: str) -> Bundle:
    """The policies of a revision that decided here, or is about to. `BadPolicy` if they were not kept."""
    return policy_bundle.past(revision, store=policy_store(configuration))


def _folders(configuration: Configuration) -> list[Path]:
    from .. import share

    return [
        share.policies() if root == LIBRARY else configuration.path(root)
        for root in configuration.settings.policies
    ]


def policy_store(configuration: Configuration) -> Path:
    """Where every revision that ever decided is kept."""
    return configuration.state / "policies"


def policy_release(configuration: Configuration) -> Release | None:
    """The signed bundle that `policies` names, its signature verified; `None` if it names folders.

    With `policy_key` nothing but a bundle that this key signed is a root of policies. `BadConfiguration` if
    the settings do not fit together, `BadPolicy` if the bundle is refused.
    """
    settings = configuration.settings
    if settings.policy_key is None:
        _refuse_bundles(configuration)
        return None
    from ..engine.policy import releases
    from ..engine.policy.release_keys import VerificationKey

    root = configuration.path(settings.policies[0])
    if len(settings.policies) > 1 or settings.policies[0] == LIBRARY or root.is_dir():
        raise BadConfiguration(
            "with policy_key, the only root of policies is a signed bundle, which carries all its layers; "
            f"here stands {', '.join(map(repr, settings.policies))}",
            where=configuration.document.where(("policies",)),
            next_step="Name the one bundle that `mandate policy bundle` made, or remove policy_key",
        )
    return releases.accepted(
        root,
        VerificationKey.load(configuration.path(settings.policy_key)),
        opa=partial(opa_program, configuration),
        store=policy_store(configuration),
    )


def _refuse_bundles(configuration: Configuration) -> None:
    """Whose policies are they? Without a key nobody knows."""
    for number, root in enumerate(configuration.settings.policies):
        if root != LIBRARY and is_file(configuration.path(root)):
            raise BadConfiguration(
                f"{root!r} is a bundle, and without policy_key nobody knows who made it",
                where=configuration.document.where(("policies", number)),
                next_step="Set policy_key to the public key of whoever releases the policies",
            )


def documentation(configuration: Configuration) -> Callable[[str], str] | None:
    """What gives the address of a rule's page by the rule's id; `None` where the settings name no site."""
    if (setting := configuration.settings.documentation) is None:
        return None
    from ..engine.policy.docs.links import address

    site = setting if "://" in setting else configuration.path(setting).absolute().as_uri()
    return partial(address, site)
