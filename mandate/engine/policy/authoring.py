"""Writes a new rule into an organisation's folder of policies: all of it, or nothing.

What is to be written is compiled first, together with all that is there. So a name that cannot be used, or
policies that are broken already, end in an error and leave no file behind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from .. import durably, strict_yaml
from ..errors import BadConfiguration, BadPolicy, BadRequest
from . import scaffold
from .build import check_rego, compile_data
from .command import run
from .complaints import accepted
from .scaffold import NewRule
from .sources import Kind, Source, Sources, read
from .tree import merged, write_data


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a new rule."""

    rule: Path
    test: Path
    thresholds: Path
    set_at: str
    """Which file and line sets its threshold, as decisions will name it."""


def write(new: NewRule, roots: Sequence[Path], root: Path, *, opa: Path, heading: str = "") -> Written:
    """Write the rule into `root`, which is one of `roots`.

    `heading` begins a file of thresholds that is not there yet. `BadRequest` if the rule or its threshold is
    there already, `BadPolicy` if the policies do not compile with it, `BadConfiguration` if the folder cannot
    be written.
    """
    number = roots.index(root)
    sources = read(roots)
    _refuse_existing(new, sources, root, number)
    before = _content(sources, number, new.name.threshold_file)
    thresholds = _with_setting(new, sources, before, heading)
    rego = {
        new.name.file: _formatted(scaffold.rule(new), opa, root),
        new.name.test_file: _formatted(scaffold.test(new), opa, root),
    }
    added = [
        Source(number, new.name.file, Kind.REGO, rego[new.name.file]),
        Source(number, new.name.test_file, Kind.TEST, rego[new.name.test_file]),
        Source(number, new.name.threshold_file, Kind.YAML, thresholds),
    ]
    set_at = _compiled(new, _with(sources, added), opa)
    _write(root, new, rego, thresholds, before)
    return Written(root / new.name.file, root / new.name.test_file, root / new.name.threshold_file, set_at)


def _refuse_existing(new: NewRule, sources: Sources, root: Path, number: int) -> None:
    for source in sources.files:
        if source.path.startswith(f"{new.name.folder}/"):
            raise BadRequest(
                f"the rule {new.name.id} is already there",
                where=source.label,
                next_step="Edit it, or give the new one another name"
                if source.root == number
                else f"Set its thresholds, or write one of another name with --replaces {new.name.id}",
            )
    folder = root / new.name.folder
    if folder.exists() or folder.is_symlink():
        raise BadRequest("the folder of the rule is already there", where=str(folder), next_step="Remove it")
    for source in sources.of(Kind.YAML):
        if source.path == new.name.threshold_file:
            document = strict_yaml.load(source.content, BadPolicy, name=source.label)
            if isinstance(document.value, dict) and new.name.rule in document.value:
                raise BadRequest(
                    f"the threshold {new.name.id} is already there, for another rule",
                    where=document.where((new.name.rule,)),
                    next_step="Give the rule another name",
                )


def _content(sources: Sources, number: int, path: str) -> bytes | None:
    return next(
        (source.content for source in sources.files if (source.root, source.path) == (number, path)), None
    )


def _with_setting(new: NewRule, sources: Sources, before: bytes | None, heading: str) -> bytes:
    """The file of thresholds with the new one at its end, and all that was in it as it was."""
    above = heading.encode() if before is None else before
    between = b"" if not above.strip() else b"\n" if above.endswith(b"\n") else b"\n\n"
    after = above + between + scaffold.settings(new).encode()
    where = new.name.threshold_file
    old = strict_yaml.load(above, BadPolicy, name=where).value
    try:
        now = strict_yaml.load(after, BadPolicy, name=where).value
    except BadPolicy:
        now = None
    if not isinstance(now, dict) or {**(old or {}), new.name.rule: now.get(new.name.rule)} != now:
        raise BadPolicy(
            "nothing can be added at its end",
            where=where,
            next_step="Write its settings one below the other, without braces or indentation",
        )
    return after


def _formatted(rego: str, opa: Path, folder: Path) -> bytes:
    return accepted(run(opa, ["fmt"], folder=folder, stdin=rego.encode()), Sources(())).stdout


def _with(sources: Sources, added: Sequence[Source]) -> Sources:
    files = {(source.root, source.path): source for source in (*sources.files, *added)}
    return Sources(tuple(files[key] for key in sorted(files)))


def _compiled(new: NewRule, sources: Sources, opa: Path) -> str:
    """Where the threshold is set. `BadPolicy` if the rule, its tests or anything else does not compile."""
    with merged(sources, Kind.REGO) as tree:
        check_rego(tree, sources, opa=opa)
        data = compile_data(tree, sources, opa=opa).data
    with merged(sources, Kind.REGO, Kind.TEST) as tree:
        write_data(tree, data)
        check_rego(tree, sources, opa=opa)
    set_at: str = data["thresholds"][new.name.category][new.name.rule]["default"]["set_at"]
    return set_at


def _write(root: Path, new: NewRule, rego: dict[str, bytes], thresholds: bytes, before: bytes | None) -> None:
    folder, file = root / new.name.folder, root / new.name.threshold_file
    try:
        with ExitStack() as undo:
            _make_folder(folder.parent, undo)
            _make_folder(file.parent, undo)
            with TemporaryDirectory(prefix=".", dir=folder.parent, ignore_cleanup_errors=True) as beside:
                # Not that folder itself: nobody else may read it, wherever it is moved.
                part = Path(beside, folder.name)
                part.mkdir()
                for path, content in rego.items():
                    (part / Path(path).name).write_bytes(content)
                with _replaced(file, thresholds, before):
                    part.rename(folder)
            undo.pop_all()
    except OSError as failure:
        raise BadConfiguration(
            f"the rule cannot be written: {failure.strerror}",
            where=str(failure.filename or root),
            next_step="Check the permissions of the folder of policies",
        ) from failure


def _make_folder(folder: Path, undo: ExitStack) -> None:
    """Make the folder and those around it; to undo is what was made."""
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            each.mkdir()
            undo.callback(each.rmdir)


@contextmanager
def _replaced(file: Path, content: bytes, before: bytes | None) -> Iterator[None]:
    """The file with other content; with what it had before if what comes next fails."""
    target = Path(os.path.realpath(file))
    durably.write(target, content, keep_mode=True)
    try:
        yield
    except BaseException:
        if before is None:
            target.unlink()
        else:
            target.write_bytes(before)
        raise
