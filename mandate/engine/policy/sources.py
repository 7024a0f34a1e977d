"""The files of the policy folders, and the revision that they make.

A *root* is a folder of policies: the library first, then the organisation's with the same layout. A bundle,
which carries the files of all roots that it was made of, stands for these.

    mandate/main, mandate/lib/…, mandate/rules/<category>/<rule>    Rego; package = folder
    mandate/testing/…, *_test.rego                                  what only tests use
    thresholds/<name>.yaml, waivers/<name>.yaml, people/<name>.yaml  data
    scope.yaml, selection.yaml                                      data
    checks/, schemas/, hidden files, other kinds of file            not part of the policies

A file that nobody would read, such as `threshold/fairness.yaml`, is an error and not ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from pathlib import Path, PurePosixPath

from ..digests import document_sha256, sha256
from ..errors import BadPolicy
from ..nearest import advice
from . import folder

FORMAT = 4
"""Number of the compiled form, a part of the revision: raise it when the same sources compile otherwise."""

MAX_BYTES = 1 << 20
"""The largest file of a root."""

MAX_BYTES_IN_ALL = 8 << 20
"""The most that all files together have."""

MAX_FILES = 5_000
"""The most files of all roots together."""

MAX_RULES = 1_000
"""The most rules: they are compiled in a few seconds, and no catalogue of controls is as long."""

RESERVED = ("applicable", "catalogue", "people", "scope", "selection", "sources", "thresholds", "waivers")
"""Names below `data.mandate` that the compiler fills: no Rego there."""

_READ = (".rego", ".yaml", ".yml", ".json")
_TOP = ("mandate", "thresholds", "waivers", "people", "checks", "schemas", "scope.yaml", "selection.yaml")
_DATA_FILES = ("scope.yaml", "selection.yaml")
_DATA_FOLDERS = ("thresholds", "waivers", "people")
_NOT_POLICIES = ("checks", "schemas")
_RULE_FOLDER_PARTS = 4
_RULES = "mandate/rules/"


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
    format: int = FORMAT
    """`FORMAT` of the Mandate that read them: another one for the sources of an old bundle."""

    def of(self, *kinds: Kind) -> tuple[Source, ...]:
        """The files of these kinds, in order."""
        return tuple(source for source in self.files if source.kind in kinds)

    @cached_property
    def revision(self) -> str:
        """`sha256:<hex>` over all that decides: tests do not change it, nor does where the roots are."""
        roots: dict[str, dict[str, str]] = {}
        for source in self.of(Kind.REGO, Kind.YAML):
            roots.setdefault(str(source.root), {})[source.path] = sha256(source.content)
        return f"sha256:{document_sha256({'format': self.format, 'roots': roots})}"

    @property
    def roots(self) -> int:
        """How many roots have files."""
        return len({source.root for source in self.files})

    @property
    def deciding(self) -> Sources:
        """Those that make the revision: without the tests."""
        return Sources(self.of(Kind.REGO, Kind.YAML), self.format)

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
    """Read the roots, the library first, or one bundle. `BadPolicy` for what cannot be part of them.

    Whether a bundle is signed is not asked here.
    """
    if not roots:
        raise BadPolicy("there is no folder of policies", next_step="Name at least the library")
    if len(roots) == 1 and folder.is_file(roots[0]):
        return _carried(roots[0])
    found = [each for number, root in enumerate(roots) for each in _read_root(number, root)]
    _refuse_too_many([source for source, _ in found])
    files: list[Source] = []
    size = 0
    for source, file in found:
        content = folder.content(file, source.label, MAX_BYTES)
        if (size := size + len(content)) > MAX_BYTES_IN_ALL:
            raise BadPolicy(
                f"all policies together have more than {MAX_BYTES_IN_ALL >> 20} MiB",
                where=str(roots[source.root]),
                next_step="Keep tables of data elsewhere: policies are what people read",
            )
        files.append(replace(source, content=content))
    _refuse_overlaps(files)
    return Sources(tuple(files))


def as_texts(sources: Sources) -> list[dict[str, str]]:
    """The text of each file by its path, for each root. `BadPolicy` for a file that is not text."""
    roots: list[dict[str, str]] = []
    for source in sources.files:
        roots += [{} for _ in range(len(roots), source.root + 1)]
        try:
            roots[source.root][source.path] = source.content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadPolicy(
                "the file is not UTF-8 text", where=source.label, next_step="Save it as UTF-8"
            ) from error
    return roots


def from_texts(roots: Sequence[Mapping[str, str]], *, format: int) -> Sources:  # noqa: A002  (as the field)
    """The sources of which `as_texts` made this. `BadPolicy` for what could not be files of roots."""
    files = []
    for number, texts in enumerate(roots):
        for path, text in sorted(texts.items()):
            label = f"{prefix(number)}{path}"
            hidden = any(part in ("", "..") or part.startswith(".") for part in path.split("/"))
            kind = None if hidden or not _is_text(path) else _kind(path, label)
            content = text.encode("utf-8")
            if kind is None or len(content) > MAX_BYTES:
                raise BadPolicy(
                    "a bundle does not carry such a file",
                    where=label,
                    next_step="Make the bundle with `mandate policy bundle`",
                )
            files.append(Source(number, path, kind, content))
    _refuse_too_many(files)
    _refuse_overlaps(files)
    return Sources(tuple(files), format)


def _carried(bundle: Path) -> Sources:
    """The sources in a bundle."""
    from . import archive, contents

    try:
        return contents.parsed(archive.read(bundle)).sources
    except BadPolicy as error:
        where = f"{bundle}: {error.where}" if error.where not in ("", str(bundle)) else str(bundle)
        raise BadPolicy(error.what, where=where, next_step=error.next_step) from error


def _refuse_too_many(files: Sequence[Source]) -> None:
    rules = {source.folder for source in files if source.kind is Kind.REGO and _is_rule(source.path)}
    if len(rules) > MAX_RULES:
        raise BadPolicy(
            f"there are {len(rules):,} rules, and at most {MAX_RULES:,} are compiled",
            where=f"{_RULES}…",
            next_step="Let one rule judge many terms",
        )
    if len(files) > MAX_FILES:
        raise BadPolicy(
            f"there are {len(files):,} files of policies, and at most {MAX_FILES:,} are taken",
            next_step="Remove some",
        )


def _is_rule(path: str) -> bool:
    return path.startswith(_RULES)


def _is_text(path: str) -> bool:
    """Whether a file can be named so everywhere: bytes that are not UTF-8 become surrogates."""
    return path.isprintable()


def _read_root(number: int, root: Path) -> Iterator[tuple[Source, str]]:
    """The files of a root that policies are made of, not read yet, and the path of each."""
    for path, file in folder.files(root, prefix(number)):
        label = f"{prefix(number)}{path}"
        if not _is_text(path):
            raise BadPolicy(
                "the file's name holds what cannot be printed", where=label, next_step="Rename it"
            )
        if (kind := _kind(path, label)) is not None:
            yield Source(number, path, kind, b""), file


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
        for owned, root in owner.items():
            if root != source.root and f"{owned}/".startswith(f"{source.folder}/"):
                package = owned.replace("/", ".")
                raise BadPolicy(
                    f"the package {package} is already defined by an earlier folder of policies",
                    where=source.label,
                    next_step="Give the package another name, or change the other one by its thresholds",
                )
        owner.setdefault(source.folder, source.root)
