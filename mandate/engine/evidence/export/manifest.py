"""What an export says of itself: one manifest a run, each naming the one before by its digest."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from ...digests import canonical
from ...errors import BadInput
from ...input.base import Frozen, Sha256, UtcTime
from ...input.schema import published
from ..log.merkle import MAX_SIZE
from . import layout

Size = Annotated[int, Field(gt=0, le=MAX_SIZE)]


class Before(Frozen):
    """The snapshot that this one goes on from."""

    size: Size
    sha256: Sha256
    """Of its manifest."""


class Sums(Frozen):
    """A file of digests."""

    name: str
    sha256: Sha256


class Manifest(Frozen):
    """The ledger, as it was when it had `size` entries, and the files that the run added."""

    format: Literal["https://mandate.dev/export/v1"] = "https://mandate.dev/export/v1"
    origin: str
    """The ledger's name."""
    size: Size
    """How many entries the export has up to here."""
    root: Sha256
    """Of the Merkle tree over them, in hexadecimal digits."""
    checkpoint: str
    """The signed head over them, with what witnesses had signed until then."""
    made_at: UtcTime
    mandate: str
    """The version of Mandate that exported."""
    previous: Before | None
    """`None` for the first run."""
    sums: tuple[Sums, ...]
    """Of every file that the run added, but for these and `checkpoint`."""
    missing_policies: tuple[str, ...] = ()
    """Revisions by which something was decided, and whose policies the exporter did not have."""

    def to_bytes(self) -> bytes:
        """The manifest as it is written: canonical JSON."""
        return canonical(self.model_dump(mode="json"))


def parse(content: bytes, size: int) -> Manifest:
    """The manifest of this size. `BadInput` for everything else."""
    where = layout.snapshot(size)
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ascii(".".join(map(str, details["loc"])))[1:-1][:100]
        raise BadInput(
            f"this is no manifest of an export: {place}: {details['msg']}",
            where=where,
            next_step="Upgrade Mandate if a newer one exported, or get the file again",
        ) from error
    if manifest.size != size:
        raise BadInput(f"it is the manifest of {manifest.size} entries", where=where)
    return manifest


def json_schema() -> dict[str, Any]:
    """The published schema of the manifest."""
    return published("export-manifest", Manifest.model_json_schema())
