"""Reads a git repository. Nothing that its own configuration names is run, and nothing is fetched."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from mandate.engine import git
from mandate.engine.errors import BadInput
from mandate.engine.input.repository import Person, Writers

_COMMIT = "[0-9a-f]{40}|[0-9a-f]{64}"
_HISTORIES = (
    (),  # with the merges whose content is neither side's
    ("--full-history", "--no-merges"),  # what was written on a side that a merge then left out, too
    ("--follow",),  # under the name that a file had before
)
_FORM = "--format=%ae%x00%an%x00%ce%x00%cn"  # in upper case they would follow the mailmap


class GitRepository:
    """Implements `mandate.engine.input.repository.Repository`."""

    def __init__(self, folder: Path, location: str) -> None:
        """`location` names it in messages. `BadInput` if git cannot use the folder."""
        self._folder = folder
        self._location = location
        if self._run("rev-parse", "--git-dir").returncode != 0:
            raise self._bad("git cannot use it as a repository", "Name the folder of a clone")

    @property
    def location(self) -> str:
        """See `Repository.location`."""
        return self._location

    def is_shallow(self) -> bool:
        """See `Repository.is_shallow`."""
        return self._said("rev-parse", "--is-shallow-repository").strip() == "true"

    def has(self, commit: str) -> bool:
        """See `Repository.has`."""
        if not re.fullmatch(_COMMIT, commit):
            return False
        answer = self._run("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
        return answer.returncode == 0 and answer.stdout.decode().strip() == commit

    def commit(self, revision: str) -> str:
        """See `Repository.commit`."""
        return self._said("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").strip()

    def is_ancestor(self, commit: str, of: str) -> bool:
        """See `Repository.is_ancestor`."""
        return self._run("merge-base", "--is-ancestor", commit, of).returncode == 0

    def file(self, commit: str, path: str) -> bytes | None:
        """See `Repository.file`."""
        # After the colon it can be no option; beginning with `./` or `../` it would be relative to a folder.
        if path.startswith(("./", "../")) or "\0" in path:
            return None
        answer = self._run("cat-file", "blob", f"{commit}:{path}")
        return answer.stdout if answer.returncode == 0 else None

    def writers(self, commit: str, path: str) -> frozenset[Writers]:
        """See `Repository.writers`."""
        found: set[Writers] = set()
        for history in _HISTORIES:
            log = self._said("log", *history, _FORM, "--end-of-options", commit, "--", path)
            for line in filter(None, log.split("\n")):
                author_mail, author_name, mail, name = line.split("\0")
                found.add(Writers(Person(author_mail, author_name), Person(mail, name)))
        return frozenset(found)

    def _said(self, *arguments: str) -> str:
        """What git says. `BadInput` if it complains."""
        answer = self._run(*arguments)
        if answer.returncode != 0:
            complaint = answer.stderr.decode(errors="replace").strip().partition("\n")[0]
            raise self._bad(
                f"git says {complaint!a}", "Correct the repository, revision or path in mandate.yaml"
            )
        return answer.stdout.decode(errors="replace")

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return git.run(self._folder, *arguments, error=BadInput, where=self._location)

    def _bad(self, what: str, next_step: str) -> BadInput:
        return BadInput(what, where=self._location, next_step=next_step)
