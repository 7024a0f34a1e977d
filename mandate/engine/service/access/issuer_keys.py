"""The keys of one issuer, kept up to date beside the requests, which never wait for more than one reading.

Everything here happens on the event loop, but for the reading itself, which a thread does.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import anyio
from anyio import CapacityLimiter, to_thread
from jwt import PyJWK

from ...errors import IssuerUnavailable
from ...report.visible import visible
from .issuer_settings import IssuerSettings
from .key_sets import KeySet

_log = logging.getLogger(__name__)


class NotKnown(Exception):
    """The issuer has no such key, as it said a moment ago."""


class NobodyKnows(Exception):
    """The issuer cannot be asked, and what it said last is too old, or knows no such key."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds
        """After which it is asked again."""


class IssuerKeys:
    """Keys that `read` reads while `keep` runs; `told` hears of each time that they were."""

    def __init__(
        self, settings: IssuerSettings, read: Callable[[], KeySet], told: Callable[[], None] = lambda: None
    ) -> None:
        self._settings = settings
        self._read = read
        self._told = told
        self._keys: KeySet | None = None
        self._read_at = 0.0
        self._tried_at = 0.0
        self._problem: str | None = None
        self._wanted = asyncio.Event()
        self._tried = asyncio.Event()
        self._trying = True
        self._limiter: CapacityLimiter | None = None

    async def keep(self) -> None:
        """Read the keys now and again, until cancelled."""
        while True:
            await self._try()
            settings = self._settings
            pause = settings.refresh_seconds if self._problem is None else settings.pause_seconds
            with anyio.move_on_after(min(pause, settings.refresh_seconds)):
                await self._wanted.wait()
            self._wanted.clear()
            self._trying = True

    async def find(self, kid: str, algorithm: str) -> PyJWK:
        """The key that verifies. `NotKnown` if the issuer has none, `NobodyKnows` if it cannot be asked.

        A key that is new is looked for once, and not more often than the settings allow.
        """
        if (key := self._known(kid, algorithm)) is not None:
            return key
        if not self._trying and time.monotonic() - self._tried_at >= self._settings.pause_seconds:
            self._wanted.set()
            self._trying = True
        if self._trying:
            with anyio.move_on_after(self._settings.fetch_seconds + 1):
                await self._tried.wait()
            if (key := self._known(kid, algorithm)) is not None:
                return key
        if self._problem is not None or self._is_old():
            raise NobodyKnows(self._settings.pause_seconds)
        raise NotKnown

    def _known(self, kid: str, algorithm: str) -> PyJWK | None:
        return None if self._keys is None or self._is_old() else self._keys.keys.get((kid, algorithm))

    def _is_old(self) -> bool:
        return self._keys is None or time.monotonic() - self._read_at > self._settings.keep_seconds

    async def _try(self) -> None:
        self._limiter = self._limiter or CapacityLimiter(1)
        began = time.monotonic()
        try:
            found = await to_thread.run_sync(self._read, abandon_on_cancel=True, limiter=self._limiter)
        except IssuerUnavailable as error:
            self._failed(str(error))
        except Exception as error:  # noqa: BLE001  (whatever it is, the keys grow old, and the next try comes)
            self._failed(f"an internal error, {type(error).__name__}")
        else:
            self._succeeded(found, began)
        self._tried_at = time.monotonic()
        self._trying = False
        self._tried.set()
        self._tried = asyncio.Event()

    def _succeeded(self, found: KeySet, began: float) -> None:
        before, self._keys = self._keys, found
        self._read_at, self._problem = began, None
        if before is None or before.names != found.names:
            about = {
                "issuer": self._settings.issuer,
                "keys": [visible(kid) for kid in sorted({kid for kid, _ in found.keys})],
                "ambiguous": [visible(kid) for kid in sorted(found.ambiguous)],
            }
            level = logging.INFO if found.keys and not found.ambiguous else logging.ERROR
            _log.log(level, "the keys of the issuer are others", extra=about)
        self._told()

    def _failed(self, problem: str) -> None:
        if problem != self._problem:
            _log.error(
                "the issuer's keys cannot be read: %s", problem, extra={"issuer": self._settings.issuer}
            )
        self._problem = problem
