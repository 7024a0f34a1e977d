"""Who approved which artifact, in which role: a list in a file. Whether that suffices, policies say."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from mandate.engine.errors import BadInput
from mandate.engine.input.base import Frozen, Name, Sha256
from mandate.engine.input.gathering import Gathered, Sources, Target, digest_of, validated
from mandate.engine.input.instants import Instant
from mandate.engine.input.people import Approval, normal
from mandate.engine.input.schema import published


class Options(Frozen):
    """`collectors.approvals` in `mandate.yaml`."""

    file: Name
    """Location of the list, see `schemas/approvals.v1.json`."""


class FiledApproval(Frozen):
    """Somebody's consent to one artifact."""

    role: Name
    approver: Name
    """A mail address or user name, in any case."""
    subject_sha256: Sha256
    """Root digest of the artifact that was approved, as `mandate check` shows it."""
    approved_at: Instant
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
    return published("approvals", {"title": "Approvals", **APPROVALS.json_schema()})
