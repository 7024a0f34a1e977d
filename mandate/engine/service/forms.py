"""The forms in which a recorded decision can be read: each by its media type."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from ..evidence import bundle, proof_file, proving, reading
from ..gate import Answer
from ..report import report
from . import answers
from .parts import Parts

Form = Callable[[Parts, str], bytes]
"""What is sent about the decision that a reference means, as `reading.find` takes it."""


def _answer(parts: Parts, reference: str) -> Answer:
    record = reading.find(parts.ledger(), reference, parts.keys())
    return Answer(record.document, record.judgement, record.receipt, record.what_if)


def _json(parts: Parts, reference: str) -> bytes:
    return json.dumps(answers.body(_answer(parts, reference), parts.documentation)).encode()


def _reported(name: str, parts: Parts, reference: str) -> bytes:
    """As `mandate check --output` writes it."""
    stream = io.StringIO()
    report(name).write(_answer(parts, reference), stream, verbose=False, link=parts.documentation)
    return stream.getvalue().encode("utf-8", "backslashreplace")


def _envelope(parts: Parts, reference: str) -> bytes:
    return reading.find(parts.ledger(), reference, parts.keys()).envelope.to_bytes()


def _bundle(parts: Parts, reference: str) -> bytes:
    return bundle.export(reading.find(parts.ledger(), reference, parts.keys()).envelope)


def _proof(parts: Parts, reference: str) -> bytes:
    return proving.prove(parts.ledger(), reference, parts.keys())


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "application/json": _json,
        "application/vnd.dsse.envelope.v1+json": _envelope,
        bundle.MEDIA_TYPE: _bundle,
        proof_file.MEDIA_TYPE: _proof,
        "application/sarif+json": partial(_reported, "sarif"),
        "application/junit+xml": partial(_reported, "junit"),
        "application/xml": partial(_reported, "junit"),
        "text/markdown": partial(_reported, "markdown"),
        "text/plain": partial(_reported, "text"),
    }
)
"""The first is for callers that do not say what they want."""
