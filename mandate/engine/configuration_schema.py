"""The JSON Schemas of `mandate.yaml` and of lists beside it, for editors that complete them."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema

from .configuration import FILE_NAME, Settings
from .input.base import Frozen
from .input.schema import portable

_DIALECT = "http://json-schema.org/draft-07/schema#"
"""The newest that every release of yaml-language-server reads."""


class _Documented(GenerateJsonSchema):
    """With the docstrings of fields as their descriptions."""

    def model_schema(self, schema: Any) -> dict[str, Any]:
        made = super().model_schema(schema)
        for name, text in _docstrings(schema["cls"]).items():
            if name in made.get("properties", {}):
                made["properties"][name].setdefault("description", text)
        return made


def json_schema(options: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """The schema, with the options of each collector by its name."""
    # Each may be left out, which is not to say that it may be null.
    fields: dict[str, Any] = {name: (model, Field(default_factory=dict)) for name, model in options.items()}
    collectors = create_model("Collectors", __base__=Frozen, __doc__="Where facts come from.", **fields)
    field: dict[str, Any] = {"collectors": (collectors, Field(default_factory=dict))}
    whole = create_model(FILE_NAME, __base__=Settings, __doc__=Settings.__doc__, **field)
    return _for_editors(TypeAdapter(whole))


def of_list(listed: TypeAdapter[Any], title: str, description: str) -> dict[str, Any]:
    """The schema of a file that holds a list."""
    return _for_editors(listed) | {"title": title, "description": description}


def _for_editors(kind: TypeAdapter[Any]) -> dict[str, Any]:
    schema = portable(kind.json_schema(ref_template="#/definitions/{model}", schema_generator=_Documented))
    definitions = schema.pop("$defs")
    return {"$schema": _DIALECT, **schema, "definitions": definitions}


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The docstring below each field, of the model and of those that it inherits from."""
    found: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if not issubclass(each, BaseModel) or each is BaseModel:
            continue
        try:
            source = textwrap.dedent(inspect.getsource(each))
        except (OSError, TypeError):  # made while running
            continue
        body = [*ast.walk(ast.parse(source))][1].body  # type: ignore[attr-defined]  # of the class
        for field, below in pairwise(body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                found[field.target.id] = inspect.cleandoc(str(below.value.value))
    return found
