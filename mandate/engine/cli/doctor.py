"""`mandate doctor`."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ... import __version__
from ..configuration import Configuration, find, load
from ..errors import BadConfiguration, IssuerUnavailable, MandateError, UnderWay
from ..evidence.columns import Kind
from ..report.visible import visible
from . import options

if TYPE_CHECKING:
    from ..evidence.keys import Signer
    from ..service.access.issuer_settings import IssuerSettings

_LIBRARIES = {
    "mlflow": "mlflow",
    "fairlearn": "fairlearn",
    "sklearn": "scikit-learn",
    "evidently": "evidently",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked at."""

    what: str
    found: str
    next_step: str = ""
    """How to mend it; empty if it is well."""

    @property
    def well(self) -> bool:
        """Whether there is nothing to mend."""
        return not self.next_step


@click.command("doctor")
@options.settings_file
def command(file: Path | None) -> int:
    """Say what is installed, what is missing and how to get it. Exits 2 if something is missing."""
    ill = 0
    for diagnosis in _diagnoses(file):
        ill += not diagnosis.well
        mark, colour = ("✓", "green") if diagnosis.well else ("✗", "red")
        click.secho(f"{mark} ", fg=colour, nl=False)
        click.echo(f"{diagnosis.what:<14} {visible(diagnosis.found, 400)}")
        if diagnosis.next_step:
            click.echo(f"{'':<17}→ {visible(diagnosis.next_step, 400)}")
    return 2 if ill else 0


def _diagnoses(file: Path | None) -> Iterator[Diagnosis]:
    yield Diagnosis("mandate", f"{__version__} on Python {sys.version.split()[0]}")
    yield from _libraries()
    try:
        configuration = load(file or find(Path.cwd()), environment=os.environ)
    except BadConfiguration as error:
        yield from _opa(None)
        yield _ill("mandate.yaml", error)
        return
    yield from _opa(configuration)
    yield Diagnosis("mandate.yaml", str(configuration.file))
    yield _looked_at("policies", lambda: _policies(configuration))
    signers = cache(lambda: _signers(configuration))  # a passphrase is asked for once
    yield _looked_at("ledger", lambda: _ledger(configuration, signers()[1]))
    yield _looked_at("acts", lambda: _acts(configuration))
    yield _looked_at("signing key", lambda: _key(configuration, *signers()))
    yield _looked_at("collectors", lambda: _collectors(configuration))
    yield _looked_at("judging", lambda: _judging(configuration))
    yield from _service(configuration)


def _looked_at(what: str, look: Callable[[], str]) -> Diagnosis:
    try:
        return Diagnosis(what, look())
    except MandateError as error:
        return _ill(what, error)


def _ill(what: str, error: MandateError) -> Diagnosis:
    found = f"{error.where}: {error.what}" if error.where else error.what
    return Diagnosis(what, found, error.next_step or "Correct it")


def _opa(configuration: Configuration | None) -> Iterator[Diagnosis]:
    from ... import composition
    from ..opa import places
    from ..opa.locate import find_opa, version

    def opa() -> str:
        program = composition.opa_program(configuration) if configuration else find_opa()
        return f"{version(program)} at {program}"

    if configuration and (url := configuration.settings.opa.url):
        yield Diagnosis("OPA", f"a sidecar at {url}")
    else:
        yield _looked_at("OPA", opa)
    regal = places.program("regal")
    found = str(regal) if regal.is_file() else "not installed; only `mandate policy check` wants it"
    yield Diagnosis("Regal", found)


def _libraries() -> Iterator[Diagnosis]:
    missing = [name for module, name in _LIBRARIES.items() if importlib.util.find_spec(module) is None]
    if missing:
        yield Diagnosis(
            "libraries",
            f"without {', '.join(missing)} facts cannot be collected, only ready documents judged",
            "Run `pip install 'mandate[collectors]'`",
        )
    else:
        yield Diagnosis("libraries", "all that collectors need")


