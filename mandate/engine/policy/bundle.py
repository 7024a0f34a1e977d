"""Policies as OPA loads them: one bundle for one revision, kept for ever.

The bundle of a revision is `<hex>.tar.gz` in the store, with its digest beside it. On the way of every
decision lies only: read the sources, compute the revision, digest the bundle. So this module imports nothing
that only compiling needs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import durably
from ..digests import file_sha256, sha256
from ..errors import BadConfiguration, BadPolicy
from .sources import Sources, read

if TYPE_CHECKING:
    from .releases import Release
    from .scope import Scope

DIGEST_SUFFIX = ".sha256"
_SUFFIX = ".tar.gz"
_HEX_DIGITS = 64


@dataclass(frozen=True)
class Bundle:
    """Compiled policies. The properties are read from the bundle when they are first asked for."""

    revision: str
    """`sha256:<hex>` over the sources: see `Sources.revision`."""
    path: Path
    """The `.tar.gz` that OPA loads."""
    sha256: str
    """Digest of that file."""

    @property
    def catalogue(self) -> Mapping[str, Mapping[str, Any]]:
        """`data.mandate.catalogue`: the annotations of each rule by its id."""
        catalogue: Mapping[str, Mapping[str, Any]] = self.data["catalogue"]
        return catalogue

    @property
    def thresholds(self) -> Mapping[str, Any]:
        """`data.mandate.thresholds`: layered settings, each value with who set it."""
        thresholds: Mapping[str, Any] = self.data["thresholds"]
        return thresholds

    @property
    def selection(self) -> Mapping[str, Any]:
        """`data.mandate.selection`: the layered settings `include` and `exclude`."""
        selection: Mapping[str, Any] = self.data["selection"]
        return selection

    @cached_property
    def scope(self) -> Scope:
        """The environments and risk tiers that a request may name."""
        from .scope import Scope

        return Scope.from_data(self.data["scope"])

    @cached_property
    def data(self) -> dict[str, Any]:
        """`data.mandate`, without what Rego defines. `BadPolicy` if the file is no longer what it was."""
        import tarfile

        from . import archive

        try:
            data: dict[str, Any] = json.loads(archive.first(self._content(), archive.DATA))["mandate"]
        except (OSError, tarfile.TarError, KeyError, ValueError) as failure:
            raise self._unreadable() from failure
        return data

    @cached_property
    def sources(self) -> Sources:
        """The files that it was compiled from, without tests. `BadPolicy` if it carries none."""
        from . import contents

        try:
            return contents.parsed(self._content()).sources
        except OSError as failure:
            raise self._unreadable() from failure

    def _content(self) -> bytes:
        content = self.path.read_bytes()
        if sha256(content) != self.sha256:
            raise BadPolicy(
                "the bundle was changed after it was compiled",
                where=str(self.path),
                next_step="Remove it and try again",
            )
        return content

    def _unreadable(self) -> BadPolicy:
        return BadPolicy(
            "the bundle cannot be read", where=str(self.path), next_step="Remove it and try again"
        )


def compile(  # noqa: A001  (policy.bundle.compile reads as what it does)
    roots: Sequence[Path], *, opa: Path | Callable[[], Path], store: Path
) -> Bundle:
    """The bundle of these folders of policies, the library first, from the store or newly compiled into it.

    `opa` is asked for only if something must be compiled. `BadPolicy` for policies that cannot be compiled,
    `OpaUnavailable` if there is no OPA to compile them, `BadConfiguration` for a store that cannot be used.
    """
    return _of(read(roots), opa, store)


def of_release(release: Release, *, opa: Callable[[], Path], store: Path) -> Bundle:
    """As `compile`, of the sources that a signed bundle carries."""
    return _kept(release.revision, store) or _of(release.sources, opa, store)


def past(revision: str, *, store: Path) -> Bundle:
    """The bundle of an earlier revision, for a replay. `BadPolicy` if it was not kept, or is damaged."""
    digits = revision.removeprefix("sha256:")
    well_formed = len(digits) == _HEX_DIGITS and set(digits) <= set("0123456789abcdef")
    kept = _kept(f"sha256:{digits}", store) if well_formed else None
    if kept is None:
        raise BadPolicy(
            "the bundle of this revision is not in the store, or is damaged",
            where=ascii(revision)[1:-1],
            next_step="Check out the policies as they were then, and compile them",
        )
    return kept


def restore(revision: str, content: bytes, *, store: Path) -> bool:
    """Keep the bundle of an earlier revision, as `past` finds it; `False` if it is not of this revision.

    What is kept already stays. `BadConfiguration` for a store that cannot be written.
    """
    from . import contents

    try:
        if contents.parsed(content).revision != revision:
            return False
    except BadPolicy:
        return False
    if _kept(revision, store) is None:
        _keep(revision, content, store)
    return True


def _file(revision: str, store: Path) -> Path:
    return store / f"{revision.removeprefix('sha256:')}{_SUFFIX}"


def _kept(revision: str, store: Path) -> Bundle | None:
    """The stored bundle; `None` if there is none or its bytes are not those that were stored."""
    file = _file(revision, store)
    try:
        expected = file.with_name(file.name + DIGEST_SUFFIX).read_text(encoding="ascii").strip()
        found = file_sha256(file)
    except (OSError, ValueError):
        return None
    return Bundle(revision, file, found) if found == expected else None


def _of(sources: Sources, opa: Path | Callable[[], Path], store: Path) -> Bundle:
    kept = _kept(sources.revision, store)
    if kept is not None:
        return kept
    return _compiled(sources, opa if isinstance(opa, Path) else opa(), store)


def _compiled(sources: Sources, opa: Path, store: Path) -> Bundle:
    from . import archive
    from .build import build

    content = archive.pack(build(sources.deciding, opa=opa))
    # Another process may have compiled the same meanwhile: its bundle is as good, and perhaps already loaded.
    if (kept := _kept(sources.revision, store)) is not None:
        return kept
    return _keep(sources.revision, content, store)


def _keep(revision: str, content: bytes, store: Path) -> Bundle:
    file = _file(revision, store)
    digest = sha256(content)
    try:
        store.mkdir(parents=True, exist_ok=True)
        durably.write(file, content)
        durably.write(file.with_name(file.name + DIGEST_SUFFIX), f"{digest}\n".encode("ascii"))
    except OSError as failure:
        raise BadConfiguration(
            f"the store of policy bundles cannot be written: {failure.strerror}",
            where=str(store),
            next_step="Make it a folder that can be written",
        ) from failure
    return Bundle(revision, file, digest)
