"""One recorded decision, judged again by what judged it: the same input, policies and OPA give the same
decision.

Three things are needed, and each may be gone: the input, which the ledger keeps; the bundle of the policies'
revision, which is kept beside the ledger; an OPA of the same version. Nothing else is used, neither the
policies as they are now nor the library that comes with this Mandate.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from ..digests import document_sha256
from ..errors import BadPolicy, NotAnAnswer, OpaUnavailable
from ..evidence.signed import Signed
from ..opa.client import BUNDLE, DECISION, OpaClient
from ..opa.locate import version
from ..opa.process import LocalOpa
from ..policy.bundle import Bundle
from .difference import Difference, Json, difference

_RELEASE = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}", re.ASCII)


class Standing(Enum):
    """Whether something that is needed can be had."""

    SAME = "same"
    ANOTHER = "another"
    """Not that one, but one in its place."""
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Needed:
    """One of the three."""

    name: str
    """`input`, `policies` or `opa`."""
    standing: Standing
    what: str
    """Which one, and why not if it is not the same: one clause."""


@dataclass(frozen=True, slots=True)
class Means:
    """With what a decision can be judged again."""

    needed: tuple[Needed, ...]
    """The input, the policies and OPA, in this order."""
    bundle: Bundle | None
    opa: Path | None

    @property
    def suffice(self) -> bool:
        """Whether anything can be judged."""
        return all(one.standing is not Standing.GONE for one in self.needed)

    @property
    def faithful(self) -> bool:
        """Whether it would be the same policies and the same OPA."""
        return all(one.standing is Standing.SAME for one in self.needed)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came out."""

    decision_sha256: str
    """Of the decision in the form in which it was recorded."""
    same: bool
    """Byte for byte."""
    difference: Difference
    """With every member of each finding."""
    elsewhere: Mapping[str, tuple[Any, Any]]
    """What else differs: the member of the decision, as recorded and now."""


def means(
    recorded: Signed,
    past: Callable[[str], Bundle],
    opa_of: Callable[[str], tuple[Path, str] | None],
    *,
    given: tuple[Path, str] | None = None,
) -> Means:
    """What there is to judge the decision with.

    `past`: the stored bundle of a revision, or `BadPolicy`. `opa_of`: the program and the version of an OPA,
    of this version if there is one, else of another; `None` if there is none. `given`: the OPA to use, of
    whatever version.
    """
    document = Needed("input", Standing.SAME, f"on record, entry {recorded.index}")
    policies, bundle = _policies(recorded, past)
    if recorded.opa_version is None:
        reasons = "; ".join(recorded.decision.get("reasons", ()))
        what = f"no answer of an OPA counted when it was recorded: {reasons}"
        return Means((document, policies, Needed("opa", Standing.GONE, what)), bundle, None)
    found = given or (opa_of(recorded.opa_version) if _RELEASE.fullmatch(recorded.opa_version) else None)
    opa, program = _opa(recorded.opa_version, found, given is not None)
    return Means((document, policies, opa), bundle, program)


def _policies(recorded: Signed, past: Callable[[str], Bundle]) -> tuple[Needed, Bundle | None]:
    try:
        bundle = past(recorded.revision)
    except BadPolicy as error:
        return Needed("policies", Standing.GONE, f"{recorded.revision}: {error.what}"), None
    if bundle.sha256 != recorded.bundle_sha256:
        # The same sources, compiled once more, perhaps by another OPA.
        what = f"{recorded.revision}, but compiled again: the bundle that judged is no longer kept"
        return Needed("policies", Standing.ANOTHER, what), bundle
    return Needed("policies", Standing.SAME, recorded.revision), bundle


def _opa(wanted: str, found: tuple[Path, str] | None, is_given: bool) -> tuple[Needed, Path | None]:
    if found is None:
        return Needed("opa", Standing.GONE, f"{wanted} judged, and there is none here"), None
    program, here = found
    if here == wanted:
        return Needed("opa", Standing.SAME, wanted), program
    if is_given:
        return Needed("opa", Standing.ANOTHER, f"{here} instead of {wanted}, which judged"), program
    return Needed("opa", Standing.GONE, f"{wanted} judged, and the one here is {here}"), None


def again(recorded: Signed, bundle: Bundle, opa: Path, *, timeout: float) -> Replayed:
    """Judge once more. `CouldNotDecide` if OPA does not answer, or others than these policies do."""
    with (
        LocalOpa(opa, bundle.path, bundle_sha256=bundle.sha256, timeout=timeout) as local,
        OpaClient(local.url, timeout=timeout) as client,
    ):
        answer = client.ask(DECISION, recorded.question)
        if dict(answer.revisions) != {**local.beside, BUNDLE: recorded.revision}:
            raise NotAnAnswer(
                "other policies answered than those of the stored bundle",
                where=str(bundle.path),
                next_step="Restore this bundle from a backup",
            )
    return compared(recorded, answer.result)


def compared(recorded: Signed, result: Json) -> Replayed:
    """The result of OPA held against the decision on record."""
    decision = _as_recorded(dict(result), recorded.decision)
    sha256 = document_sha256(decision)
    try:
        found = difference(recorded.decision, decision, members=None)
    except (KeyError, TypeError, AttributeError) as error:
        raise NotAnAnswer(
            "OPA's result is not a decision", where="OPA", next_step="Replay it with the OPA that judged"
        ) from error
    told = ("outcome", "reasons", "findings") if found else ("outcome", "reasons")
    return Replayed(
        sha256,
        sha256 == recorded.decision_sha256,
        found,
        {
            name: (recorded.decision.get(name), decision.get(name))
            for name in sorted(decision.keys() | recorded.decision.keys())
            if name not in told and decision.get(name) != recorded.decision.get(name)
        },
    )


def _as_recorded(said: Any, recorded: Any) -> Any:
    """What OPA said, with those members of nothing, null and empty lists, that Mandate wrote down then.

    Nothing else is added or left out, so only the decision on record has its digest.
    """
    if isinstance(said, Mapping) and isinstance(recorded, Mapping):
        unsaid = {name: value for name, value in recorded.items() if _is_nothing(value)}
        return unsaid | {
            name: _as_recorded(value, recorded.get(name))
            for name, value in said.items()
            if name in recorded or not _is_nothing(value)
        }
    if isinstance(said, list) and isinstance(recorded, list) and len(said) == len(recorded):
        return [_as_recorded(one, other) for one, other in zip(said, recorded, strict=True)]
    return said


def _is_nothing(value: Any) -> bool:
    return value is None or value == []


def of_version(wanted: str, programs: Iterable[Path]) -> tuple[Path, str] | None:
    """Of these programs the first OPA of this version; else the first OPA at all."""
    other: tuple[Path, str] | None = None
    for program in programs:
        try:
            found = version(program)
        except OpaUnavailable:
            continue
        if found == wanted:
            return program, found
        other = other or (program, found)
    return other
