"""Which release of the policies may be used: one that is signed, and none that is older than one used before.

Beside the stored bundles, in `released/`:

    <digest of the archive>.json     that OPA found it signed, by which key, and what it is
    <digest of the archive>.tar.gz   the archive itself, where commands want a file to read its sources from
    in-use.json                      {keyid: {release, revision}}: the newest that decided anything

A release that is refused changes none of these.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import durably
from ..digests import canonical, sha256
from ..errors import BadConfiguration, BadPolicy
from . import archive
from .sources import FORMAT, Sources

if TYPE_CHECKING:
    from .release_keys import VerificationKey

_FOLDER = "released"
_IN_USE = "in-use.json"
_LOCK = ".lock"


@dataclass(frozen=True)
class Release:
    """A signed bundle whose signature OPA has verified."""

    file: Path
    """Where it was found, for messages: what is there now may be something else."""
    content: bytes
    keyid: str
    number: int
    revision: str

    @cached_property
    def sources(self) -> Sources:
        """The files of all roots."""
        from . import contents

        return contents.parsed(self.content).sources

    def root(self, store: Path) -> Path:
        """A file with this very content, for `sources.read`: not the one that was found."""
        file = store / _FOLDER / f"{sha256(self.content)}{archive.SUFFIX}"
        if not file.is_file() or file.read_bytes() != self.content:
            _write(file, self.content)
        return file

    def use(self, store: Path) -> None:
        """Remember that it decides, so that no older one will. `BadPolicy` if a newer one does already."""
        if _in_use(store).get(self.keyid) == self._entry:
            return
        folder = store / _FOLDER
        try:
            with (folder / _LOCK).open("wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                in_use = _in_use(store)
                self.refuse_if_older(in_use)
                _write(folder / _IN_USE, canonical({**in_use, self.keyid: self._entry}))
        except OSError as failure:
            raise _unwritable(folder, failure) from failure

    def refuse_if_older(self, in_use: Mapping[str, Any]) -> None:
        """`BadPolicy` if a newer release of the key was used, or another one under this number."""
        newest = in_use.get(self.keyid)
        if newest is None or self.number > newest["release"] or newest == self._entry:
            return
        what = (
            f"it is release {self.number} again, with other policies"
            if self.number == newest["release"]
            else f"it is release {self.number}, which is older"
        )
        raise BadPolicy(
            f"{what}: release {newest['release']} is in use, revision {newest['revision'][:19]}…",
            where=str(self.file),
            next_step=f"Use release {newest['release']} or a newer one; to go back on purpose, release the "
            "old policies under a new number",
        )

    @property
    def _entry(self) -> dict[str, Any]:
        return {"release": self.number, "revision": self.revision}


def accepted(file: Path, key: VerificationKey, *, opa: Callable[[], Path], store: Path) -> Release:
    """The release in a file. `BadPolicy` if it is not one that the key has signed, or is an older one.

    `opa` is asked for only if the archive is seen for the first time.
    """
    try:
        content = archive.read(file)
        verdict = store / _FOLDER / f"{sha256(content)}.json"
        known = _known(verdict, key)
        found = known or _verified(content, key, opa())
        release = Release(file, content, key.keyid, found["release"], found["revision"])
        release.refuse_if_older(_in_use(store))
        if known is None:
            _write(verdict, canonical(found))
    except BadPolicy as error:
        where = f"{file}: {error.where}" if error.where not in ("", str(file)) else str(file)
        raise BadPolicy(error.what, where=where, next_step=error.next_step) from error
    return release


def _known(verdict: Path, key: VerificationKey) -> dict[str, Any] | None:
    """What was found before; `None` if it was for another key, or for another format of policies."""
    known = _json(verdict)
    if known is None or (known.get("keyid"), known.get("format")) != (key.keyid, FORMAT):
        return None
    return known


def _verified(content: bytes, key: VerificationKey, opa: Path) -> dict[str, Any]:
    """What is remembered of an archive.

    1. It is such as Mandate writes, to the byte, and small.
    2. OPA finds every entry signed by the key.
    3. Its manifest is that of the sources in it.
    4. It has a number, and is of this Mandate's format.
    """
    from . import contents, signing

    signing.verify(content, key, opa=opa)  # 1. and 2.
    carried = contents.parsed(content)  # 3.
    if carried.release is None:  # 4.
        raise BadPolicy(
            "it has no release number, so nobody could tell a roll-back from a release",
            next_step="Let it be released with --release",
        )
    if carried.sources.format != FORMAT:
        raise BadPolicy(
            f"it was released for policies of format {carried.sources.format}, and this is {FORMAT}",
            next_step="Let the policies be released again with this version of Mandate",
        )
    return {
        "format": FORMAT,
        "keyid": key.keyid,
        "release": carried.release,
        "revision": carried.revision,
    }


def _in_use(store: Path) -> dict[str, Any]:
    file = store / _FOLDER / _IN_USE
    in_use = _json(file) or {}
    if not all(
        isinstance(newest, dict)
        and isinstance(newest.get("release"), int)
        and isinstance(newest.get("revision"), str)
        for newest in in_use.values()
    ):
        raise _damaged(file)
    return in_use


def _json(file: Path) -> dict[str, Any] | None:
    """What Mandate wrote; `None` if there is nothing."""
    try:
        written = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as failure:
        raise _damaged(file) from failure
    if not isinstance(written, dict):
        raise _damaged(file)
    return written


def _damaged(file: Path) -> BadConfiguration:
    return BadConfiguration(
        "what is remembered of releases cannot be read",
        where=str(file),
        next_step="Restore the file, or remove it once you know which release is in use",
    )


def _write(file: Path, content: bytes) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        durably.write(file, content)
    except OSError as failure:
        raise _unwritable(file.parent, failure) from failure


def _unwritable(folder: Path, failure: OSError) -> BadConfiguration:
    return BadConfiguration(
        f"the store of policy bundles cannot be written: {failure.strerror}",
        where=str(folder),
        next_step="Make it a folder that can be written",
    )
