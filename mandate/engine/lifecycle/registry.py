"""What acts on models ask of a model registry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol


class Version(Protocol):
    """A registered model version."""

    @property
    def name(self) -> str:
        """The registered model's name."""

    @property
    def version(self) -> str:
        """Its number, as text."""

    @property
    def uri(self) -> str:
        """`models:/<name>/<version>`."""


class Registry(Protocol):
    """A model registry. Every method raises `RegistryUnavailable` if it does not answer."""

    @property
    def location(self) -> str:
        """Its URI, without anything secret."""

    def resolve(self, uri: str) -> Version:
        """The version that `uri` names now. `UnknownSubject` if there is none."""

    def alias_of(self, uri: str) -> str | None:
        """The alias in `uri`; `None` if it names a version."""

    def aliases(self, name: str) -> Mapping[str, str]:
        """The version that each alias of the model names. `UnknownSubject` if there is no such model."""

    def models(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Every registered model, with the version that each of its aliases names."""

    def move_alias(self, name: str, alias: str, version: str | None, *, expected: str | None) -> None:
        """Let the alias name `version`, or remove it; `SubjectChanged` if it does not name `expected`."""

    def retired(self, name: str, version: str) -> str | None:
        """By which entry of the log the version is marked as retired; `None` if it is not."""

    def mark_retired(self, name: str, version: str, entry: str | None) -> None:
        """Mark the version as retired by an entry of the log, or as not retired."""

    def digest(self, uri: str) -> str:
        """Root digest of the version's files, read afresh."""
