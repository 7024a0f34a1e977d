"""JSON Schemas as they are published; the input document's also as OPA's type checker understands it."""

from __future__ import annotations

import json
from typing import Any

from .document import Input

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The whole schema of `mandate/v1` (JSON Schema 2020-12), for whoever writes or checks a document."""
    return published("input", Input.model_json_schema())


def published(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """What pydantic says of a model, as `schemas/<name>.v1.json` has it."""
    return {
        "$schema": _DIALECT,
        "$id": f"https://mandate.dev/schemas/{name}/v1",
        **portable(schema),
    }


def portable(schema: Any) -> Any:
    """The schema with patterns in the dialect of JSON Schema (ECMA-262): it has no `\\z`."""
    if isinstance(schema, dict):
        return {
            name: part.replace(r"\z", "$") if name == "pattern" and isinstance(part, str) else portable(part)
            for name, part in schema.items()
        }
    return [portable(part) for part in schema] if isinstance(schema, list) else schema


def opa_schema() -> dict[str, Any]:
    """The same, reduced to names and types.

    OPA's type checker reads `type`, `properties`, `items` and `anyOf`. It ignores `oneOf`, `enum`, `const`
    and `additionalProperties`, and resolves `$ref` only within limits: references are written out here, and
    several kinds of one object become one object with the fields of all. Bounds and patterns are Python's to
    check.
    """
    schema = Input.model_json_schema()
    return {"$schema": _DIALECT, **_flat(schema, schema.get("$defs", {}))}


def text(schema: dict[str, Any]) -> str:
    """The schema as its file has it."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _flat(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return _flat(definitions[node["$ref"].rsplit("/", 1)[1]], definitions)
    if alternatives := node.get("anyOf") or node.get("oneOf"):
        return _any_of([_flat(alternative, definitions) for alternative in alternatives])
    kind = node.get("type")
    if kind == "object":
        properties = node.get("properties", {})
        return {
            "type": "object",
            "properties": {name: _flat(properties[name], definitions) for name in properties},
        }
    if kind == "array":
        return {"type": "array", "items": _flat(node.get("items", {}), definitions)}
    return {"type": kind or "string"} if "const" in node or "enum" in node or kind else {}


def _any_of(alternatives: list[dict[str, Any]]) -> dict[str, Any]:
    # With null among them, the checker would let every name pass: what is null has no fields to mistype.
    alternatives = [one for one in alternatives if one.get("type") != "null"]
    objects = [one for one in alternatives if one.get("type") == "object"]
    merged: list[dict[str, Any]] = []
    if objects:
        properties = {name: part for one in objects for name, part in one["properties"].items()}
        merged.append({"type": "object", "properties": properties})
    for one in alternatives:
        if one.get("type") != "object" and one not in merged:
            merged.append(one)
    return merged[0] if len(merged) == 1 else {"anyOf": merged}
