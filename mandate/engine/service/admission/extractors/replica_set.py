"""ReplicaSets: those that a Deployment makes as well, whoever owns them."""

from __future__ import annotations

from .kind import Kind, from_template

KIND = Kind("apps", "ReplicaSet", from_template("spec", "template"))
