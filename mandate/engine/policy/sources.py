"""The files of the policy folders, and the revision that they make.

A *root* is a folder of policies: the library first, then the organisation's with the same layout.

    mandate/main, mandate/lib/…, mandate/rules/<category>/<rule>    Rego; package = folder
    mandate/testing/…, *_test.rego                                  what only tests use
    thresholds/<name>.yaml, waivers/<name>.yaml                     data
    scope.yaml, selection.yaml                                      data
    checks/, schemas/, hidden files, other kinds of file            not part of the policies

A file that nobody would read, such as `threshold/fairness.yaml`, is an error and not ignored.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path, PurePosixPath

from ..digests import document_sha256, sha256
from ..errors import BadPolicy
from ..nearest import advice

FORMAT = 2
"""Number of the compiled form, a part of the revision: raise it when the same sources compile otherwise."""

MAX_BYTES = 1 << 20
"""The largest file of a root."""

RESERVED = ("catalogue", "scope", "selection", "thresholds", "waivers")
"""Names below `data.mandate` that the compiler fills: no Rego there."""

_READ = (".rego", ".yaml", ".yml", ".json")
_TOP = ("mandate", "thresholds", "waivers", "checks", "schemas", "scope.yaml", "selection.yaml")
_DATA_FILES = ("scope.yaml", "selection.yaml")
_DATA_FOLDERS = ("thresholds", "waivers")
_NOT_POLICIES = ("checks", "schemas")
_RULE_FOLDER_PARTS = 4


class Kind(Enum):
    """What a file is for."""

    REGO = "rego"
    YAML = "yaml"
    TEST = "test"
    """Rego tests and what is in `mandate/testing`: no part of the bundle."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file, as it was read."""

    root: int
    """Which root, from 0."""
    path: str
    """Relative to the root, with `/`."""
    kind: Kind
    content: bytes

    @property
    def label(self) -> str:
        """How messages and decisions name the file: a place that is the same on every machine."""
        return f"{prefix(self.root)}{self.path}"

    @property
    def folder(self) -> str:
        """The folder, relative to the root."""
        return str(PurePosixPath(self.path).parent)


@dataclass(frozen=True)
class Sources:
    """The files of all roots, ordered by root and path."""

    files: tuple[Source, ...]

    def of(self, *kinds: Kind) -> tuple[Source, ...]:
        """The files of these kinds, in order."""
        return tuple(source for source in self.files if source.kind in kinds)

    @cached_property
    def revision(self) -> str:
        """`sha256:<hex>` over all that decides: tests do not change it, nor does where the roots are."""
        roots: dict[str, dict[str, str]] = {}
        for source in self.of(Kind.REGO, Kind.YAML):
            roots.setdefault(str(source.root), {})[source.path] = sha256(source.content)
        return f"sha256:{document_sha256({'format': FORMAT, 'roots': roots})}"

    def label(self, path: str) -> str:
        """The label of the Rego file or test at `path` in the merged tree, which holds each path once."""
        for source in self.files:
            if source.path == path and source.kind is not Kind.YAML:
                return source.label
        return path


def prefix(root: int) -> str:
    """What stands before a path of this root: nothing, `organisation/`, `organisation-2/`, …"""
    return "" if root == 0 else "organisation/" if root == 1 else f"organisation-{root}/"


def read(roots: Sequence[Path]) -> Sources:
    """Read the roots, the library first. `BadPolicy` for what cannot be part of them."""
    if not roots:
        raise BadPolicy("there is no folder of policies", next_step="Name at least the library")
    files: list[Source] = []
    for number, root in enumerate(roots):
        files += _read_root(number, root)
    _refuse_overlaps(files)
    return Sources(tuple(files))


def _read_root(number: int, root: Path) -> list[Source]:
    try:
        real = root.resolve(strict=True)
        found = sorted(_walk(real, real, "", ()))
    except NotADirectoryError as failure:
        raise BadPolicy(
            "it is not a folder", where=str(root), next_step="Name a folder of policies"
        ) from failure
    except FileNotFoundError as failure:
        raise BadPolicy(
            "there is no such folder", where=str(root), next_step="Create it, or correct its path"
        ) from failure
    except OSError as failure:
        raise BadPolicy(
            f"the folder cannot be read: {failure.strerror}",
            where=str(root),
            next_step="Check its permissions",
        ) from failure
    sources = []
    for path, file in found:
        label = f"{prefix(number)}{path}"
        if (kind := _kind(path, label)) is not None:
            sources.append(Source(number, path, kind, _content(file, label)))
    return sources


