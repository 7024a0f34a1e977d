"""The whole document."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import model_validator

from .base import EACH_NAME_ONCE, Digested
from .collection import Collection
from .people import Approval, Developer, Waiver
from .performance import Performance
from .quality import DataSchema, Drift, Fairness
from .registered import Artifact, Documentation, Model
from .subject import Request, Subject
from .traceability import Provenance

Section = Literal[
    "model",
    "artifact",
    "performance",
    "fairness",
    "drift",
    "data_schema",
    "provenance",
    "developers",
    "approvals",
    "documentation",
    "waivers",
]
"""The parts that collectors fill."""

SECTIONS: tuple[Section, ...] = get_args(Section)


class Input(Digested):
    """What OPA is asked about. A section is `None` where nobody collected it; `collection` says why."""

    apiVersion: Literal["mandate/v1"] = "mandate/v1"  # noqa: N815  (the document's own spelling)
    subject: Subject
    request: Request
    model: Model | None = None
    artifact: Artifact | None = None
    performance: Performance | None = None
    fairness: Fairness | None = None
    drift: Drift | None = None
    data_schema: DataSchema | None = None
    provenance: Provenance | None = None
    developers: Annotated[tuple[Developer, ...], EACH_NAME_ONCE] | None = None
    approvals: tuple[Approval, ...] | None = None
    documentation: Documentation | None = None
    waivers: tuple[Waiver, ...] = ()
    collection: tuple[Collection, ...] = ()
    """One entry a collector that was asked. Of two that contradict each other policies believe neither."""

    @model_validator(mode="after")
    def _is_about_one_model(self) -> Input:
        model, subject = self.model, self.subject
        if model is not None and (model.name, model.version) != (subject.name, subject.version):
            raise ValueError("the model section is about another model version than the subject")
        return self
