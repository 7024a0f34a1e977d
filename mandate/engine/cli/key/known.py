"""The ledger's keys, with what is known of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...configuration import Configuration
from ...errors import BadConfiguration, NotRecorded, UnknownSubject
from ...evidence import public_keys
from ...evidence.key_status import Ending
from ...evidence.public_keys import FINGERPRINT, PublicKey
from ...nearest import advice
from ...posts import ENTRIES, HEADS, Post
from ...report.visible import visible


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key whose signatures count, or did."""

    key: PublicKey
    file: Path | None
    """The file with its public key; `None` for one that is not in the ledger's key folder."""
    signs: tuple[str, ...]
    """What the settings let it sign: `entries`, `heads`."""
    endings: tuple[Ending, ...]
    """The entries that ended it."""

    @property
    def status(self) -> str:
        """In a few words."""
        if self.endings:
            return ", ".join(map(str, self.endings))
        return f"signs {' and '.join(self.signs)}" if self.signs else "trusted"

    @property
    def shown_file(self) -> str:
        """The file, for people."""
        return "none in the key folder" if self.file is None else visible(str(self.file), 400)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "keyid": self.key.keyid,
            "algorithm": self.key.algorithm,
            "file": None if self.file is None else str(self.file),
            "signs": list(self.signs),
            "endings": [
                {
                    "how": ending.how.value,
                    "entry": ending.index,
                    "reason": ending.reason,
                    "successor": ending.successor,
                }
                for ending in self.endings
            ],
        }


def known_keys(configuration: Configuration, *others: PublicKey) -> list[KnownKey]:
    """The keys in the ledger's key folder, other keys of which the log speaks, and `others`.

    Those that sign come first.
    """
    from .... import composition

    status = composition.key_status(configuration)
    signs = {post.name: keyid for post in (ENTRIES, HEADS) if (keyid := _keyid(post, configuration))}
    signs.setdefault(HEADS.name, signs.get(ENTRIES.name, ""))
    found: dict[str, KnownKey] = {}
    for file in sorted(composition.key_folder(configuration).glob(f"*{public_keys.SUFFIX}")):
        key = public_keys.load(file)
        posts = tuple(name for name, keyid in signs.items() if keyid == key.keyid)
        found.setdefault(key.keyid, KnownKey(key, file, posts, status.endings.get(key.keyid, ())))
    for keyid, endings in status.endings.items():
        found.setdefault(keyid, KnownKey(endings[0].key.public_key(), None, (), endings))
    for key in others:
        found.setdefault(key.keyid, KnownKey(key, None, (), ()))
    return sorted(found.values(), key=_order)


def _order(known: KnownKey) -> tuple[bool, tuple[str, ...], str]:
    """Those that sign first, and what ended last."""
    return bool(known.endings), known.signs or ("no",), str(known.file)


def chosen(keys: Iterable[KnownKey], reference: str) -> KnownKey:
    """The key with this fingerprint, or this beginning of one. `UnknownSubject` if there is not just one."""
    wanted = f"{FINGERPRINT}{reference.removeprefix(FINGERPRINT)}"
    by_id = {known.key.keyid: known for known in keys}
    matches = [keyid for keyid in by_id if keyid.startswith(wanted)]
    if len(matches) != 1 or wanted == FINGERPRINT:
        raise UnknownSubject(
            f"{'more than one' if len(matches) > 1 else 'no'} key of this ledger has the fingerprint "
            f"{ascii(reference)[1:-1][:100]}",
            next_step=advice(wanted, by_id),
        )
    return by_id[matches[0]]


def _keyid(post: Post, configuration: Configuration) -> str | None:
    """Whose post it is; `None` if nobody can say without the token, the agent or a file that is gone."""
    if not post.taken(configuration):
        return None
    try:
        return post.keyid(configuration)
    except (BadConfiguration, NotRecorded):
        return None
