"""Remembers what was found when entries were examined: a cluster asks about the same few again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping

from .checks import Examined, examine
from .ledger import Stored
from .public_keys import PublicKey

Examine = Callable[[Stored, str, Mapping[str, PublicKey]], Examined]
"""As `checks.examine`."""
_MOST = 128


class Examinations:
    """`checks.examine`, which takes milliseconds, once for each entry of the last few. Threads may share one.

    What it says depends on nothing but the stored bytes and columns, the ledger's name and the keys' ids,
    which are digests. All of these must be the same. Whether a key was revoked since is another question.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[Stored, str, tuple[str, ...]], Examined] = OrderedDict()

    def __call__(self, stored: Stored, origin: str, keys: Mapping[str, PublicKey]) -> Examined:
        """What `examine` says of the entry."""
        same = (stored, origin, tuple(sorted(keys)))
        with self._lock:
            if (known := self._known.get(same)) is not None:
                self._known.move_to_end(same)
                return known
        found = examine(stored, origin, keys)
        with self._lock:
            self._known[same] = found
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return found
