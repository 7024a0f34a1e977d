"""`mandate.yaml`, and what overrides it.

The file comes first, then environment variables (`MANDATE_OPA__TIMEOUT=2`), then `--set opa.timeout=2`. Paths
in the file are relative to the file. A name that nobody knows is an error that says which one is nearest.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from . import strict_yaml
from .errors import BadConfiguration
from .input.base import Frozen
from .nearest import advice
from .service.settings import ServiceSettings

FILE_NAME = "mandate.yaml"
LIBRARY = "library"
_ENVIRONMENT_PREFIX = "MANDATE_"
_NOT_SETTINGS = {"MANDATE_CONFIG", "MANDATE_TRACEBACK", "MANDATE_PERSON_KEY"}
_SECRET = re.compile(r"MANDATE_(HEAD_|PERSON_)?KEY_(PASSPHRASE|PIN)(_FILE)?")
"""Variables that `evidence.signers.secrets` reads."""
_ELSEWHERE = re.compile(r"MANDATE_(SERVER(_CA|_CERTIFICATE(_KEY)?|_TIMEOUT)?|TOKEN(_FILE)?|LEDGER_KEY)")
"""Variables of whoever asks a service: `cli.options.elsewhere`, `cli.sides`."""


def holds_password(url: str) -> bool:
    """Whether the URL of a database has a password in it."""
    parts = urlsplit(url)
    return parts.password is not None or "password" in parse_qs(parts.query, keep_blank_values=True)


class LedgerSettings(Frozen):
    """Where decisions are kept, and the key that signs them."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    """The log's origin: one organisation, one name, such as `bank.example/models`."""
    path: str = ".mandate/ledger.db"
    """The embedded ledger's file. Past policies lie in its folder, whichever ledger is used."""
    url: Annotated[str, Field(pattern=r"^postgresql://")] | None = None
    """A shared ledger in PostgreSQL, such as `postgresql://mandate@db.bank.example/mandate`; `None`: the
    file. It holds no password: that comes from PGPASSFILE or another way of libpq."""
    key: str = ".mandate/keys/signing.pem"
    """Who signs the evidence: a key file, `ssh-agent:SHA256:…`, `hsm:…` (a PKCS#11 token), or a service such
    as `awskms:…`."""
    public_key: str | None = None
    """The file with the public key of `key`, which a token or service does not tell."""
    head_key: str | None = None
    """Who signs the log's heads, for which Ed25519 is the only algorithm; `None`: `key` signs them too."""
    head_public_key: str | None = None
    """The file with the public key of `head_key`."""
    keys: str | None = None
    """The folder with all public keys (`*.pub`) whose signatures count; `None`: that of the key file, or
    `keys` beside the ledger."""

    @field_validator("url")
    @classmethod
    def _holds_no_password(cls, url: str | None) -> str | None:
        if url is not None and holds_password(url):
            raise PydanticCustomError(
                "password", "a password does not belong into settings; the file that PGPASSFILE names has it"
            )
        return url


class OpaSettings(Frozen):
    """Which OPA judges."""

    url: str | None = None
    """`http://`, `https://` or `unix://` of a sidecar; `None`: Mandate starts its own child."""
    bundle: str = "mandate"
    """The name under which the sidecar holds the policies."""
    token_file: str | None = None
    """A file with the bearer token that the sidecar expects."""
    ca: str | None = None
    """A PEM file with the only authorities to trust for `https://`."""
    binary: str | None = None
    """The `opa` to start; `None`: the one that `mandate opa install` built, or a good one on PATH."""
    timeout: Annotated[float, Field(gt=0, le=300, strict=False)] = 10.0
    """Seconds for one question, from end to end."""


class RegistrySettings(Frozen):
    """The MLflow tracking server, or its SQLite file."""

    tracking_uri: str = "sqlite:///mlflow.db"
    registry_uri: str | None = None
    artifacts: list[Annotated[str, Field(pattern=r"^((s3|gs|wasbs|abfss|file)://)?[^:\s?#%\\]+$")]] = [
        "mlruns",
        "mlartifacts",
    ]
    """Where the files of models may lie, beside what a tracking server gives itself (`--serve-artifacts`):
    folders, relative to this file, and URIs such as `s3://bank-models/production`. Nothing is fetched from
    anywhere else, whatever whoever registers a model writes there."""


class ModelSettings(Frozen):
    """What the organisation says of one registered model."""

    risk_tier: str | None = None
    """Overrides the registry's tag `mandate.risk_tier`."""


class Settings(Frozen):
    """The whole file."""

    ledger: LedgerSettings
    policies: Annotated[list[str], Field(min_length=1)] = [LIBRARY, "policies"]
    """Folders with policies, in order: `library` is the one that comes with Mandate. Or one signed bundle."""
    policy_key: str | None = None
    """The public key (PEM) of whoever releases policies: with it, only a bundle that it signed counts."""
    opa: OpaSettings = OpaSettings()
    registry: RegistrySettings = RegistrySettings()
    models: Mapping[str, ModelSettings] = {}
    documentation: Annotated[str, Field(pattern=r"^(?:https?://[^\s?#]+|[^\s:?#][^:?#]*)$")] | None = None
    """Where people read what `mandate policy docs --site` writes, a URL or a folder: reports link to it."""
    service: ServiceSettings = ServiceSettings()
    """How `mandate serve` serves."""
    collectors: dict[str, dict[str, Any]] = {}
    """Each collector's own options, which the collector checks."""


