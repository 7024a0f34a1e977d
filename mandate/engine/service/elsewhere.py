"""Facts that a worker collects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from ..collecting import Question, unreachable
from ..errors import BadRequest, RegistryUnavailable, SubjectChanged, UnknownSubject
from ..input import Input
from .workers import WorkerFailed

Ask = Callable[[dict[str, Any]], dict[str, Any]]
"""Asks a worker; `WorkerFailed` if it does not answer."""


class FactsElsewhere:
    """The facts about the version that `question.uri` names, as a worker finds them."""

    def __init__(self, question: Question, ask: Ask) -> None:
        self._question = question
        self._ask = ask

    def assemble(self, time: datetime) -> Input:
        """The document; one that says that nothing could be found out if the worker fails.

        `UnknownSubject` or another `BadRequest` if the worker says so.
        """
        question = self._question
        request = question.at(time)
        try:
            said = self._asked("assemble", time=time.isoformat())
            document = Input.model_validate(said["document"], strict=False)
        except WorkerFailed as error:
            return unreachable(question.uri, request, error)
        except (KeyError, ValidationError) as error:
            failure = WorkerFailed(f"the worker gave no document ({type(error).__name__})")
            return unreachable(question.uri, request, failure)
        # Who asks, and what, is not the worker's to say.
        return document.model_copy(update={"request": request})

    def confirm(self, document: Input) -> None:
        """Return if the subject is still what `document` says; `SubjectChanged` if not."""
        self._asked("confirm", document=document.model_dump(mode="json"))

    def _asked(self, what: str, **said: Any) -> dict[str, Any]:
        question = self._question
        answer = self._ask(
            {
                "do": what,
                "uri": question.uri,
                "action": question.action.value,
                "environment": question.environment,
                "requested_by": question.requested_by,
                "what_if": question.what_if,
                **said,
            }
        )
        if (error := answer.get("error")) is None:
            return answer
        kind = _ERRORS.get(str(error.get("kind")), WorkerFailed)
        raise kind(
            str(error.get("what")),
            where=str(error.get("where", "")),
            next_step=str(error.get("next_step", "")),
        )


_ERRORS = {kind.__name__: kind for kind in (BadRequest, UnknownSubject, SubjectChanged, RegistryUnavailable)}
