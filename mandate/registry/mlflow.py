"""The MLflow model registry: resolves versions, reads what it says of them, downloads files, moves aliases.

Of a tracking server only the REST API is used. Nothing is read from the environment but MLflow's own
settings, such as those of credentials and TLS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

from mandate.engine.errors import RegistryUnavailable, SourceMissing, SubjectChanged, UnknownSubject
from mandate.engine.input.registered import Artifact, Signature
from mandate.engine.nearest import nearest

from . import digest, library, tracking_uri
from .artifacts import ArtifactStore
from .model_uri import SCHEME, ModelUri, checked_alias, checked_name, checked_version, parse
from .permitted import FOLDERS, Permitted
from .signature import Description, describe
from .snapshots import Snapshots

if TYPE_CHECKING:
    from mlflow import MlflowClient

RETIRED_TAG = "mandate.retired"
"""On a version that is out of service: the id of the entry of the log that says why."""
_READY = "READY"
_NOBODY = "unknown"
"""MLflow's own word for a run's user that it was not told."""
_MOST_NAMES = 1000
"""Registered models that are asked for at once, and among which a near name is looked for."""


@dataclass(frozen=True, slots=True)
class ResolvedVersion:
    """A registered model version, as the registry names it now."""

    name: str
    version: str
    run_id: str | None
    tags: Mapping[str, str]
    """Of the version and of the registered model. Where both have one, the model's counts: a version cannot
    take back what is said of the model as a whole, such as its risk tier."""
    model_tags: Mapping[str, str]
    """Of the registered model alone."""
    aliases: tuple[str, ...]
    """Sorted."""
    entity: Any = field(repr=False, compare=False)
    """MLflow's own `ModelVersion`."""

    @property
    def uri(self) -> str:
        """`models:/<name>/<version>`."""
        return str(ModelUri(self.name, version=self.version))


@dataclass(frozen=True, slots=True)
class Registered:
    """Everything that the registry says of one version."""

    version: ResolvedVersion
    run: Any
    """MLflow's `Run`; `None` if the version has none, or if it is gone."""
    histories: Mapping[str, tuple[Any, ...]]
    """By the name of each of the run's metrics, MLflow's `Metric`s as logged."""
    description: Description
    artifact: Artifact


