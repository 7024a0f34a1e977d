"""Makes and renews the service's authority and certificate; no caller ever meets one that it does not know.

Each round reads what there is, does the first thing that is due, and reads again:

1. An authority, if there is none, or if it is about to expire. The one before stays believed beside it.
2. Whoever asks the service believes the authorities that are kept, and no others.
3. A certificate by the newest authority, if none is there or another one is due: never before step 2.
4. Older authorities are believed no more, once nobody can still serve what they issued.

A round that meets another run's changes ends, and the next one begins with them: runs may overlap, and one
that is cut off is continued by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from ..errors import BadConfiguration, NotEnsured
from . import pairs
from .pairs import Pair

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

AUTHORITIES, AUTHORITY_KEY, CERTIFICATE, KEY = "ca.crt", "ca.key", "tls.crt", "tls.key"
NAMES = (AUTHORITIES, AUTHORITY_KEY, CERTIFICATE, KEY)
_AUTHORITY_DUE = timedelta(days=180)
"""Before it expires: longer than what it issues lives."""
_CERTIFICATE_DUE = timedelta(days=30)
_URGENT = timedelta(days=7)
"""Before it expires: then it is replaced, whatever else is to be waited for."""
_LINGERS = timedelta(hours=1)
"""So long may a process serve a certificate after it was replaced: volumes follow their Secret in minutes."""
_ROUNDS = 20


class Changed(Exception):
    """Somebody else changed what was read."""


class Place(Protocol):
    """Where the files are kept, and who believes them."""

    @property
    def overlap(self) -> timedelta:
        """So long is a new authority believed before it issues; no time, where all are told."""

    def read(self) -> Mapping[str, bytes]:
        """The files of `NAMES` that are there: what `write` and `believe` change, if it is still that."""

    def write(self, files: Mapping[str, bytes]) -> None:
        """Replace these files, all at once. `Changed` if they are not what was read."""

    def believe(self, authorities: bytes) -> list[str]:
        """Let whoever asks believe these; who had to be told. `Changed` if that is not what was read."""


@dataclass(frozen=True, slots=True)
class Ensured:
    """What there is now, and what was done for it."""

    authority: Pair
    believed: int
    """How many authorities are believed: two while one takes the place of the other."""
    certificate: Pair
    done: tuple[str, ...]


def ensure(
    place: Place,
    hosts: Sequence[str],
    *,
    clock: Callable[[], datetime],
    settle: Callable[[], None],
    renew: bool = False,
) -> Ensured:
    """Do what is due. `renew`: make another authority, and let it issue at once.

    `settle` waits until those who were told know it. `BadConfiguration` if the place holds a certificate that
    somebody else made, `NotEnsured` if others change it all the time.
    """
    course = _Course(place, hosts, clock, settle, renew, timedelta() if renew else place.overlap, [])
    for _ in range(_ROUNDS):
        try:
            ensured = course.round()
        except Changed:
            continue
        if ensured is not None:
            return ensured
    raise NotEnsured(
        "the certificates change each time that they are looked at",
        next_step="See who else changes them, and run it again",
    )


@dataclass
class _Course:
    """One run."""

    place: Place
    hosts: Sequence[str]
    clock: Callable[[], datetime]
    settle: Callable[[], None]
    renew: bool
    overlap: timedelta
    done: list[str]

    def round(self) -> Ensured | None:
        """One round; `None` if something was written."""
        now, place = self.clock(), self.place
        files = place.read()
        _refuse_what_others_made(files)
        found = files.get(AUTHORITIES, b"")
        authority = pairs.read(found, files.get(AUTHORITY_KEY, b""))
        kept = [each for each in pairs.certificates(found) if each.not_valid_after_utc > now]
        # 1
        if authority is None or self.renew or authority.expires - now < _AUTHORITY_DUE:
            new = pairs.new_authority(now)
            believed = pairs.bundle([new.certificate, *kept])
            place.write({AUTHORITIES: believed, AUTHORITY_KEY: new.key_pem})
            self.done.append("made a new authority")
            self.renew = False
            return None
        # 2
        self.done += [f"told {who} whom to believe" for who in place.believe(pairs.bundle(kept))]
        # 3
        current = pairs.read(files.get(CERTIFICATE, b""), files.get(KEY, b""))
        if current is None or self._is_due(current, authority, kept, now):
            if current is not None and not pairs.vouches(authority.certificate, current, self.hosts):
                self.settle()
            issued = authority.issue(self.hosts, now)
            place.write({CERTIFICATE: pairs.bundle([issued.certificate]), KEY: issued.key_pem})
            self.done.append("issued a new certificate")
            return None
        # 4
        is_by_newest = pairs.vouches(authority.certificate, current, self.hosts)
        if len(kept) > 1 and is_by_newest and now - current.made > _LINGERS:
            place.write({AUTHORITIES: pairs.bundle([authority.certificate])})
            self.done.append("gave up what an older authority issued")
            return None
        return Ensured(authority, len(kept), current, tuple(self.done))

    def _is_due(self, current: Pair, newest: Pair, kept: Sequence[Certificate], now: datetime) -> bool:
        """Whether another certificate takes the place of this one."""
        left = current.expires - now
        if left < _URGENT or not any(pairs.vouches(each, current, self.hosts) for each in kept):
            return True
        due = left < _CERTIFICATE_DUE or not pairs.vouches(newest.certificate, current, self.hosts)
        return due and now - newest.made >= self.overlap


def _refuse_what_others_made(files: Mapping[str, bytes]) -> None:
    if files.get(CERTIFICATE) and not files.get(AUTHORITY_KEY):
        raise BadConfiguration(
            f"somebody else made the {CERTIFICATE} that is there: without {AUTHORITY_KEY} it is not ours",
            next_step="Let whoever made it renew it, or remove it to have one made here",
        )
