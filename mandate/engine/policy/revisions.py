"""Revisions of policies by whatever name people have for them: a folder, a bundle, a git ref, a digest.

A reference is looked up in this order, and the first that is there counts. Where a later one is there, too,
`Revision.notes` say so.

1. `sha256:<digits>`, eight at least: a revision that was kept, in the store beside the ledger
2. what is written as a path (`./main`, `../other`, `/srv/policies`, `.`, `main/`): that file or folder
3. what git knows: a branch, a tag, `HEAD~3`, a commit. Before a folder of the same name, so that a merge
   request cannot put a folder `main` in the place of the branch that it is compared with
4. a file or folder of that name
5. eight or more hexadecimal digits: a revision in the store

A folder is one with a `mandate.yaml` (the policies that it names), a whole library (it has `mandate/main`),
or an organisation's, which stands after the library. A file is a `mandate.yaml` or a bundle.

At a git ref `mandate.yaml` is as it was there, and so is every folder of policies inside the repository. What
lies outside has no history in it and is as it is now: so is the library of the running Mandate, unless it is
in the repository itself and the ref has it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from ... import share
from ..configuration import FILE_NAME, LIBRARY, load
from ..errors import BadConfiguration, BadPolicy
from ..nearest import nearest
from .history import Commit, History

_BUNDLE = ".tar.gz"
_DIGEST = re.compile(r"sha256:([0-9a-f]{8,64})")
_DIGITS = re.compile(r"[0-9a-f]{8,64}")
_FOLDERS = ("mandate/rules", "mandate/lib", "thresholds", "waivers", "people")
_OF_A_ROOT = (*_FOLDERS, "scope.yaml", "selection.yaml")


@dataclass(frozen=True, slots=True)
class Revision:
    """Policies that can be read: `sources.read(revision.roots)`, `bundle.compile(revision.roots, …)`."""

    label: str
    """How reports name it: `main (1a2b3c4d5e6f)`."""
    roots: tuple[Path, ...]
    """In order, the library first."""
    notes: tuple[str, ...] = ()
    """What else the reference could mean, and what is not as it was: sentences without a full stop."""


@contextmanager
def at(
    reference: str, *, folder: Path, settings: Path | None = None, store: Path | None = None
) -> Iterator[Revision]:
    """The policies that `reference` means; its roots are there as long as the context.

    `folder`: what paths are relative to, and where git is asked. `settings`: the `mandate.yaml` in use, whose
    past is meant by a git ref; without one, the nearest one above the folder at that ref, or else the folder
    itself. `store`: where revisions are kept. `BadPolicy` for a reference that nothing answers to.
    """
    if reference.startswith("-") or not reference:
        raise BadPolicy(
            "it is not the name of a revision", where=_shown(reference), next_step="Write ./ before a folder"
        )
    lookup = _Lookup(reference, folder, settings, store)
    with TemporaryDirectory(prefix="mandate-revision-") as name:
        yield lookup.found(Path(name).resolve())


def here(folder: Path) -> tuple[Path, ...]:
    """The roots of a folder without settings: its own if there are any, or else the library alone."""
    return _roots(folder, lambda path: (folder / path).exists()) or (share.policies(),)


def of_folder(folder: Path) -> tuple[Path, ...]:
    """The roots that a folder means. `BadPolicy` if there are no policies in it."""
    if (file := folder / FILE_NAME).is_file():
        return of_settings(file)
    roots = _roots(folder, lambda path: (folder / path).exists())
    if roots is None:
        raise BadPolicy(
            f"the folder has neither {FILE_NAME} nor policies",
            where=str(folder),
            next_step=f"Name a folder with {FILE_NAME}, thresholds/ or mandate/rules/",
        )
    return roots


def of_settings(file: Path) -> tuple[Path, ...]:
    """The roots that a `mandate.yaml` names. What overrides the settings in use is not for other ones."""
    configuration = load(file, environment={})
    return tuple(
        share.policies() if root == LIBRARY else configuration.path(root)
        for root in configuration.settings.policies
    )


def _roots(folder: Path, has: Callable[[str], bool]) -> tuple[Path, ...] | None:
    """The folder alone if it is a library, after the library if it is an organisation's; else `None`."""
    if has("mandate/main"):
        return (folder,)
    return (share.policies(), folder) if any(map(has, _OF_A_ROOT)) else None


