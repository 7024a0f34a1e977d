"""Which violations somebody answers for, signed, in the log. Whether that counts, policies say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mandate.engine.input.base import Frozen
from mandate.engine.input.gathering import Gathered, Target
from mandate.engine.input.people import Waiver


class Options(Frozen):
    """`collectors.waivers` in `mandate.yaml`: nothing can be set."""


class Log(Protocol):
    """Where people's signed waivers are."""

    @property
    def location(self) -> str:
        """Where it is, for messages."""

    def waivers(self, model: str, version: str) -> tuple[Waiver, ...]:
        """All waivers for a model version, verified. `NotRecorded` if one is not what was recorded."""


class WaiversCollector:
    """Collects the section `waivers`."""

    name = "waivers"

    def __init__(self, options: Options, log: Callable[[], Log]) -> None:
        self._log = log

    def collect(self, target: Target) -> Gathered:
        """All waivers for the version, in the log's order."""
        log = self._log()
        return Gathered({"waivers": log.waivers(target.name, target.version)}, log.location, None)