def _walk(
    root: str | Path, folder: str | Path, path: str, above: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """Relative and real path of each file that is not hidden; a link may lead anywhere inside the root."""
    real = os.path.realpath(folder)
    if real in above:
        raise BadPolicy("a link leads to a folder around it", where=path.rstrip("/"), next_step="Remove it")
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            relative = f"{path}{entry.name}"
            if entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(root):
                raise BadPolicy(
                    "a link leads out of the folder of policies", where=relative, next_step="Put a copy there"
                )
            if entry.is_dir():
                yield from _walk(root, entry.path, f"{relative}/", (*above, real))
            else:
                yield relative, entry.path


def _kind(path: str, label: str) -> Kind | None:
    """What the file is for; `None` if the policies do not read it."""
    parts = path.split("/")
    top, suffix = parts[0], PurePosixPath(path).suffix
    if top in _NOT_POLICIES or suffix not in _READ:
        return None
    if top == "mandate" and len(parts) > 1:
        return _kind_in_mandate(parts, suffix, label)
    if path in _DATA_FILES or (top in _DATA_FOLDERS and path == f"{top}/{parts[-1]}" and suffix == ".yaml"):
        return Kind.YAML
    if suffix == ".yml":
        raise BadPolicy("nobody reads this file", where=label, next_step="Rename it to .yaml")
    if top in _TOP:
        raise BadPolicy(
            "nobody reads this file", where=label, next_step="Remove it, or see the layout of policies"
        )
    raise BadPolicy(f"nobody reads {top!r}", where=label, next_step=advice(top, _TOP))


def _kind_in_mandate(parts: list[str], suffix: str, label: str) -> Kind:
    if parts[1] == "testing" or parts[-1].endswith("_test.rego"):
        return Kind.TEST
    if suffix != ".rego":
        raise BadPolicy("data is not read from here", where=label, next_step="Put settings into thresholds/")
    if parts[1] in RESERVED:
        raise BadPolicy(
            f"the compiler fills data.mandate.{parts[1]}",
            where=label,
            next_step="Give the package another name",
        )
    if parts[1] == "rules" and len(parts) != _RULE_FOLDER_PARTS + 1:
        raise BadPolicy(
            "a rule is a folder mandate/rules/<category>/<rule>", where=label, next_step="Move the file there"
        )
    return Kind.REGO


def _content(file: str, label: str) -> bytes:
    try:
        with open(file, "rb", opener=_without_waiting) as opened:
            status = os.fstat(opened.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BadPolicy("it is not a regular file", where=label, next_step="Remove it")
            content = opened.read(MAX_BYTES + 1)
    except OSError as failure:
        raise BadPolicy(
            f"the file cannot be read: {failure.strerror}", where=label, next_step="Check its permissions"
        ) from failure
    if len(content) > MAX_BYTES:
        raise BadPolicy("the file is over 1 MiB", where=label, next_step="Split it")
    return content


def _without_waiting(path: str, flags: int) -> int:
    """Open a named pipe without waiting for somebody to write to it."""
    return os.open(path, flags | os.O_NONBLOCK)


def _refuse_overlaps(files: Sequence[Source]) -> None:
    """A later root adds packages: it adds nothing to an earlier root's, nor defines them from above."""
    owner: dict[str, int] = {}
    tests: set[str] = set()
    for source in files:
        if source.kind is Kind.TEST:
            if source.path in tests:
                raise BadPolicy(
                    "an earlier folder of policies has this file",
                    where=source.label,
                    next_step="Give it another name",
                )
            tests.add(source.path)
        if source.kind is not Kind.REGO:
            continue
        for folder, root in owner.items():
            if root != source.root and f"{folder}/".startswith(f"{source.folder}/"):
                package = folder.replace("/", ".")
                raise BadPolicy(
                    f"the package {package} is already defined by an earlier folder of policies",
                    where=source.label,
                    next_step="Give the package another name, or change the other one by its thresholds",
                )
        owner.setdefault(source.folder, source.root)
