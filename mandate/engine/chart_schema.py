"""The JSON Schema of the Helm chart's values: a misspelt setting ends an installation before it begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from . import configuration_schema

_VALUES: Mapping[str, Any] = {
    "global": {"type": "object", "description": "Helm's own: values that charts share."},
    "image": {
        "type": "string",
        "pattern": r"^[a-zA-Z0-9]\S*$",
        "description": "The image with Mandate and OPA, by its digest.",
    },
    "replicas": {"type": "integer", "minimum": 1, "maximum": 100},
    "policies": {
        "type": "string",
        "pattern": "^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$",
        "description": "The ConfigMap with the release that judges.",
    },
    "environments": {
        "type": "array",
        "minItems": 1,
        "uniqueItems": True,
        "items": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$"},
        "description": "Each has a webhook of its own.",
    },
    "certificates": {
        "enum": ["ensure", "cert-manager", "provided"],
        "description": "Whose certificate the service shows.",
    },
    "caBundle": {
        "type": "string",
        "pattern": "^[A-Za-z0-9+/=]*$",
        "description": "Who issued a certificate that is provided: PEM in base64.",
    },
}


def json_schema(options: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """The schema; `settings` are those of mandate.yaml, with the options of each collector by its name."""
    whole = configuration_schema.json_schema(options)
    dialect, definitions = whole.pop("$schema"), whole.pop("definitions")
    is_provided = {"properties": {"certificates": {"const": "provided"}}}
    return {
        "$schema": dialect,
        "title": "Values of Mandate's chart",
        "type": "object",
        "properties": {**_VALUES, "settings": whole},
        "required": [*(name for name in _VALUES if name != "global"), "settings"],
        "additionalProperties": False,
        "if": is_provided,
        "then": {"properties": {"caBundle": {"minLength": 1}}},
        "else": {"properties": {"caBundle": {"maxLength": 0}}},
        "definitions": definitions,
    }
