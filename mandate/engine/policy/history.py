"""A git repository's past: what a ref names, and the files as they were. The work tree is not touched."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from .. import git
from ..errors import BadPolicy

MAX_FILES = 50_000
"""Most files of one folder at a ref."""

MAX_BYTES = 128 << 20
"""Most bytes of these files together."""

_LINK = "120000"
_SUBMODULE = "160000"


@dataclass(frozen=True, slots=True)
class Commit:
    """What a ref names."""

    ref: str
    sha: str
    ambiguous: bool
    """Whether a branch and a tag, say, have this name; git's own order chose."""

    @property
    def label(self) -> str:
        """`main (1a2b3c4d5e6f)`."""
        short = self.sha[:12]
        return self.ref if self.sha.startswith(self.ref) else f"{self.ref} ({short})"


@dataclass(frozen=True, slots=True)
class _File:
    mode: str
    sha: str
    size: int
    path: str


@dataclass(frozen=True, slots=True)
class History:
    """The history of the repository whose work tree is `top`."""

    top: Path

    @classmethod
    def around(cls, folder: Path) -> History | None:
        """The repository around the folder; `None` if there is none."""
        answer = git.run(folder, "rev-parse", "--show-toplevel", error=BadPolicy, where=str(folder))
        shown = answer.stdout.decode(errors="surrogateescape").rstrip("\n")
        return cls(Path(shown).resolve()) if answer.returncode == 0 and shown else None

    def commit(self, ref: str) -> Commit | None:
        """The commit that the ref names; `None` if it names none."""
        if "\0" in ref:
            return None
        answer = self._run("rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}")
        if answer.returncode != 0:
            return None
        return Commit(ref, answer.stdout.decode().strip(), b"is ambiguous" in answer.stderr)

    def refs(self) -> list[str]:
        """The names of branches and tags."""
        answer = self._run(
            "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes"
        )
        return answer.stdout.decode(errors="replace").splitlines()

    def has(self, commit: Commit, path: str) -> bool:
        """Whether there is a file or folder at the path, relative to the top."""
        return bool(self._run("ls-tree", "-z", "--full-tree", commit.sha, "--", path).stdout)

    def extract(self, commit: Commit, path: str, into: Path) -> Path:
        """Write the file or folder at the path (`.` for the whole tree) to the same place below `into`.

        Hidden files are left out, and with them what could lead out of the folder (`..`). A link is written
        as a link, after all files, so that nothing is written through it. `BadPolicy` if there is nothing, or
        too much, or if the folder itself is a link or a submodule.
        """
        where = f"{commit.label}:{path}"
        files = self._files(commit, path, where)
        contents = self._contents(files, where)
        for file in sorted(files, key=lambda file: file.mode == _LINK):
            _write(into, file, contents[file.sha], where)
        return into / path

    def _files(self, commit: Commit, path: str, where: str) -> list[_File]:
        paths = [] if path == "." else ["--", path]
        answer = self._run("ls-tree", "-r", "-z", "-l", "--full-tree", commit.sha, *paths)
        listed = answer.stdout.decode(errors="surrogateescape").split("\0")[:-1]
        if answer.returncode != 0:
            raise _unreadable(answer, where)
        files = []
        for line in listed:
            about, _, name = line.partition("\t")
            mode, _, sha, size = about.split()
            inside = name.removeprefix(path).strip("/").split("/")
            if any(part.startswith(".") for part in inside) and name != path:
                continue
            if mode == _SUBMODULE or (mode == _LINK and name == path):
                what = "a submodule" if mode == _SUBMODULE else "a link"
                raise BadPolicy(
                    f"{name!a} is {what}", where=where, next_step="Name a folder that has the files"
                )
            files.append(_File(mode, sha, int(size) if size.isdigit() else 0, name))
        if not listed:
            raise BadPolicy("there is no such file or folder", where=where, next_step="Name another ref")
        if len(files) > MAX_FILES or sum(file.size for file in files) > MAX_BYTES:
            raise BadPolicy(
                f"there are more than {MAX_FILES:,} files or {MAX_BYTES >> 20} MiB",
                where=where,
                next_step="Keep policies in a folder of their own",
            )
        return files

    def _contents(self, files: list[_File], where: str) -> dict[str, bytes]:
        wanted = sorted({file.sha for file in files})
        answer = self._run("cat-file", "--batch", stdin="".join(f"{sha}\n" for sha in wanted).encode())
        contents: dict[str, bytes] = {}
        rest = memoryview(answer.stdout)
        for sha in wanted:
            header, newline, _ = bytes(rest[:200]).partition(b"\n")
            _, _, size = header.rpartition(b" ")
            if not newline or not size.isdigit():
                raise _unreadable(answer, where)
            start = len(header) + 1
            contents[sha] = bytes(rest[start : start + int(size)])
            rest = rest[start + int(size) + 1 :]
        return contents

    def _run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return git.run(self.top, *arguments, error=BadPolicy, where=str(self.top), stdin=stdin)


def _write(into: Path, file: _File, content: bytes, where: str) -> None:
    """Nothing is overwritten, nor written through a link. git makes no such tree, but others could."""
    target = into / file.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.mode == _LINK:
            target.symlink_to(content.decode(errors="surrogateescape"))
        else:
            with target.open("xb") as opened:
                opened.write(content)
    except (OSError, ValueError) as failure:
        raise BadPolicy(
            f"{file.path!a} cannot be written to a folder", where=where, next_step="Name another ref"
        ) from failure


def _unreadable(answer: subprocess.CompletedProcess[bytes], where: str) -> BadPolicy:
    complaint = answer.stderr.decode(errors="replace").strip().partition("\n")[0] or "it is not all here"
    return BadPolicy(
        f"git cannot read it: {complaint!a}",
        where=where,
        next_step="Fetch the whole history, or name another ref",
    )
