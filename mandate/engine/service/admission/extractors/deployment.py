"""Deployments."""

from __future__ import annotations

from .kind import Kind, from_template

KIND = Kind("apps", "Deployment", from_template("spec", "template"))
