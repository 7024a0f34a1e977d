"""A real git repository, made by commands."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@bank.example",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@bank.example",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass(frozen=True)
class Repository:
    """A work tree on the branch `main`."""

    folder: Path

    @classmethod
    def created(cls, folder: Path) -> Repository:
        """A new repository in the folder, which may have files already."""
        folder.mkdir(parents=True, exist_ok=True)
        repository = cls(folder)
        repository.git("init", "--quiet", "--initial-branch", "main")
        return repository

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """What git says."""
        ended = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=os.environ | IDENTITY,
            input=stdin,
            capture_output=True,
            check=True,
        )
        return ended.stdout.decode().strip()

    def write(self, files: Mapping[str, str]) -> None:
        """Write files of the work tree."""
        for path, content in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(content)

    def commit(self, files: Mapping[str, str] | None = None) -> str:
        """Commit the files and whatever else there is; the commit's name."""
        self.write(files or {})
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", "A change")
        return self.git("rev-parse", "HEAD")
