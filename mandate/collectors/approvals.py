"""Who approved which artifact, in which role: a list in a file. Whether that suffices, policies say."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter, WithJsonSchema

from mandate.engine.errors import BadInput
from mandate.engine.input.base import Frozen, Name, Sha256, UtcTime
from mandate.engine.input.gathering import Gathered, Sources, Target, digest_of, validated
from mandate.engine.input.people import Approval, normal

_INSTANT = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


class Options(Frozen):
    """`collectors.approvals` in `mandate.yaml`."""

    file: Name
    """Location of the list, see `schemas/approvals.v1.json`."""


def _instant(text: object) -> datetime:
    if not isinstance(text, str) or not re.fullmatch(_INSTANT, text):
        raise ValueError("must be an RFC 3339 instant with its offset, such as 2026-01-31T12:00:00Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be between the years 1 and 9999") from error


class FiledApproval(Frozen):
    """Somebody's consent to one artifact."""

    role: Name
    approver: Name
    """A mail address or user name, in any case."""
    subject_sha256: Annotated[Sha256, WithJsonSchema({"type": "string", "pattern": "^[0-9a-f]{64}$"})]
    """Root digest of the artifact that was approved, as `mandate check` shows it."""
    approved_at: Annotated[
        UtcTime,
        BeforeValidator(_instant),
        WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{_INSTANT}$"}),
    ]
    reference: str = ""
    """Where the consent is documented, such as a ticket."""


APPROVALS = TypeAdapter(list[FiledApproval])


class ApprovalsCollector:
    """Collects the section `approvals`."""

    name = "approvals"

    def __init__(self, options: Options, sources: Sources) -> None:
        self._options = options
        self._sources = sources

    def collect(self, target: Target) -> Gathered:
        """All approvals of the file, also those of other artifacts, in its order. `BadInput` if it is not as
        its schema says, or if one approver consents twice to an artifact in one role."""
        document = self._sources.document(self._options.file)
        approvals = tuple(_approval(filed, document.location) for filed in validated(document, APPROVALS))
        seen = set()
        for approval in approvals:
            consent = approval.approver, approval.role, approval.subject_sha256
            if consent in seen:  # two of one person must not count as two
                raise BadInput(
                    f"{approval.approver!a} approves the same artifact twice as {approval.role!a}",
                    where=document.location,
                    next_step="Keep one of the two",
                )
            seen.add(consent)
        return Gathered({"approvals": approvals}, document.location, digest_of(document.sha256))


def _approval(filed: FiledApproval, location: str) -> Approval:
    if not (approver := normal(filed.approver)):
        raise BadInput("an approver is blank", where=location, next_step="Name who approved")
    return Approval(
        approver=approver,
        role=filed.role,
        subject_sha256=filed.subject_sha256,
        approved_at=filed.approved_at,
        reference=filed.reference,
    )


def schema() -> dict[str, Any]:
    """JSON Schema of the list, as published in `schemas/approvals.v1.json`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:mandate:schemas:approvals:v1",
        "title": "Approvals",
        **APPROVALS.json_schema(),
    }
