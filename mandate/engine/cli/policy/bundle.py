"""`mandate policy bundle`."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...configuration import Configuration
from ...digests import sha256
from ...errors import BadConfiguration, BadPolicy
from ...report.visible import visible
from .. import options
from .options import opa_of, perhaps_configured

if TYPE_CHECKING:
    from ...policy.contents import Contents
    from ...policy.release_keys import ReleaseKey, VerificationKey
    from ...policy.sources import Sources

_LARGEST = 999_999_999
_EPILOG = """\b
Examples:
  mandate policy bundle --new-key keys/policies.pem
  mandate policy bundle --key keys/policies.pem --release 7 --to policies.tar.gz
  mandate policy bundle --verify policies.tar.gz --key keys/policies.pub
"""


@click.command("bundle", epilog=_EPILOG)
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("policies.tar.gz"),
    show_default=True,
    help="The file to write.",
)
@click.option(
    "--key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The private key to sign with; with --verify, the public key.",
)
@click.option(
    "--release",
    type=click.IntRange(1, _LARGEST),
    metavar="N",
    help="The number of the release: one more than the last. A signed bundle has one.",
)
@click.option(
    "--from",
    "reference",
    metavar="REVISION",
    help="These policies: a folder, a bundle, a git ref, a revision.  [default: those of mandate.yaml]",
)
@click.option(
    "--verify",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Make nothing: say whether this bundle is what it says.",
)
@click.option(
    "--new-key",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Make only this: a key to sign policies with, and its public key beside it.",
)
@click.option(
    "--algorithm",
    type=click.Choice(["EdDSA", "ES256"]),
    help="Of the new key: ES256 if OPA sidecars fetch the bundle.  [default: EdDSA]",
)
@options.output
@perhaps_configured
def command(
    to: Path,
    key: Path | None,
    release: int | None,
    reference: str | None,
    verify: Path | None,
    new_key: Path | None,
    algorithm: str | None,
    output: str,
    configuration: Configuration | None,
) -> None:
    """Make, sign and verify the bundle of the policies.

    OPA loads it, and a mandate.yaml can name it under `policies`, with `policy_key`. The same policies make
    the same bytes everywhere. It carries their sources, so that it can be read, compared and tested.
    """
    if verify is not None and new_key is not None:
        raise click.UsageError("Give either --verify or --new-key.")
    if (verify is not None or new_key is not None) and (release is not None or reference is not None):
        raise click.UsageError("--release and --from are for making a bundle.")
    if new_key is None and algorithm is not None:
        raise click.UsageError("--algorithm is for a --new-key: with a --key it follows from the key.")
    if new_key is not None:
        _show(_created(new_key, algorithm or "EdDSA", configuration), output)
    elif verify is not None:
        _show(_verified(verify, key, configuration), output)
    else:
        _show(_released(to, key, release, reference, configuration), output)


def _created(file: Path, algorithm: str, configuration: Configuration | None) -> dict[str, Any]:
    from .... import composition
    from ...policy.release_keys import ReleaseKey

    if configuration is not None:
        ledger = composition.key_folder(configuration)
        if file.absolute().parent.resolve() == ledger.resolve():
            raise BadConfiguration(
                "all public keys in this folder may sign evidence",
                where=str(file),
                next_step="Put the key of the policies into another folder",
            )
    made = ReleaseKey.create(file, algorithm).verification
    return {
        "key": str(file),
        "public_key": str(file.with_suffix(".pub")),
        "keyid": made.keyid,
        "algorithm": made.algorithm,
    }


def _released(
    to: Path,
    file: Path | None,
    release: int | None,
    reference: str | None,
    configuration: Configuration | None,
) -> dict[str, Any]:
    from ... import durably
    from ...policy.release_keys import ReleaseKey
    from ...policy.releasing import released

    if file is not None and release is None:
        raise click.UsageError(
            "Give the --release: a signed bundle has a number, one more than the last one's."
        )
    key = None if file is None else ReleaseKey.load(file)
    if key is not None and configuration is not None:
        _refuse_the_ledgers(key, configuration)
    opa = opa_of(configuration)
    sources = _sources(reference, configuration)
    content = released(sources, opa=opa, release=release, key=key)
    try:
        durably.write(to, content)
    except OSError as error:
        raise BadConfiguration(
            f"the bundle cannot be written: {error.strerror}", where=str(to), next_step="Correct --to"
        ) from error
    return _about(content, to, key.verification if key else None)


def _refuse_the_ledgers(key: ReleaseKey, configuration: Configuration) -> None:
    from .... import composition

    if key.verification.keyid in composition.public_keys(configuration):
        raise BadConfiguration(
            "this key signs the ledger's evidence: whoever releases policies could write evidence, too",
            where=str(key.file),
            next_step="Make another one with --new-key",
        )


def _sources(reference: str | None, configuration: Configuration | None) -> Sources:
    from .... import composition, share
    from ...policy import revisions
    from ...policy.sources import read

    with ExitStack() as stack:
        if reference is not None:
            revision = stack.enter_context(
                revisions.at(
                    reference,
                    folder=Path.cwd(),
                    settings=configuration.file if configuration else None,
                    store=composition.policy_store(configuration) if configuration else None,
                )
            )
            return read(revision.roots)
        return read(composition.policy_folders(configuration) if configuration else [share.policies()])


def _verified(file: Path, key_file: Path | None, configuration: Configuration | None) -> dict[str, Any]:
    from ...policy import archive
    from ...policy.releasing import verified

    key = _verification_key(key_file, configuration)
    content = archive.read(file)
    try:
        verified(content, key, opa=opa_of(configuration))
    except BadPolicy as error:
        where = f"{file}: {error.where}" if error.where else str(file)
        raise BadPolicy(error.what, where=where, next_step=error.next_step) from error
    return {"verified": True, **_about(content, file, key)}


def _verification_key(file: Path | None, configuration: Configuration | None) -> VerificationKey:
    from ...policy.release_keys import VerificationKey

    if file is None and configuration is not None and configuration.settings.policy_key is not None:
        file = configuration.path(configuration.settings.policy_key)
    if file is None:
        raise click.UsageError("Give the public --key of whoever released it.")
    return VerificationKey.load(file)


def _about(content: bytes, file: Path, key: VerificationKey | None) -> dict[str, Any]:
    from ...policy.contents import parsed

    contents: Contents = parsed(content)
    return {
        "file": str(file),
        "sha256": sha256(content),
        "revision": contents.revision,
        "release": contents.release,
        "keyid": key.keyid if key else None,
        "algorithm": key.algorithm if key else None,
        "rules": contents.rules,
        "roots": contents.sources.roots,
    }


def _show(about: dict[str, Any], output: str) -> None:
    if output == "json":
        click.echo(json.dumps(about, indent=2))
    elif "rules" not in about:
        click.echo(f"wrote {visible(about['key'])}: keep it secret, and away from the ledger's key")
        click.echo(f"wrote {visible(about['public_key'])}: give it to all who use the policies (policy_key)")
        click.echo(f"\nThe key's fingerprint is {about['keyid']}.")
    else:
        _show_bundle(about)


def _show_bundle(about: dict[str, Any]) -> None:
    signed = f"{about['keyid']} ({about['algorithm']})" if about["keyid"] else "nobody"
    layers = f"{about['roots']} layer{'s' if about['roots'] != 1 else ''}"
    lines = {
        "revision": about["revision"],
        "release": "none" if about["release"] is None else f"{about['release']:,}",
        "signed by": signed,
        "rules": f"{about['rules']:,}, in {layers}",
        "digest": f"sha256:{about['sha256']}",
    }
    for name, value in lines.items():
        click.echo(f"{name:<10} {value}")
    if about.get("verified"):
        click.secho(
            f"✓ {visible(about['file'])} is signed, and is what the sources in it compile to", fg="green"
        )
    else:
        click.secho(f"✓ wrote {visible(about['file'])}", fg="green")
