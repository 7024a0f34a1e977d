"""Everything that Mandate raises on purpose.

    MandateError
    ├── BadRequest             exit 2: the caller must change something
    │   ├── BadConfiguration   mandate.yaml, an environment variable or a flag
    │   ├── BadInput           an input document, or a source that the settings name
    │   ├── BadPolicy          Rego, thresholds, collections or their bundle
    │   └── UnknownSubject     no such model, version, alias or decision
    ├── NotEnsured             the service's certificates could not be made, or made known
    ├── SourceMissing          a source of facts does not have what was looked for; becomes `Missing`
    └── CouldNotDecide         exit 3: nobody can say allow or deny
        ├── OpaUnavailable     no OPA, a refused version, down, or too slow
        ├── NotAnAnswer        OPA answered, but not with a decision of the expected policies
        ├── SubjectChanged     the model is no longer what was judged
        ├── RegistryUnavailable
        ├── IssuerUnavailable  nobody can say whether a caller's token is its issuer's
        ├── UnderWay           something else is being done to the model, or was cut off
        └── NotRecorded        the ledger could not take the decision, or is damaged

Each error says what was wrong, where, and what to do next. The parts are fields, so that
a report can set them apart; `str(error)` is the whole sentence.
"""

from __future__ import annotations

from typing import ClassVar


class MandateError(Exception):
    """What was wrong, where, and what to do next."""

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, where: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        """One clause, without a full stop: the thing that was wrong."""
        self.where = where
        """The file and line, setting, URL or entry; empty where there is no place."""
        self.next_step = next_step
        """One imperative sentence that begins in upper case, without a full stop; empty if unknown."""

    def __str__(self) -> str:
        located = f"{self.where}: {self.what}" if self.where else self.what
        if not self.next_step:
            return f"{located}."
        return f"{located}. {self.next_step}{'' if self.next_step.endswith('?') else '.'}"


class BadRequest(MandateError):
    """What was asked cannot be answered until the caller changes it."""

    exit_code = 2


class BadConfiguration(BadRequest):
    """`mandate.yaml`, an environment variable or a flag is wrong."""


class BadInput(BadRequest):
    """An input document or a source of facts is not what it must be."""


class BadPolicy(BadRequest):
    """Rego, thresholds, collections or a bundle that cannot be used."""

    others: tuple[BadPolicy, ...] = ()
    """What else is wrong, in the order in which it was found: the error itself is about the first."""


class UnknownSubject(BadRequest):
    """No such model, version, alias or decision."""


class SourceMissing(MandateError):
    """A source was asked and does not have it: the collector reports `Missing`, the policies judge that."""


class NotEnsured(MandateError):
    """The service's certificates could not be made, or whoever asks it could not be told whom to believe."""


class CouldNotDecide(MandateError):
    """Neither allow nor deny: the outcome is *undecided*."""


class OpaUnavailable(CouldNotDecide):
    """There is no OPA to ask, or it did not answer in time."""


class NotAnAnswer(CouldNotDecide):
    """OPA answered with something that is not a decision of the expected policies."""


class SubjectChanged(CouldNotDecide):
    """The model is no longer the one whose facts were collected."""


class RegistryUnavailable(CouldNotDecide):
    """The model registry could not be asked."""


class IssuerUnavailable(CouldNotDecide):
    """The keys of an OpenID Connect issuer could not be read."""


class UnderWay(CouldNotDecide):
    """Something else is being done to the model, or was cut off: two acts at once would undo each other."""


class NotRecorded(CouldNotDecide):
    """The ledger did not take the entry, or cannot be read."""
