"""Several faults found in one go, so that a person with three typos sees three."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from ..errors import BadPolicy


class Faults:
    """Keeps the faults of independent steps, and raises them as one error when all steps were taken:

        with Faults() as faults:
            for name in names:
                with faults.kept():
                    check(name)

    The error is the first fault, with the `others` beside it.
    """

    def __init__(self) -> None:
        self._found: list[BadPolicy] = []

    def __enter__(self) -> Faults:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._found:
            raise together(self._found)

    def add(self, what: str, *, where: str, next_step: str) -> None:
        """A fault that was found."""
        self._found.append(BadPolicy(what, where=where, next_step=next_step))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """One step: its fault is kept, and the next step is taken all the same."""
        try:
            yield
        except BadPolicy as fault:
            self._found += [fault, *fault.others]


def together(faults: list[BadPolicy]) -> BadPolicy:
    """The first of the faults, with the others beside it."""
    first, *others = faults
    first.others = tuple(others)
    return first
