"""JSON Schemas of the YAML that an organisation writes beside the policies, for editors that complete it.

They are of draft-07, the newest that every release of yaml-language-server reads. A schema says what the
compiler would accept, as far as a schema can say it. Only the compiler finds: a key that stands twice, an
anchor and whatever else is no strict YAML; `5.0` where an integer is wanted; a model in two families; a day
that is in no calendar, and a waiver that ends before it begins or lasts too long; a key that cannot be
read, a name that is not as it is compared, and who or what stands twice among the people.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from .. import strict_yaml
from ..errors import BadPolicy, BadRequest
from ..nearest import advice
from ..strict_yaml import Document
from . import comments, people, scope, selection, waivers
from .build import Compiled
from .declarations import ANY_NAME, Declaration
from .layers import LAYERS, Name, Settings
from .scope import Scope
from .sources import Kind

DIALECT = "http://json-schema.org/draft-07/schema#"

Schema = dict[str, Any]
_Value = Callable[[str | None], Schema]
"""What a value of a setting must be, in an environment or in none."""
_IS_A = "is a"
"""Until it is shared, what a value must be says so by a name."""
_NOT_JSON_SCHEMA = ("description", "tightens", "unit")
"""What declarations say beside what a value must be."""


def schemas(compiled: Compiled, root: int) -> dict[str, Schema]:
    """By name (`selection`, `thresholds/fairness`), what the files of the root with this number may say."""
    above = _set_elsewhere(compiled, root)
    by_name: dict[str, Schema] = {
        "people": _people(),
        "scope": _scope(compiled, root),
        "selection": _selection(compiled, root),
        "waivers": _waivers(compiled),
    }
    for file in sorted({declared.name[0] for declared in compiled.declarations}):
        by_name[f"thresholds/{file}"] = _thresholds(compiled, file, above)
    return {name: {"$schema": DIALECT, "title": name, **_shared(by_name[name])} for name in sorted(by_name)}


def called(name: str, known: Collection[str]) -> str:
    """The schema that is meant by a name or a file: `thresholds/fairness.yaml`. `BadRequest` if none is."""
    wanted = name.removesuffix(".yaml")
    if wanted not in known:
        raise BadRequest(
            f"there is no schema {wanted[:200]!a}", where="NAME", next_step=advice(wanted, known)
        )
    return wanted


def _shared(schema: Schema) -> Schema:
    """The schema with what each layer says of values in one place."""
    definitions: dict[str, Schema] = {}

    def share(node: Any) -> Any:
        if isinstance(node, list):
            return [share(each) for each in node]
        if not isinstance(node, dict):
            return node
        if _IS_A in node:
            name = node[_IS_A]
            definitions[name] = {key: each for key, each in node.items() if key != _IS_A}
            return {"$ref": f"#/definitions/{quote(name.replace('~', '~0').replace('/', '~1'))}"}
        return {key: share(each) for key, each in node.items()}

    shared: Schema = share(schema)
    return {**shared, **({"definitions": definitions} if definitions else {})}


def _elsewhere(compiled: Compiled, path: str, root: int) -> Iterator[tuple[str, Document]]:
    """The file at the path, or those in the folder, of the other roots, with their paths."""
    for source in compiled.sources.of(Kind.YAML):
        if source.root != root and source.path.startswith(path):
            yield source.path, strict_yaml.load(source.content, BadPolicy, name=source.label)


def _set_elsewhere(compiled: Compiled, root: int) -> Collection[Name]:
    """The thresholds that another root gives a default: here they may be set in part."""
    settings = Settings(_limits(compiled))
    for path, document in _elsewhere(compiled, "thresholds/", root):
        settings.add(document, (PurePosixPath(path).stem,), document.value or {})
    return _with_default(settings)


def _with_default(settings: Settings) -> Collection[Name]:
    return {name for name, layers in settings.leaves.items() if ("default",) in layers}


def _limits(compiled: Compiled) -> Scope:
    return Scope.from_data(compiled.data["scope"])


def _thresholds(compiled: Compiled, file: str, above: Collection[Name]) -> Schema:
    declared = [each for each in compiled.declarations if each.name[0] == file]
    schema = _group(compiled, (file,), declared, above)
    return {**schema, "type": ["object", "null"]}


def _group(
    compiled: Compiled, prefix: Name, declared: Sequence[Declaration], above: Collection[Name]
) -> Schema:
    depth = len(prefix)
    members = {each.name[depth] for each in declared if each.name[depth] != ANY_NAME}
    loose = [each for each in declared if each.name[depth] == ANY_NAME]
    if loose:
        members |= {name[depth] for name in above if name[:depth] == prefix and len(name) == depth + 1}
    properties = {}
    for member in sorted(members):
        name = (*prefix, member)
        exact = [each for each in declared if each.name[: depth + 1] == name]
        deeper = [each for each in exact if len(each.name) > depth + 1]
        covering = [each for each in (*exact, *loose) if each.covers(name)]
        properties[member] = (
            _group(compiled, name, deeper, above)
            if deeper
            else _setting(compiled, name, covering, is_whole=name not in above)
        )
    schema: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    if depth > 1 and (comment := comments.of_setting(compiled.sources, prefix)):
        schema["description"] = comment
    if loose:
        schema["propertyNames"] = {"not": {"enum": list(LAYERS)}}
        schema["additionalProperties"] = _setting(compiled, (*prefix, ANY_NAME), loose, is_whole=True)
    return schema


def _setting(compiled: Compiled, name: Name, declared: Sequence[Declaration], *, is_whole: bool) -> Schema:
    def value(_: str | None) -> Schema:
        return {_IS_A: ".".join(name), **({"allOf": wanted} if len(wanted) > 1 else wanted[0])}

    wanted: list[Schema] = []
    for each in declared:
        keywords = {key: value for key, value in each.schema.items() if key not in _NOT_JSON_SCHEMA}
        if keywords not in wanted:
            wanted.append(keywords)
    about = [
        comments.of_setting(compiled.sources, name),
        _as_it_is(compiled.data["thresholds"], name),
        "Read by " + ", ".join(sorted({each.where.rpartition(":")[0] for each in declared})) + ".",
    ]
    return {
        "description": "\n".join(filter(None, about)),
        **_layered(_limits(compiled), value, is_whole=is_whole),
    }


def _as_it_is(thresholds: Mapping[str, Any], name: Name) -> str:
    """`Now 0.05 (thresholds/fairness.yaml).`; empty where nothing is set."""
    node: Any = thresholds
    for part in name:
        node = node.get(part, {})
    if "default" not in node:
        return ""
    value, set_at = node["default"]["value"], node["default"]["set_at"]
    shown = ", ".join(map(str, value)) or "nothing" if isinstance(value, list) else str(value).lower()
    return f"Now {shown} ({set_at.rpartition(':')[0]})."


def _layered(limits: Scope, value: _Value, *, is_whole: bool) -> Schema:
    """A setting with its layers; `is_whole` if it must have a default."""
    tiers = limits.risk_tiers
    layers: dict[str, Schema] = {
        "default": value(None),
        "environments": _named({name: value(name) for name in limits.environments}),
        "tiers": _named({name: value(None) for name in tiers}),
        "tiers_in_environments": _named(
            {name: _named({tier: value(name) for tier in tiers}) for name in limits.environments}
        ),
        "families": _named({name: value(None) for name in limits.families}),
        "models": {"type": "object", "additionalProperties": value(None)},
    }
    return {
        **_named({layer: layers[layer] for layer in LAYERS}),
        "minProperties": 1,
        **({"required": ["default"]} if is_whole else {}),
    }


def _named(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": dict(properties)}


def _selection(compiled: Compiled, root: int) -> Schema:
    catalogue: Mapping[str, Mapping[str, Any]] = compiled.data["catalogue"]
    lists = Settings(_limits(compiled))
    for _, document in _elsewhere(compiled, selection.FILE, root):
        for name, node in (document.value or {}).items():
            lists.add(document, (name,), node, (name,))
    wanted = [name for name in ("include", "exclude") if (name,) not in _with_default(lists)]

    def patterns(environment: str | None) -> Schema:
        judging = [
            rule
            for rule, about in catalogue.items()
            if environment is None or environment in about["environments"]
        ]
        categories = {rule.partition(".")[0] for rule in judging}
        collections = {f"@{name}" for rule in judging for name in catalogue[rule]["collections"]}
        everything = ["*"] if judging or environment is None else []
        known = [*everything, *sorted(collections), *sorted({*categories, *judging})]
        pattern = {"type": "string", "anyOf": [{"enum": known}, _any_term_of([*categories, *judging])]}
        name = "patterns" if len(judging) == len(catalogue) else f"patterns in {environment}"
        return {_IS_A: name, "type": "array", "items": pattern}

    return {
        **_named(
            {
                name: _layered(_limits(compiled), patterns, is_whole=name in wanted)
                for name in ("include", "exclude")
            }
        ),
        "type": ["object", "null"],
        "description": "Which rules judge, by environment, risk tier, family and model. Exclusion wins.",
        **({"required": wanted} if wanted else {}),
    }


def _any_term_of(names: Collection[str]) -> Schema:
    """`drift.psi:income` and the like; the part before the colon is one of the names."""
    alternatives = "|".join(re.sub(r"[\\^$.*+?()\[\]{}|/]", r"\\\g<0>", name) for name in sorted(names))
    return {"pattern": rf"^(?:{alternatives}):[\s\S]+"}


def _scope(compiled: Compiled, root: int) -> Schema:
    names = {
        "type": "array",
        "minItems": 1,
        "uniqueItems": True,
        "items": {"type": "string", "minLength": 1},
    }
    listed = {name for _, document in _elsewhere(compiled, scope.FILE, root) for name in document.value or {}}
    wanted = [name for name in ("environments", "risk_tiers") if name not in listed]
    return {
        **_named(
            {
                "environments": {**names, "description": "Where a model may serve."},
                "risk_tiers": {**names, "description": "From lowest to highest."},
                "families": {
                    "type": "object",
                    "additionalProperties": names,
                    "description": "The models of each family. A model is of one family at most.",
                },
            }
        ),
        "type": ["object", "null"],
        "description": "What requests may name: a list here replaces the one of an earlier folder.",
        **({"required": wanted} if wanted else {}),
    }


def _people() -> Schema:
    name = {"type": "string", "pattern": r"\S"}
    key = {"type": "string", "pattern": r"^(?:ssh-ed25519|ecdsa-sha2-nistp256) [A-Za-z0-9+/]+=*(?: .*)?$"}
    described: Mapping[str, tuple[Schema, str]] = {
        "name": (name, "By this name the person approves: a mail or user name in lower case."),
        "keys": (_list_of(key), "Lines of .pub files: what these keys sign, this person has signed."),
        "roles": (_list_of(name), "In which roles the person may approve or waive."),
        "identities": (_list_of(name), "Other names of the same person, such as the author's in git."),
    }
    properties = {key: {**schema, "description": words} for key, (schema, words) in described.items()}
    return {
        "type": ["array", "null"],
        "description": people.__doc__.partition(". A list of")[0] + "." if people.__doc__ else "",
        "items": {**_named(properties), "required": ["name", "keys", "roles"]},
    }


def _list_of(items: Schema) -> Schema:
    return {"type": "array", "uniqueItems": True, "items": items}


def _waivers(compiled: Compiled) -> Schema:
    waivable = [rule for rule, about in compiled.data["catalogue"].items() if about["waivable"]]
    text = {"type": "string", "pattern": r"\S"}
    instant = {
        "type": "string",
        "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z)?$",
    }
    name = {"type": "string", "minLength": 1}
    subjects = [
        {**_named({"name": name, "version": name}), "required": ["name", "version"]},
        {
            **_named({"sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$", "maxLength": 64}}),
            "required": ["sha256"],
        },
    ]
    described: Mapping[str, tuple[Schema, str]] = {
        "rule": (
            {"type": "string", "anyOf": [{"enum": sorted(waivable)}, _any_term_of(waivable)]},
            "A rule that can be waived, or one term of it: drift.psi:income.",
        ),
        "subject": ({"anyOf": subjects}, "A version of a model, or the digest of an artifact."),
        "reason": (text, "Why the violation is accepted."),
        "reference": (text, "The record of that decision in your own system."),
        "approver": (text, "Who answers for it."),
        "effective_on": (instant, "From when it counts: a day (its first instant) or an instant in UTC."),
        "expires": (instant, "The first instant at which it no longer counts."),
    }
    properties = {key: {**schema, "description": words} for key, (schema, words) in described.items()}
    return {
        "type": ["array", "null"],
        "description": waivers.__doc__.partition(".")[0] + "." if waivers.__doc__ else "",
        "items": {**_named(properties), "required": list(properties)},
    }
