"""Jobs."""

from __future__ import annotations

from .kind import Kind, from_template

KIND = Kind("batch", "Job", from_template("spec", "template"))
