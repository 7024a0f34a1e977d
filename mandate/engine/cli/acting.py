"""Acts on the registry, as commands do and show them: what was decided is told even if the act fails."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import MandateError
from ..report.terminal import console
from ..report.visible import visible

if TYPE_CHECKING:
    from ..evidence.receipt import Receipt
    from ..lifecycle.performing import Lifecycle, Performed
    from ..lifecycle.plans import Plan


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of an act."""

    performed: Performed | None = None
    """`None` if it was not begun."""
    error: MandateError | None = None

    @property
    def document(self) -> dict[str, Any] | None:
        """As JSON values; `None` if it was not begun."""
        if self.performed is None:
            return None
        seen = self.performed.seen
        return {
            "intent": _entry(self.performed.intent),
            "result": None if self.performed.result is None else _entry(self.performed.result),
            "outcome": None if seen is None else seen.outcome.value,
        }

    @property
    def moves(self) -> list[dict[str, str | None]]:
        """The aliases that moved."""
        moves = () if self.performed is None else self.performed.moves
        return [
            {
                "alias": move.alias,
                "from": None if move.fromVersion is None else move.fromVersion.version,
                "to": None if move.toVersion is None else move.toVersion.version,
            }
            for move in moves
        ]

    def show(self) -> None:
        """Say for a person where it is on record."""
        if self.performed is None:
            return
        intent, result = self.performed.intent, self.performed.result
        entries = f"entry {intent.index} before"
        entries += ", and nothing after" if result is None else f" and entry {result.index} after"
        console(sys.stdout).print(f"  recorded in {entries}", style="dim")


def act(lifecycle: Lifecycle, plan: Callable[[], Plan]) -> Acted:
    """Perform the plan that is made now; what goes wrong is kept to be told after the answer."""
    try:
        performed = lifecycle.perform(plan())
    except MandateError as error:
        return Acted(error=error)
    return Acted(performed, performed.error)


def moved(move: dict[str, str | None]) -> str:
    """One move in a sentence."""
    former = f"was version {visible(move['from'])}" if move["from"] else "was not set"
    now = f"now names version {visible(move['to'])}" if move["to"] else "is gone"
    return f"the alias {visible(str(move['alias']))} {now} ({former})"


def _entry(receipt: Receipt) -> dict[str, Any]:
    return {"index": receipt.index, "id": receipt.id}
