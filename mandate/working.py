"""A worker of the service: collects facts, one question after the other, on standard input and output.

    python -m mandate.working MANDATE.YAML MEGABYTES

Each line that comes in is a JSON object; for each, one goes out. What libraries print goes to standard error.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from . import composition
from .engine import configuration as settings
from .engine.cli import logs
from .engine.configuration import Configuration
from .engine.errors import BadRequest, MandateError, RegistryUnavailable, SubjectChanged, UnknownSubject
from .engine.input import Input

_KINDS = (UnknownSubject, BadRequest, SubjectChanged, RegistryUnavailable)
"""The errors that the service is told by name; the first that fits."""


def main(file: Path, megabytes: int) -> None:
    """Answer until standard input ends."""
    limit = megabytes << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    answers = _own_output()
    about: Mapping[str, str] = {}
    logs.configure(lambda: about)
    configuration = settings.load(file, environment=os.environ)
    for line in sys.stdin.buffer:
        question = json.loads(line)
        about = question["about"]  # the request: each line of the log says it
        answers.write(json.dumps(answered(configuration, question)).encode() + b"\n")
        answers.flush()


def answered(configuration: Configuration, question: dict[str, Any]) -> dict[str, Any]:
    """The document, or that it is confirmed, or the error."""
    try:
        facts = composition.collected(
            configuration,
            composition.past_policies(configuration, question["revision"]),
            question["uri"],
            composition.model_registry(configuration),
            action=question["action"],
            environment=question["environment"],
            requested_by=question["requested_by"],
            what_if=question["what_if"],
        )
        if question["do"] == "confirm":
            facts.confirm(Input.model_validate(question["document"], strict=False))
            return {}
        document = facts.assemble(datetime.fromisoformat(question["time"]))
        return {"document": document.model_dump(mode="json")}
    except MandateError as error:
        kind = next((kind.__name__ for kind in _KINDS if isinstance(error, kind)), "MandateError")
        return {
            "error": {
                "kind": kind,
                "what": error.what,
                "where": error.where,
                "next_step": error.next_step,
            }
        }


def _own_output() -> BinaryIO:
    """Standard output for answers alone: whatever prints, prints to standard error from here on."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
