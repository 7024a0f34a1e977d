"""Who approved which artifact, in which role, for which findings: signed, in the log. Whether that suffices,
policies say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pydantic import TypeAdapter

from mandate.engine.errors import BadConfiguration, BadInput
from mandate.engine.input.base import Frozen, Name, Sha256
from mandate.engine.input.gathering import Gathered, Sources, Target, digest_of, validated
from mandate.engine.input.instants import Instant
from mandate.engine.input.people import Approval, normal
from mandate.engine.input.schema import published


class Options(Frozen):
    """`collectors.approvals` in `mandate.yaml`."""

    file: Name | None = None
    """Location of a list that nobody signed, see `schemas/approvals.v1.json`: for `mandate check --what-if`
    alone. Without it, approvals come from the log."""


class FiledApproval(Frozen):
    """Somebody's consent to one artifact, as a file claims it."""

    role: Name
    approver: Name
    """A mail address or user name, in any case."""
    subject_sha256: Sha256
    """Root digest of the artifact that was approved, as `mandate check` shows it."""
    approved_at: Instant
    reference: str = ""
    """Where the consent is documented, such as a ticket."""


APPROVALS = TypeAdapter(list[FiledApproval])


class Log(Protocol):
    """Where people's signed approvals are."""

    @property
    def location(self) -> str:
        """Where it is, for messages."""

    def approvals(self, model: str, version: str) -> tuple[Approval, ...]:
        """All approvals of a model version, verified. `NotRecorded` if one is not what was recorded."""


class ApprovalsCollector:
    """Collects the section `approvals`."""

    name = "approvals"

    def __init__(
        self, options: Options, sources: Sources, log: Callable[[], Log], what_if: bool = False
    ) -> None:
        """`BadConfiguration` for a file of approvals where something is really decided."""
        if options.file is not None and not what_if:
            raise BadConfiguration(
                f"nobody signed the approvals in {options.file!a}, so they count for no decision",
                where="collectors.approvals.file",
                next_step="Remove it, and let people run `mandate approve`; or ask with --what-if",
            )
        self._options = options
        self._sources = sources
        self._log = log

    def collect(self, target: Target) -> Gathered:
        """All approvals of the version, also those of another artifact under its name, in the log's order.

        Of a file: all in it. `BadInput` if it is not as its schema says, or if one approver consents twice to
        an artifact in one role.
        """
        if self._options.file is not None:
            return self._filed(self._options.file)
        log = self._log()
        return Gathered({"approvals": log.approvals(target.name, target.version)}, log.location, None)

    def _filed(self, file: str) -> Gathered:
        document = self._sources.document(file)
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
