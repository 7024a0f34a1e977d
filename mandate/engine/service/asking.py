"""What a caller asks, and how it becomes a question to the gate."""

from __future__ import annotations

import json
from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from ..digests import document_sha256
from ..evidence.predicates.decision import RequestKey
from ..input import Action
from ..input.base import Frozen, Name
from .access.roles import Caller


class Question(Frozen):
    """A subject whose facts are to be collected, or a ready input document; one of the two."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"subject": "models:/credit/3", "action": "promote", "environment": "production"},
                {
                    "input": {
                        "apiVersion": "mandate/v1",
                        "subject": {"name": "credit", "version": "3", "uri": "models:/credit/3"},
                    },
                    "environment": "staging",
                },
            ]
        }
    )

    subject: Name | None = None
    """A model version in the registry, `models:/credit/3`."""
    input: dict[str, Any] | None = None
    """An input document (`schemas/input.v1.json`): a claim, whose facts count as reported by the caller."""
    action: Action = Field(default=Action.PROMOTE, strict=False)
    environment: Name = "production"

    @model_validator(mode="after")
    def _is_about_one_thing(self) -> Self:
        if (self.subject is None) == (self.input is None):
            raise ValueError("give either a subject or an input")
        return self

    def key(self, key: str | None, caller: Caller, *, what_if: bool) -> RequestKey | None:
        """The request key under which the answer is kept: each caller has keys of its own."""
        if key is None:
            return None
        # With the caller in it: `ci` may choose a key that begins as those of a caller named `ci: x` do.
        asked = self.model_dump(mode="json") | {"what_if": what_if, "caller": caller.name}
        return RequestKey(key=f"{caller.name}: {key}", sha256=document_sha256(json.loads(json.dumps(asked))))
