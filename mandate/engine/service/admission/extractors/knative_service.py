"""Services of Knative."""

from __future__ import annotations

from .kind import Kind, from_template

KIND = Kind("serving.knative.dev", "Service", from_template("spec", "template"))
