"""Locations: `run:<path>`, `model:<path>`, or a path relative to `mandate.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mandate.engine.errors import BadInput


class Place(StrEnum):
    """Where a file is."""

    RUN = "run"
    """An artifact of the version's run."""
    MODEL = "model"
    """A file of the model."""
    LOCAL = "local"
    """This machine, relative to `mandate.yaml`."""


@dataclass(frozen=True, slots=True)
class Location:
    """A file: for a run or a model a plain path below its artifacts, with `/`."""

    place: Place
    path: str


def parse(location: str) -> Location:
    """What `location` names. `BadInput` if it names nothing, or leads out of the artifacts."""
    prefix, colon, path = location.partition(":")
    place = Place(prefix) if colon and prefix in (Place.RUN, Place.MODEL) else Place.LOCAL
    if place is Place.LOCAL:
        path = location
    if not path or not path.isprintable():
        raise BadInput("it names no file", where=ascii(location[:80]), next_step="Write the file's path")
    if place is not Place.LOCAL and any(part in ("", ".", "..") for part in path.split("/")):
        raise BadInput(
            "it is not a plain path below the artifacts",
            where=ascii(location[:80]),
            next_step=f"Write {place}:<path> without . and ..",
        )
    return Location(place, path)