class MlflowRegistry:
    """A model registry at `tracking_uri`, or at `registry_uri` where the registry is apart from the runs.

    All methods raise `RegistryUnavailable` if the registry does not answer, within a minute at most.
    """

    def __init__(
        self,
        tracking: str,
        registry: str | None = None,
        *,
        folder: Path,
        artifacts: Sequence[str] = FOLDERS,
        closed: Sequence[Path] = (),
    ) -> None:
        """Nothing is asked yet. The path of a SQLite file is relative to `folder`. `BadConfiguration` if
        there can be no registry at one of the URIs. `artifacts`, `closed`: see `Permitted`."""
        self._tracking_uri = tracking_uri.absolute(tracking, folder)
        self._registry_uri = (
            self._tracking_uri if registry is None else tracking_uri.absolute(registry, folder)
        )
        self._where = tracking_uri.shown(self._registry_uri)
        permitted = Permitted(self._tracking_uri, artifacts, folder=folder, closed=closed)
        self._snapshots = Snapshots(ArtifactStore(self._tracking_uri, permitted))
        self._known_client: MlflowClient | None = None

    @property
    def location(self) -> str:
        """Where the registry is, without a user's name or a password."""
        return self._where

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the copies of what was downloaded."""
        self._snapshots.close()

    def model_of(self, uri: str) -> str:
        """The name of the model that `uri` is about. `BadRequest` if it is no model URI. Nobody is asked."""
        return parse(uri).name

    def alias_of(self, uri: str) -> str | None:
        """The alias in `uri`; `None` if it names a version. `BadRequest` if it is no model URI. Nobody is
        asked."""
        return parse(uri).alias

    def resolve(self, uri: str) -> ResolvedVersion:
        """The version that `uri` names now. `BadRequest` if it is no model URI, `UnknownSubject` if the
        model, version or alias does not exist or is not ready."""
        asked = parse(uri)
        model = self._model(asked.name)
        version = asked.version or self._version_of(model, asked)
        try:
            entity = self._ask(lambda client: client.get_model_version(asked.name, version))
        except UnknownSubject as error:
            raise self._unknown_version(model, version) from error
        if (entity.name, str(entity.version)) != (asked.name, version):
            self._contradicts(f"it was asked for {asked} and answered about another version")
        if str(entity.status) != _READY:
            raise UnknownSubject(
                f"version {version} is not ready to be used",
                where=str(asked),
                next_step="Wait until it is registered",
            )
        return ResolvedVersion(
            name=asked.name,
            version=version,
            run_id=entity.run_id or None,
            tags=dict(entity.tags or {}) | dict(model.tags or {}),
            model_tags=dict(model.tags or {}),
            aliases=tuple(sorted(alias for alias, of in model.aliases.items() if str(of) == version)),
            entity=entity,
        )

    def registered(self, uri: str) -> Registered:
        """Everything that the registry says of the version."""
        version = self.resolve(uri)
        folder = self._folder(version)
        run = self._run(version.run_id)
        names = sorted(run.data.metrics) if run is not None else ()
        return Registered(
            version=version,
            run=run,
            histories={name: self._history(run, name) for name in names},
            description=describe(folder, where=version.uri),
            artifact=digest.artifact(folder, where=version.uri),
        )

    def signature(self, uri: str) -> Signature | None:
        """What the version takes and gives; `None` if it does not say."""
        version = self.resolve(uri)
        return describe(self._folder(version), where=version.uri).signature

    def digest(self, uri: str) -> str:
        """Root digest of the version's files, read afresh (64 hexadecimal digits)."""
        version = self.resolve(uri)
        files = self._artifact_uri(version)
        with self._snapshots.fresh_model(version.name, version.version, files, where=version.uri) as folder:
            return digest.artifact(folder, where=version.uri).sha256

    def download(self, uri: str) -> Path:
        """The folder with the version's files: a copy that is made once and is gone after `close`."""
        return self._folder(self.resolve(uri))

    def run_file(self, run_id: str, path: str) -> Path:
        """A copy of one artifact of a run. `SourceMissing` if there is no such run or file."""
        run = self._run(run_id)
        where = f"run {run_id}: {path[:80]}"
        if run is None:
            raise SourceMissing(
                "there is no such run", where=where, next_step="Register a model of a run that is there"
            )
        return self._snapshots.file(run.info.artifact_uri, path, where=where)

    def run_user(self, version: ResolvedVersion) -> str | None:
        """Who started the version's run, as MLflow logged it; `None` if no run says it."""
        run = self._run(version.run_id)
        if run is None:
            return None
        user = run.data.tags.get("mlflow.user") or run.info.user_id
        return user if user and user != _NOBODY else None

    def run_commit(self, version: ResolvedVersion) -> str | None:
        """The commit that the version's run was made from, as MLflow logged it; `None` if no run says it."""
        run = self._run(version.run_id)
        return None if run is None else run.data.tags.get("mlflow.source.git.commit") or None

    def alias(self, name: str, alias: str) -> str | None:
        """The version that the alias names; `None` if the model has no such alias."""
        version = self._model(checked_name(name)).aliases.get(checked_alias(alias))
        return None if version is None else str(version)

    def aliases(self, name: str) -> Mapping[str, str]:
        """The version that each alias of the model names."""
        return _aliases(self._model(checked_name(name)))

    def models(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Every registered model, with the version that each of its aliases names."""
        token: str | None = None
        while True:
            page = self._page(token)
            yield from ((model.name, _aliases(model)) for model in page)
            if not (token := page.token):
                return

    def move_alias(self, name: str, alias: str, version: str | None, *, expected: str | None) -> None:
        """Let the alias name `version`, or remove it. `SubjectChanged` if it does not name `expected`.

        MLflow cannot move an alias on a condition: what somebody else does between the look and the move is
        overwritten.
        """
        if (now := self.alias(name, alias)) != expected:
            raise SubjectChanged(
                f"it names {_shown(now)} now, and not {_shown(expected)} any more",
                where=str(ModelUri(name, alias=alias)),
                next_step="Ask again",
            )
        if version is None:
            self._ask(lambda client: client.delete_registered_model_alias(name, alias))
        else:
            self.resolve(str(ModelUri(name, version=checked_version(version))))
            self._ask(lambda client: client.set_registered_model_alias(name, alias, version))
        if self.alias(name, alias) != version:
            self._contradicts(f"the alias {alias} of {name} did not move to {_shown(version)}")

    def retired(self, name: str, version: str) -> str | None:
        """What the version is marked as retired by; `None` if it is not."""
        tags = self._ask(lambda client: client.get_model_version(name, version)).tags or {}
        return tags.get(RETIRED_TAG) or None

    def mark_retired(self, name: str, version: str, entry: str | None) -> None:
        """Mark the version as retired by an entry of the log, or as not retired."""
        if entry is None:
            self._ask(lambda client: client.delete_model_version_tag(name, version, RETIRED_TAG))
        else:
            self._ask(lambda client: client.set_model_version_tag(name, version, RETIRED_TAG, entry))
        if self.retired(name, version) != entry:
            self._contradicts(f"the tag {RETIRED_TAG} of version {version} of {name} did not change")

    @property
    def _client(self) -> MlflowClient:
        for uri in (self._tracking_uri, self._registry_uri):
            tracking_uri.check_store(uri)
        if self._known_client is None:
            with library.asking(self._where):
                from mlflow import MlflowClient

                self._known_client = MlflowClient(self._tracking_uri, self._registry_uri)
        return self._known_client

    def _ask(self, question: Callable[[MlflowClient], Any]) -> Any:
        client = self._client
        with library.asking(self._where):
            return question(client)

    def _model(self, name: str) -> Any:
        try:
            model = self._ask(lambda client: client.get_registered_model(name))
        except UnknownSubject as error:
            near = nearest(name, self._names())
            raise UnknownSubject(
                f"there is no registered model {name!a}",
                where=self._where,
                next_step=f"The nearest name is {near!a}" if near else "Register it, or check the name",
            ) from error
        if model.name != name:
            # Some databases compare names without regard to case; a decision is about one name only.
            raise UnknownSubject(
                f"there is no registered model {name!a}",
                where=self._where,
                next_step=f"Write {model.name!a}" if model.name else "Check the name",
            )
        return model

    def _names(self) -> list[str]:
        return [model.name for model in self._page(None)]

    def _page(self, token: str | None) -> Any:
        return self._ask(
            lambda client: client.search_registered_models(max_results=_MOST_NAMES, page_token=token)
        )

    def _version_of(self, model: Any, asked: ModelUri) -> str:
        if (version := model.aliases.get(asked.alias)) is not None:
            return str(version)
        known = sorted(model.aliases)
        near = nearest(str(asked.alias), known)
        raise UnknownSubject(
            f"it has no alias {asked.alias}",
            where=f"{SCHEME}{asked.name}",
            next_step=f"The nearest is {near}" if near else f"Its aliases are: {', '.join(known) or 'none'}",
        )

    def _unknown_version(self, model: Any, version: str) -> UnknownSubject:
        latest = max((int(one.version) for one in model.latest_versions or ()), default=None)
        return UnknownSubject(
            f"it has no version {version}",
            where=f"{SCHEME}{model.name}",
            next_step="It has no versions" if latest is None else f"The latest version is {latest}",
        )

    def _run(self, run_id: str | None) -> Any:
        if run_id is None:
            return None
        try:
            run = self._ask(lambda client: client.get_run(run_id))
        except UnknownSubject:
            return None
        if run.info.run_id != run_id:
            self._contradicts(f"it was asked for the run {run_id} and answered about another one")
        return run

    def _history(self, run: Any, metric: str) -> tuple[Any, ...]:
        return tuple(self._ask(lambda client: client.get_metric_history(run.info.run_id, metric)))

    def _folder(self, version: ResolvedVersion) -> Path:
        return self._snapshots.model(
            version.name, version.version, self._artifact_uri(version), where=version.uri
        )

    def _artifact_uri(self, version: ResolvedVersion) -> str:
        """Where the files are: MLflow 3 registers a logged model, MLflow 2 a folder of a run's artifacts."""
        try:
            uri = self._ask(
                lambda client: client.get_model_version_download_uri(version.name, version.version)
            )
            scheme, _, path = uri.partition(":/")
            if scheme == "models":
                uri = self._ask(lambda client: client.get_logged_model(path.strip("/"))).artifact_location
            elif scheme == "runs":
                run_id, _, below = path.strip("/").partition("/")
                uri = f"{self._ask(lambda client: client.get_run(run_id)).info.artifact_uri}/{below}"
        except UnknownSubject as error:
            raise SourceMissing(
                "what it was registered from is gone", where=version.uri, next_step="Register it again"
            ) from error
        return str(uri)

    def _contradicts(self, what: str) -> NoReturn:
        raise RegistryUnavailable(
            what, where=self._where, next_step="Check what answers at registry.tracking_uri"
        )


def _aliases(model: Any) -> dict[str, str]:
    return {alias: str(version) for alias, version in (model.aliases or {}).items()}


def _shown(version: str | None) -> str:
    return "no version" if version is None else f"version {version}"
