"""Problems as SARIF 2.1.0, which code hosts show beside the lines of a merge request.

The standard: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0. A problem is a
`result`, its `tool/rule` a `reportingDescriptor`, and its next step the help text of that and part of the
message.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from .problems import Problem
from .sources import prefix

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LINK = re.compile(r"[\[\]\\]")
_BASE = "SRCROOT"


def sarif(
    problems: Sequence[Problem], roots: Sequence[Path], *, version: str, around: Path
) -> dict[str, Any]:
    """One run of `mandate policy check`. Paths are relative to the repository around the folder `around`."""
    repository = _repository(around.resolve())
    rules = {problem.id: problem for problem in reversed(problems)}
    index = {rule: number for number, rule in enumerate(sorted(rules))}
    driver = {
        "name": "mandate",
        "semanticVersion": version,
        "rules": [_rule(rules[rule]) for rule in index],
    }
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {_BASE: {"uri": f"{repository.as_uri()}/"}},
                "results": [_result(problem, index, _places(roots), repository) for problem in problems],
            }
        ],
    }


def _repository(folder: Path) -> Path:
    """The nearest folder here or above that git keeps; this one where there is none."""
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)


def _places(roots: Sequence[Path]) -> Mapping[str, Path]:
    """The folder of each root, by what the labels of its files begin with; the library's last: nothing."""
    return {prefix(number): root for number, root in reversed(list(enumerate(roots)))}


def _rule(example: Problem) -> dict[str, Any]:
    text = example.next_step or "Correct it"
    return {"id": example.id, "shortDescription": {"text": example.id}, "help": {"text": f"{text}."}}


def _result(
    problem: Problem, index: Mapping[str, int], places: Mapping[str, Path], repository: Path
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": problem.id,
        "ruleIndex": index[problem.id],
        "level": problem.level.value,
        "message": {"text": _message(problem)},
    }
    if problem.file:
        physical: dict[str, Any] = {"artifactLocation": _artifact(problem.file, places, repository)}
        if problem.line is not None:
            physical["region"] = {"startLine": problem.line}
        result["locations"] = [{"physicalLocation": physical}]
    return result


def _message(problem: Problem) -> str:
    """Brackets are escaped: in SARIF they make links (3.11.6), and what policies say links nowhere."""
    sentences: Iterable[str] = filter(None, (problem.what, problem.next_step))
    text = " ".join(f"{sentence[:1].upper()}{sentence[1:]}." for sentence in sentences)
    return _LINK.sub(r"\\\g<0>", text)


def _artifact(label: str, places: Mapping[str, Path], repository: Path) -> dict[str, Any]:
    """Relative to the repository, or as it is where the file lies elsewhere, as an installed library does.

    What a bundle carries has no place but the bundle.
    """
    beginning = next(beginning for beginning in places if label.startswith(beginning))
    root = places[beginning].resolve()
    file = root if root.is_file() else Path(os.path.normpath(root / label.removeprefix(beginning)))
    if file.is_relative_to(repository):
        return {"uri": quote(str(PurePosixPath(file.relative_to(repository)))), "uriBaseId": _BASE}
    return {"uri": file.as_uri()}
