"""Where people sign: beside the ledger, or far from it, by what a service shows and takes in."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import click
from click.core import ParameterSource

from . import options

if TYPE_CHECKING:
    from datetime import datetime

    from ..configuration import Configuration
    from ..evidence.keys import Signer
    from ..evidence.predicates.base import Predicate
    from ..evidence.receipt import Receipt, Record
    from ..evidence.signatory import Standing
    from ..remote.client import Service

    Signed: TypeAlias = Receipt | Path
    """Where it is on record, or in which file."""

_Command = TypeVar("_Command", bound=Callable[..., Any])
_ELSEWHERE = {"name": "--as", "keys": "--ledger-key"}
_HERE = {"file": "--config", "overrides": "--set"}


class Who(Protocol):
    """Whoever signs. What is signed is on record then, or in a file."""

    @property
    def name(self) -> str:
        """As the policies have it."""

    @property
    def keyid(self) -> str:
        """With which key."""

    def check_approval(self, record: Record, role: str) -> None:
        """`BadRequest` if it is known already that this could not count."""

    def approve(self, record: Record, role: str, *, reference: str | None, reason: str | None) -> Signed:
        """Consent to the artifact of a decision, for the findings in it."""

    def check_waiver(self, record: Record, rule: str, until: datetime) -> None:
        """`BadRequest` if it is known already that this could not count."""

    def waive(self, record: Record, rule: str, *, until: datetime, reason: str, reference: str) -> Signed:
        """Answer for a violation, for a time."""

    def revocable(self, entry: Predicate) -> Standing:
        """What would be revoked. `BadRequest` if nothing is."""

    def revoke(self, entry: Predicate, *, reason: str) -> Signed:
        """Take back an approval, a waiver or an allow."""


class Side(Protocol):
    """Where somebody signs."""

    @property
    def who(self) -> Who:
        """Whoever signs."""

    @property
    def link(self) -> Callable[[str], str] | None:
        """Gives the address of a rule's page."""

    @property
    def notes(self) -> Sequence[tuple[str, str]]:
        """What people should know of what they were shown: a name and a sentence each."""

    @property
    def verified_by(self) -> Sequence[str] | None:
        """The keys of the ledger by which what was shown is verified. `None` beside the ledger, which proves
        it to itself."""

    def shown(
        self,
        subject: str,
        reference: str | None,
        *,
        sha256: str | None,
        action: str | None,
        environment: str | None,
    ) -> Record:
        """The decision whose findings are shown: about this artifact, if its digest is given."""

    def entry(self, reference: str) -> Predicate:
        """What the entry says."""


Open = Callable[[ExitStack], Side]


class Here:
    """Beside the ledger, which is open until `stack` ends."""

    notes: Sequence[tuple[str, str]] = ()
    verified_by: Sequence[str] | None = None

    def __init__(self, configuration: Configuration, signer: Signer, stack: ExitStack) -> None:
        from ... import composition

        self._configuration = configuration
        self.who: Who = composition.consenting(configuration, signer, stack)
        self.link = composition.documentation(configuration)

    def shown(
        self,
        subject: str,
        reference: str | None,
        *,
        sha256: str | None,
        action: str | None,
        environment: str | None,
    ) -> Record:
        """The one that is named, the newest, or what would be decided now."""
        from ... import composition
        from ..evidence.signatory import refuse_unfit

        asked = {"action": action, "environment": environment}
        record = composition.shown(self._configuration, subject, reference, **asked)
        refuse_unfit(record, uri=record.document.subject.uri, sha256=sha256, revision=None)
        return record

    def entry(self, reference: str) -> Predicate:
        """Read from the ledger, and proven."""
        from ... import composition

        return composition.entry(self._configuration, reference)


def side(command: _Command) -> _Command:
    """Adds whose key signs, and where: `--server`, `--out`, and what belongs to them. Passes what opens the
    `side`; its errors are those of a wrong use before anything else."""

    @options.personal
    @click.option("--as", "name", metavar="NAME", help="Your name, where no service says it.")
    @click.option(
        "--ledger-key",
        "keys",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        multiple=True,
        envvar="MANDATE_LEDGER_KEY",
        help="The ledger's public key (.pub), by which what you are shown is verified; may be repeated.",
    )
    @click.option(
        "--out",
        type=click.Path(dir_okay=False, writable=True, path_type=Path),
        metavar="FILE",
        help="Only write what you sign there, for others to hand in.",
    )
    @options.elsewhere
    @options.configurable
    @functools.wraps(command)
    def opening(
        *args: Any,
        signer: Callable[[], Signer],
        name: str | None,
        keys: tuple[Path, ...],
        out: Path | None,
        server: Callable[[], Service] | None,
        configuration: Callable[[], Configuration],
        **kwargs: Any,
    ) -> Any:
        if server is None and out is None:
            _refuse(_ELSEWHERE, "{} is for --server, or --out")

            def opened(stack: ExitStack) -> Side:
                return Here(configuration(), signer(), stack)
        else:
            _refuse(_HERE, "A service has settings of its own: leave out {}")

            def opened(stack: ExitStack) -> Side:
                from .far_side import There

                return There(server, signer(), name=name, keys=keys, out=out)

        return command(*args, side=opened, **kwargs)

    return opening  # type: ignore[return-value]  # the decorators add options, which types cannot say


def _refuse(options: dict[str, str], message: str) -> None:
    source = click.get_current_context().get_parameter_source
    for name, option in options.items():
        if source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(message.format(option) + ".")
