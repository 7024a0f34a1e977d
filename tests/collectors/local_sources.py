"""The real sources over a folder of local files, for collectors that need no registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mandate.engine.errors import SourceMissing, UnknownSubject
from mandate.engine.input.gathering import Target
from mandate.engine.input.registered import Signature
from mandate.engine.input.subject import Action
from mandate.sources import VersionSources

TARGET = Target("credit", "1", "models:/credit/1", None, Action.PROMOTE, "production")
MONITORED = Target("credit", "1", "models:/credit/1", None, Action.MONITOR, "production")


@dataclass(frozen=True)
class Unregistered:
    """A version that has a signature at most."""

    uri: str = "models:/credit/1"
    run_id: str | None = None


@dataclass(frozen=True)
class NothingRegistered:
    """A registry without versions, so that every location is a local one."""

    known: Signature | None = None

    def resolve(self, uri: str) -> Unregistered:
        raise UnknownSubject("there is no such model", where=uri)

    def download(self, uri: str) -> Path:
        raise SourceMissing("there are no files", where=uri)

    def run_file(self, run_id: str, path: str) -> Path:
        raise SourceMissing("there is no such run", where=run_id)

    def signature(self, uri: str) -> Signature | None:
        return self.known


def local(folder: Path, signature: Signature | None = None) -> VersionSources:
    return VersionSources(NothingRegistered(signature), Unregistered(), folder=folder)
