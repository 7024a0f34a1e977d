"""Model URIs: `models:/credit/3` and `models:/credit@challenger`.

Read by hand and not as a URL: MLflow's own parser takes what stands after a `?` for a query and drops it, so
that two readers could understand two models. Here every character of a name counts, and nothing is decoded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mandate.engine.errors import BadRequest

SCHEME = "models:/"
MAX_NAME = 256
"""Characters in a registered model's name, as in MLflow's database."""

_FORM = "Write models:/<name>/<version> or models:/<name>@<alias>"
_VERSION = re.compile(r"[1-9][0-9]{0,9}")
_ALIAS = re.compile(r"[A-Za-z0-9_\-]{1,255}")
_STAGES = {"none", "staging", "production", "archived"}
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class ModelUri:
    """A version by its number, or by an alias that may move: exactly one of the two is set."""

    name: str
    version: str | None = None
    alias: str | None = None

    def __str__(self) -> str:
        return (
            f"{SCHEME}{self.name}@{self.alias}"
            if self.version is None
            else f"{SCHEME}{self.name}/{self.version}"
        )


def parse(uri: str) -> ModelUri:
    """What `uri` names. `BadRequest` if it is neither of the two forms."""
    if not uri.startswith(SCHEME):
        raise BadRequest(f"{_shown(uri)} is not a model URI", next_step=_FORM)
    path = uri.removeprefix(SCHEME)
    name, slash, version = path.partition("/")
    if slash:
        return ModelUri(checked_name(name), version=_checked_version(version, uri))
    name, at, alias = path.rpartition("@")
    if not at:
        raise BadRequest(f"{_shown(uri)} names no version", next_step=_FORM)
    return ModelUri(checked_name(name), alias=checked_alias(alias))


def checked_name(name: str) -> str:
    """The name of a registered model, as it is. `BadRequest` if MLflow could not have such a model."""
    if not name.strip() or len(name) > MAX_NAME:
        raise BadRequest(
            f"a model's name has 1 to {MAX_NAME} characters, not {len(name)}",
            where=_shown(name),
            next_step=_FORM,
        )
    if any(character in "/:" or not character.isprintable() for character in name) or name in (".", ".."):
        raise BadRequest(
            "a model's name has no slash, colon or control character and is no folder",
            where=_shown(name),
            next_step=_FORM,
        )
    return name


def checked_alias(alias: str) -> str:
    """The alias, as it is. `BadRequest` if MLflow could not have it."""
    if not _ALIAS.fullmatch(alias):
        raise BadRequest(
            f"{_shown(alias)} is not an alias",
            next_step="An alias has letters, digits, underscores and dashes only",
        )
    return alias


def checked_version(version: str) -> str:
    """The number of a version, as it is. `BadRequest` if it is none."""
    if not _VERSION.fullmatch(version):
        raise BadRequest(f"{_shown(version)} is not a version", next_step="A version is a number from 1")
    return version


def _checked_version(version: str, uri: str) -> str:
    if version.lower() in _STAGES:
        raise BadRequest(
            f"{_shown(version)} is a stage, and MLflow has deprecated stages",
            where=_shown(uri),
            next_step="Name a version or an alias, such as models:/credit/3 or models:/credit@champion",
        )
    if version.lower() == "latest":
        raise BadRequest(
            "latest is not one version: whoever registers next decides which one it is",
            where=_shown(uri),
            next_step="Name a version or an alias, such as models:/credit/3 or models:/credit@champion",
        )
    return checked_version(version)


def _shown(text: str) -> str:
    """What came from outside, in quotes, escaped and cut."""
    return ascii(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
