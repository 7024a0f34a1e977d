"""What an object claims about its model, and whether what it pulls bears that out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .governed import DIGEST, MODEL, NO_MODEL, Governed, Said
from .verdict import Reason

_MODEL = re.compile(r"(?:models:/)?(?P<name>[^/@\s]{1,400})/(?P<version>[0-9][\w.+-]{0,99})", re.ASCII)
"""A version begins with a digit: an alias or a stage, which may mean another one tomorrow, does not."""
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class NoModel:
    """The claim that no model runs there."""


@dataclass(frozen=True, slots=True)
class ModelClaim:
    """The claim that this model version runs there, which carries this digest."""

    name: str
    version: str
    sha256: str
    others: tuple[tuple[str, str], ...] = ()
    """Digests of other models that it pulls, each with its path: each needs an allow of its own."""


def read(governed: Governed) -> NoModel | ModelClaim | tuple[Reason, ...]:
    """The claim; or everything that is wrong with it, at once."""
    reasons = [Reason(text) for text in (*governed.faults, *governed.contradictions())]
    said = governed.said[0]
    if governed.annotation(MODEL) == NO_MODEL:
        if governed.annotation(DIGEST) is not None:
            reasons.append(_reason(said, DIGEST, f"says a digest, and {MODEL} says that there is no model"))
        return tuple(reasons) or NoModel()
    named = _model(said, governed.annotation(MODEL))
    digest = _digest(said, governed.annotation(DIGEST))
    reasons += [found for found in (named, digest) if isinstance(found, Reason)]
    reasons += [Reason(pull.fault, place=pull.path) for pull in governed.pulls if pull.fault]
    if isinstance(digest, str):
        reasons += _unproven(governed, digest)
    if reasons or isinstance(named, Reason) or isinstance(digest, Reason):
        return tuple(reasons)
    others = {pull.digest: pull.path for pull in governed.pulls if pull.is_model and pull.digest}
    others.pop(digest, None)
    return ModelClaim(*named, digest, tuple(sorted(others.items())))


def _model(said: Said, value: str | None) -> tuple[str, str] | Reason:
    if value is None:
        return _reason(said, MODEL, f"is missing: name the model version ({MODEL}: credit/3)")
    matched = _MODEL.fullmatch(value)
    if matched is None:
        return _reason(said, MODEL, f"is {value!a}, and must be a model's name and version, such as credit/3")
    return matched["name"], matched["version"]


def _digest(said: Said, value: str | None) -> str | Reason:
    if value is None:
        return _reason(said, DIGEST, "is missing: say the digest that was judged (sha256:…)")
    matched = _DIGEST.fullmatch(value)
    if matched is None:
        return _reason(said, DIGEST, f"is {value!a}, and must be sha256: and 64 hexadecimal digits")
    return matched[1]


def _unproven(governed: Governed, digest: str) -> Iterator[Reason]:
    """A digest that nothing carries says nothing about what will run."""
    if all(pull.digest != digest for pull in governed.pulls):
        pulled = ", ".join(pull.path for pull in governed.pulls) or "nothing"
        yield _reason(
            governed.said[0],
            DIGEST,
            f"is sha256:{digest}, and nothing that is pulled carries it ({pulled})",
        )


def _reason(said: Said, name: str, text: str) -> Reason:
    place = f"{said.path}[{name}]"
    return Reason(f"{place} {text}", place=place)
