"""The merged tree: the Rego of all roots in one folder, which is what `opa` reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ..digests import canonical
from .sources import Kind, Sources

MANIFEST = {"roots": ["mandate"], "rego_version": 1}


@contextmanager
def merged(sources: Sources, *kinds: Kind) -> Iterator[Path]:
    """A temporary folder with the files of these kinds, at their paths relative to their roots."""
    with TemporaryDirectory(prefix="mandate-policies-") as name:
        folder = Path(name).resolve() / "tree"
        folder.mkdir()
        for source in sources.of(*kinds):
            file = folder / source.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(source.content)
        (folder / ".manifest").write_bytes(canonical(MANIFEST))
        yield folder


def write_data(folder: Path, data: object) -> None:
    """Put the compiled data beside the Rego: `data.mandate`."""
    (folder / "data.json").write_bytes(canonical({"mandate": data}))
