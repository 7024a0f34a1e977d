"""Which kind of place a name means."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ...errors import BadRequest
from .destination import Destination, Source
from .folder import Folder
from .tar import SUFFIX, CompleteTar, TarDestination, TarSource

_S3 = "s3://"


def destination(where: str, *, retain_until: datetime | None = None) -> Destination:
    """A folder, a file that ends in `.tar`, or `s3://bucket/prefix`, where all is locked `retain_until` then.

    `BadConfiguration` or `BadRequest` if it cannot be one.
    """
    if where.startswith(_S3):
        from . import s3

        return s3.Locked.to(where, retain_until)
    if retain_until is not None:
        raise BadRequest(
            "only a bucket with object lock keeps anybody from removing files",
            where=where,
            next_step="Name s3://BUCKET/PREFIX, or leave the retention out",
        )
    path = Path(where).absolute()
    if path.suffix != SUFFIX:
        return Folder(path)
    return CompleteTar(path) if path.exists() else TarDestination(path)


def source(where: str) -> Source:
    """What was exported to `destination` of the same name. `BadConfiguration` or `BadInput` for nothing."""
    if where.startswith(_S3):
        from . import s3

        return s3.Bucket.of(where)
    path = Path(where).absolute()
    return TarSource(path) if path.is_file() else Folder(path)
