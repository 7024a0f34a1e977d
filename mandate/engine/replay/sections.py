"""Of an input in canonical JSON, the sections that somebody reads: the others are cut out of its text.

Nothing is written anew, because a number means to OPA what its digits say.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

from pydantic_core import from_json, to_json

from .difference import Json


def cut(question: bytes, document: Json, wanted: Set[str]) -> bytes:
    """The document's canonical JSON with those sections, members of its top level, that are `wanted`.

    `question`: all of it. It is returned where the cut went wrong, because another member of the same name
    stands within a section.
    """
    expected = {name: section for name, section in document.items() if name in wanted}
    try:
        part = b"{%b}" % b",".join(_pieces(question, [*document], wanted))
        # As text, because to Python 1 is true.
        return part if to_json(from_json(part)) == to_json(expected) else question
    except ValueError:
        return question


def _pieces(question: bytes, names: list[str], wanted: Set[str]) -> Iterator[bytes]:
    """The text of the wanted sections; those that follow each other in one piece."""
    begin, is_wanted = 1, not wanted.isdisjoint(names[:1])
    for name in names[1:]:
        if (name in wanted) is not is_wanted:
            end = question.index(b',"%b":' % name.encode(), begin)
            if is_wanted:
                yield question[begin:end]
            begin, is_wanted = end + 1, not is_wanted
    if is_wanted:
        yield question[begin:-1]