_Options = TypeVar("_Options", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings and where they came from."""

    file: Path
    settings: Settings
    document: strict_yaml.Document
    """The file as it was read, for the lines that errors name."""

    @property
    def root(self) -> Path:
        """The folder of `mandate.yaml`."""
        return self.file.parent

    def path(self, setting: str) -> Path:
        """A path as the file says it, relative to the file."""
        return self.root / Path(setting).expanduser()

    @property
    def state(self) -> Path:
        """The folder with the ledger: past policy bundles are kept beside it."""
        return self.path(self.settings.ledger.path).parent

    def options(self, collector: str, kind: type[_Options]) -> _Options:
        """A collector's options. `BadConfiguration` if they are not what the collector takes."""
        place = ("collectors", collector)
        try:
            return kind.model_validate(self.settings.collectors[collector])
        except ValidationError as error:
            raise _invalid(error, kind, self.document, place) from error


def find(start: Path) -> Path:
    """The nearest `mandate.yaml` in `start` or above it."""
    for folder in (start, *start.parents):
        if (candidate := folder / FILE_NAME).is_file():
            return candidate
    raise BadConfiguration(
        f"there is no {FILE_NAME} here or in a folder above",
        where=str(start),
        next_step="Run `mandate init`, or name the file with --config",
    )


def load(file: Path, *, environment: Mapping[str, str], overrides: Sequence[str] = ()) -> Configuration:
    """Read `file`, then apply the environment's variables, then `overrides` (`opa.timeout=2`)."""
    document = strict_yaml.load_file(file, BadConfiguration)
    values = copy.deepcopy(document.value) if document.value is not None else {}
    if not isinstance(values, dict):
        raise BadConfiguration(
            "it must be a mapping of settings",
            where=str(file),
            next_step="Run `mandate init` elsewhere to see one",
        )
    for name, path, text in (*_from_environment(environment), *_from_flags(overrides)):
        _set(values, path, _scalar(text), name)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise _invalid(error, Settings, document) from error
    return Configuration(file.resolve(), settings, document)


def _invalid(
    error: ValidationError,
    model: type[BaseModel],
    document: strict_yaml.Document,
    prefix: tuple[str, ...] = (),
) -> BadConfiguration:
    """One fault, where it stands, and the nearest known name: a misspelt name before a missing one."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    fault = min(faults, key=lambda fault: fault["type"] != "extra_forbidden")
    path = (*prefix, *fault["loc"])
    dotted = ".".join(map(str, path))
    where = document.where(path)
    if fault["type"] == "extra_forbidden":
        return _unknown(dotted, str(path[-1]), _names(model, fault["loc"][:-1]), where)
    if fault["type"] == "missing":
        return BadConfiguration(f"{dotted} is missing", where=where, next_step=f"Add {dotted}")
    what = fault["msg"][:1].lower() + fault["msg"][1:]
    return BadConfiguration(f"{dotted}: {what}", where=where, next_step="Correct it")


def _unknown(dotted: str, name: str, known: Sequence[str], where: str) -> BadConfiguration:
    return BadConfiguration(f"{dotted} is not a setting", where=where, next_step=advice(name, known))


def _names(model: type[BaseModel], location: tuple[int | str, ...]) -> Sequence[str]:
    """The fields that are known at a place in a model."""
    for part in location:
        field = model.model_fields.get(str(part))
        if field is None:
            continue  # the key of a mapping: its values' model is already `model`
        models = [kind for kind in (field.annotation, *get_args(field.annotation)) if _is_model(kind)]
        if not models:
            return ()
        model = models[0]
    return tuple(model.model_fields)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _from_environment(environment: Mapping[str, str]) -> Iterable[tuple[str, list[str], str]]:
    for name in sorted(environment):
        if name.startswith(_ENVIRONMENT_PREFIX) and not _is_for_others(name):
            path = name.removeprefix(_ENVIRONMENT_PREFIX).lower().split("__")
            _first_is_known(path[0], f"the environment variable {name}")
            yield name, path, environment[name]


def _is_for_others(name: str) -> bool:
    return name in _NOT_SETTINGS or any(known.fullmatch(name) for known in (_SECRET, _ELSEWHERE))


def _from_flags(overrides: Sequence[str]) -> Iterable[tuple[str, list[str], str]]:
    for override in overrides:
        dotted, equals, text = override.partition("=")
        if not equals or not all(dotted.split(".")):
            raise BadConfiguration(
                "it must be NAME=VALUE, such as opa.timeout=2",
                where=f"--set {override}",
                next_step="Correct it",
            )
        path = dotted.split(".")
        _first_is_known(path[0], f"--set {dotted}")
        yield f"--set {dotted}", path, text


def _first_is_known(name: str, where: str) -> None:
    if name not in Settings.model_fields:
        raise _unknown(name, name, tuple(Settings.model_fields), where)


def _scalar(text: str) -> Any:
    """JSON where it is JSON (numbers, true, null, lists), else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _set(values: dict[str, Any], path: Sequence[str], value: Any, name: str) -> None:
    for part in path[:-1]:
        below = values.setdefault(part, {})
        if not isinstance(below, dict):
            raise BadConfiguration(f"{part} is not a group of settings", where=name, next_step="Correct it")
        values = below
    values[path[-1]] = value
