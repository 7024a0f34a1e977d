from __future__ import annotations

import inspect

import pytest

from mandate.engine import errors
from mandate.engine.errors import BadInput, BadRequest, CouldNotDecide, MandateError

LEAVES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, MandateError)]


def test_an_error_says_what_where_and_what_to_do_next() -> None:
    error = BadInput("the table is empty", where="labels.csv", next_step="Export it again")
    assert str(error) == "labels.csv: the table is empty. Export it again."
    assert str(BadInput("the table is empty")) == "the table is empty."


@pytest.mark.parametrize("kind", LEAVES)
def test_the_tree_in_the_docstring_is_complete(kind: type[MandateError]) -> None:
    assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("kind", LEAVES)
def test_only_what_the_caller_can_change_exits_with_two(kind: type[MandateError]) -> None:
    assert (kind.exit_code == 2) is issubclass(kind, BadRequest)
    assert not (issubclass(kind, CouldNotDecide) and kind.exit_code != 3)
