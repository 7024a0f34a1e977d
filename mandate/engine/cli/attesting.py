"""Attestations of a decision, in files beside each other."""

from __future__ import annotations

from pathlib import Path

from ..configuration import Configuration
from ..errors import BadRequest

DECISION = "decision"
TYPES = (DECISION, "vsa", "svr")


def refuse_leftovers(folder: Path) -> None:
    """`BadRequest` if there are attestations in the folder: they could be taken for those of this decision,
    which has fewer if it is undecided."""
    for kind in TYPES:
        if (file := _file(folder, kind)).exists():
            raise BadRequest(
                "there is an attestation already, of another decision",
                where=str(file),
                next_step="Choose a new folder",
            )


def write(configuration: Configuration, decision: str, folder: Path) -> list[Path]:
    """Write the attestations of a recorded decision: the decision, and of an allow or a deny the others.

    `BadRequest` if the folder cannot be written.
    """
    from ... import composition
    from ..evidence import standard
    from ..evidence.bundle import export

    record = composition.recorded(configuration, decision)
    others = TYPES[1:] if standard.obstacle(record) is None else ()
    envelopes = {kind: composition.attestation(configuration, record, kind) for kind in others}
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind, envelope in {DECISION: record.envelope, **envelopes}.items():
            with (file := _file(folder, kind)).open("xb") as opened:
                opened.write(export(envelope))
            written.append(file)
    except OSError as error:
        raise BadRequest(
            f"the attestations cannot be written: {error.strerror}",
            where=str(error.filename or folder),
            next_step=f"The decision is on record: `mandate ledger bundle {decision}` gives each of them",
        ) from error
    return written


def _file(folder: Path, kind: str) -> Path:
    return folder / f"{kind}.sigstore.json"