def _policies(configuration: Configuration) -> str:
    from ... import composition

    bundle = composition.bundle(configuration)
    environments = ", ".join(bundle.scope.environments)
    return f"{len(bundle.catalogue)} rules, {bundle.revision[:19]}…, for {environments}"


def _signers(configuration: Configuration) -> tuple[Signer, Signer]:
    """Who signs the ledger's entries, and who its heads."""
    from ... import composition

    signer = composition.signing_key(configuration)
    return signer, composition.head_key(configuration, signer)


def _ledger(configuration: Configuration, heads: Signer) -> str:
    from ... import composition

    ledger = composition.ledger(configuration, heads)
    count = ledger.count()
    kept = f"{count:,} {'entry' if count == 1 else 'entries'} of {ledger.origin} in {ledger.location}"
    kept += f" ({ledger.durability()})"
    ledger.close()
    return kept


def _acts(configuration: Configuration) -> str:
    """Whether something that was intended was left in the middle."""
    from ... import composition
    from ..lifecycle.course import intended, unsettled

    with composition.opened(configuration) as store:
        for stored in unsettled(store):
            who = next((each.name for each in stored.columns.mentions if each.kind == Kind.PERSON), None)
            raise UnderWay(
                f"{intended(who, stored.columns.action, stored.columns.subject)}, and no entry says what "
                "became of it",
                where=f"entry {stored.index}",
                next_step="If it is not going on just now, run `mandate ledger reconcile`",
            )
    return "what was intended has a result"


def _key(configuration: Configuration, signer: Signer, heads: Signer) -> str:
    from ... import composition

    with ExitStack() as stack:
        composition.recorder(configuration, stack, signer, heads).entitle()
    beside = "" if heads is signer else f", and {heads.public_key.keyid} the heads"
    return f"{signer.public_key.keyid} signs{beside}"


def _collectors(configuration: Configuration) -> str:
    from ... import composition

    composition.check_collectors(configuration)
    names = configuration.settings.collectors
    return ", ".join(names) if names else "none configured: only ready documents can be judged"


def _judging(configuration: Configuration) -> str:
    from ... import composition

    if (url := configuration.settings.opa.url) is not None:
        with composition.sidecar(configuration, url) as client:
            client.health()
        return f"OPA answers at {url}"
    with composition.local_opa(configuration, composition.bundle(configuration)) as opa:
        opa.ready()
    return "OPA answers at a socket of its own, started for each question"


def _service(configuration: Configuration) -> Iterator[Diagnosis]:
    """Who may call the service, where there is one."""
    settings = configuration.settings.service
    callers = configuration.path(settings.callers)
    if callers.exists():
        yield _looked_at("serving", lambda: _serving(settings.listen))
        yield _looked_at("callers", lambda: _callers(callers))
    for each in settings.oidc:
        yield _looked_at("issuer", partial(_issuer, each, configuration))


def _serving(listen: str) -> str:
    from ..service import libraries

    libraries.demand()
    return f"`mandate serve` answers at {listen}"


def _callers(path: Path) -> str:
    from ..service.access import tokens

    found = tokens.listed(path)
    names = (f"{each.name} ({', '.join(each.roles)}{', expired' if each.expired else ''})" for each in found)
    return ", ".join(names) or "nobody is on the list"


def _issuer(settings: IssuerSettings, configuration: Configuration) -> str:
    if importlib.util.find_spec("jwt") is None:
        raise BadConfiguration(
            "the library that reads its keys is not installed",
            where=settings.issuer,
            next_step="Run `pip install 'mandate[service]'`",
        )
    from ..service.access import key_sources

    found = key_sources.reader(settings, configuration.path)()
    if not found.keys:
        raise IssuerUnavailable(
            f"it has no key for {', '.join(settings.algorithms)}",
            where=settings.issuer,
            next_step="Name the algorithm that it signs with",
        )
    return f"{settings.issuer}, by the keys {', '.join(sorted({kid for kid, _ in found.keys}))}"
