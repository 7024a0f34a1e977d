"""Reads an `AdmissionReview` of `admission.k8s.io/v1`, and of a bad one at least the uid."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import BadInput

API_VERSION = "admission.k8s.io/v1"
_LONGEST_UID = 256
_SHOWN = 3


class _Read(BaseModel):
    """A part of the review. Later versions of Kubernetes may say more: what is not known is not looked at."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class GroupVersionKind(_Read):
    """A kind, as the API server names it."""

    group: str
    version: str
    kind: Annotated[str, Field(min_length=1, max_length=512)]


class User(_Read):
    """Who asks the API server, which has authenticated them."""

    username: str = ""
    groups: tuple[str, ...] = Field(default=(), strict=False)


class AdmissionRequest(_Read):
    """What somebody wants to do to an object."""

    uid: Annotated[str, Field(min_length=1, max_length=_LONGEST_UID)]
    kind: GroupVersionKind
    subResource: str = ""  # noqa: N815  (Kubernetes' own spelling, here and below)
    name: str = ""
    namespace: str = ""
    operation: Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]
    userInfo: User  # noqa: N815
    object: dict[str, Any] | None = None
    oldObject: dict[str, Any] | None = None  # noqa: N815
    dryRun: bool | None = False  # noqa: N815

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The object's, empty if there is none."""
        found = (self.object or {}).get("metadata")
        return found if isinstance(found, dict) else {}

    @property
    def called(self) -> str:
        """The object's name; the prefix and a `*` where the server makes the rest."""
        prefix = self.metadata.get("generateName")
        return self.name or (f"{prefix}*" if isinstance(prefix, str) else "*")


class AdmissionReview(_Read):
    """The whole body."""

    apiVersion: Literal["admission.k8s.io/v1"]  # noqa: N815
    kind: Literal["AdmissionReview"]
    request: AdmissionRequest


def read(document: Any) -> AdmissionRequest:
    """The request in a review. `BadInput` with the fields that are wrong."""
    try:
        return AdmissionReview.model_validate(document).request
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        shown = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in faults[:_SHOWN])
        raise BadInput(f"this is no AdmissionReview of {API_VERSION}: {shown}", where="body") from error


def uid(body: bytes) -> str:
    """The uid of whatever this is, so that the answer can echo it; empty if there is none to be read."""
    try:
        found = json.loads(body)["request"]["uid"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return found if isinstance(found, str) and len(found) <= _LONGEST_UID else ""