@dataclass(frozen=True, slots=True)
class _Lookup:
    reference: str
    folder: Path
    settings: Path | None
    store: Path | None

    def found(self, temporary: Path) -> Revision:
        if match := _DIGEST.fullmatch(self.reference):
            return self._kept(match[1]) or self._unknown(None)
        if self._is_written_as_a_path:
            return self._there() or self._unknown(None)
        history = History.around(self.settings.parent if self.settings else self.folder)
        commit = history.commit(self.reference) if history else None
        if history and commit:
            past = _Past(history, commit, temporary)
            roots = past.roots(self.settings, self.folder)
            return Revision(commit.label, roots, (*self._other_meanings(commit), *past.notes))
        return self._there() or self._kept_by_digits() or self._unknown(history)

    @property
    def _is_written_as_a_path(self) -> bool:
        return (
            self.reference in (".", "..", "~")
            or self.reference.startswith(("/", "./", "../", "~/"))
            or self.reference.endswith("/")
        )

    @property
    def _path(self) -> Path:
        return self.folder / Path(self.reference).expanduser()

    def _there(self) -> Revision | None:
        """The file or folder, if there is one."""
        path = self._path
        if not _exists(path):
            return None
        if path.is_dir():
            return Revision(self.reference, of_folder(path))
        if path.name.endswith(_BUNDLE):
            return Revision(self.reference, (path,))
        if path.suffix == ".yaml":
            return Revision(self.reference, of_settings(path))
        raise BadPolicy(
            "it is neither a bundle nor settings",
            where=_shown(self.reference),
            next_step=f"Name a folder, a {FILE_NAME}, a {_BUNDLE}, a git ref or a revision",
        )

    def _kept_by_digits(self) -> Revision | None:
        return self._kept(self.reference) if _DIGITS.fullmatch(self.reference) else None

    def _kept(self, digits: str) -> Revision | None:
        """The one bundle in the store whose revision begins with the digits."""
        files = sorted(self.store.glob(f"{digits}*{_BUNDLE}")) if self.store else []
        if len(files) > 1:
            raise BadPolicy(
                f"{len(files)} revisions begin so",
                where=_shown(self.reference),
                next_step="Write more digits",
            )
        if not files:
            return None
        return Revision(f"sha256:{files[0].name.removesuffix(_BUNDLE)[:12]}", (files[0],))

    def _other_meanings(self, commit: Commit) -> Iterator[str]:
        shown = _shown(self.reference)
        if commit.ambiguous:
            yield f"Git knows several things called {shown}: write refs/heads/{shown} for the branch"
        if _exists(self._path):
            yield f"{shown} is taken for what git knows by this name: write ./{shown} for the file or folder"
        if self._kept_by_digits():
            yield f"{shown} is taken for a commit: write sha256:{shown} for the revision of that digest"

    def _unknown(self, history: History | None) -> NoReturn:
        kept = "no revision in the store" if self.store else "no ledger with revisions beside it"
        known_to_git = "no branch, tag or commit" if history else "no git repository around it"
        if _DIGEST.fullmatch(self.reference):
            tried = [kept]
        elif self._is_written_as_a_path:
            tried = ["no file or folder"]
        else:
            tried = [known_to_git, "no file or folder", kept]
        near = nearest(self.reference, history.refs() if history else ())
        raise BadPolicy(
            f"there is no such revision of policies: {', '.join(tried)}",
            where=_shown(self.reference),
            next_step=f"Did you mean {_shown(near)}?"
            if near
            else "Name a folder, bundle, git ref or revision",
        )


class _Past:
    """The repository at a commit, of which only what is asked for is written to the folder."""

    def __init__(self, history: History, commit: Commit, folder: Path) -> None:
        self.commit = commit
        self.notes: list[str] = []
        """About roots that the repository does not have, other than the library."""
        self._history = history
        self._folder = folder
        self._extracted = 0

    def roots(self, settings: Path | None, folder: Path) -> tuple[Path, ...]:
        """The roots at the commit."""
        if settings is not None:
            return self._of_settings(self._relative(settings.parent) / settings.name)
        here = self._relative(folder)
        for above in (here, *here.parents):
            if self._history.has(self.commit, str(above / FILE_NAME)):
                return self._of_settings(above / FILE_NAME)
        found = _roots(
            self._history.top / here, lambda path: self._history.has(self.commit, str(here / path))
        )
        if found is None and not share.policies().is_relative_to(self._history.top):
            raise BadPolicy(
                f"there is neither {FILE_NAME} nor a folder of policies",
                where=f"{self.commit.label}:{here}",
                next_step=f"Go to the folder with {FILE_NAME}, or name it with --config",
            )
        if found is None:
            return (self._library(),)
        return tuple(self._library() if root == share.policies() else self._root(root) for root in found)

    def _of_settings(self, path: Path) -> tuple[Path, ...]:
        file = self._extract(path)
        try:
            named = load(file, environment={}).settings.policies
        except BadConfiguration as failure:
            where = failure.where.replace(str(file), f"{self.commit.label}:{path}")
            raise BadPolicy(failure.what, where=where, next_step=failure.next_step) from failure
        around = self._history.top / path.parent
        return tuple(
            self._library() if root == LIBRARY else self._root(around / Path(root).expanduser())
            for root in named
        )

    def _library(self) -> Path:
        library = share.policies()
        inside = library.is_relative_to(self._history.top)
        if inside and self._history.has(self.commit, str(library.relative_to(self._history.top))):
            return self._root(library)
        return library

    def _root(self, root: Path) -> Path:
        """The root as it was, if it is in the repository."""
        root = Path(os.path.normpath(root))
        if root.is_relative_to(self._history.top):
            return self._extract(root.relative_to(self._history.top))
        self.notes.append(f"{_shown(str(root))} is not in the repository and is taken as it is now")
        return root

    def _extract(self, path: Path) -> Path:
        """Each into a folder of its own: one may lie in another."""
        self._extracted += 1
        return self._history.extract(self.commit, str(path), self._folder / str(self._extracted))

    def _relative(self, folder: Path) -> Path:
        """The folder from the top of the repository, whatever links lead to it."""
        return folder.resolve().relative_to(self._history.top)


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (OSError, ValueError):  # no such file, or no name that a file could have
        return False
    return True


def _shown(name: str) -> str:
    return ascii(name)[1:-1]
