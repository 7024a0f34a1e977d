"""ReplicationControllers."""

from __future__ import annotations

from .kind import Kind, from_template

KIND = Kind("", "ReplicationController", from_template("spec", "template"))
