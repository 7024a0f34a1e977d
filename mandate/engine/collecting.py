"""Facts that Mandate collects itself: resolves the subject, runs the collectors, assembles the document."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, cast

from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from .digests import canonical
from .errors import (
    BadInput,
    BadRequest,
    MandateError,
    RegistryUnavailable,
    SourceMissing,
    SubjectChanged,
)
from .input import (
    Action,
    Artifact,
    Collected,
    Collection,
    Failed,
    Input,
    Missing,
    Origin,
    Request,
    Section,
    Subject,
)
from .input.gathering import Gathered, NothingThere, Target

_log = logging.getLogger(__name__)


class Collector(Protocol):
    """One source of facts."""

    @property
    def name(self) -> str:
        """As in `mandate.yaml`, and in the rules' `depends_on`."""

    def collect(self, target: Target) -> Gathered | NothingThere:
        """The facts about `target`. Any exception means that it could not find out."""


class Version(Protocol):
    """A registered model version."""

    @property
    def name(self) -> str:
        """The registered model's name."""

    @property
    def version(self) -> str:
        """Its number, as text."""

    @property
    def uri(self) -> str:
        """`models:/<name>/<version>`."""

    @property
    def run_id(self) -> str | None:
        """The run that made it."""

    @property
    def model_tags(self) -> Mapping[str, str]:
        """The registered model's. A version's own are its maker's to set, and say nothing of its risk."""


class Registry(Protocol):
    """Where model versions are registered."""

    def resolve(self, uri: str) -> Version:
        """The version that `uri` names now. `UnknownSubject`, `RegistryUnavailable`."""

    def digest(self, uri: str) -> str:
        """Root digest of the version's artifact, read afresh. `RegistryUnavailable`, `SourceMissing`."""


class Earlier(Protocol):
    """Facts that were collected for earlier questions."""

    def facts(
        self, target: Target, sha256: str, risk_tier: str, time: datetime
    ) -> Mapping[str, tuple[Any, Collected]]:
        """Those about the files with this digest that may still serve: by the collector's name, the section
        of that name and its entry."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the caller wants to know."""

    uri: str
    action: Action
    environment: str
    requested_by: str
    what_if: bool = False
    """Whether it is only asked what would be decided."""

    def at(self, time: datetime) -> Request:
        """As it stands in the document."""
        return Request(
            action=self.action,
            environment=self.environment,
            requested_by=self.requested_by,
            time=time,
            what_if=self.what_if,
        )


class CollectedFacts:
    """The facts about the version that `question.uri` names, as the collectors find them."""

    def __init__(
        self,
        question: Question,
        registry: Registry,
        collectors_for: Callable[[Version], Iterable[Collector]],
        *,
        wanted: Sequence[str],
        risk_tier_of: Callable[[Version], str],
        first: Sequence[str] = (),
        earlier: Earlier | None = None,
        settings: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """`wanted` names the collectors that the policies depend on for this action: one that is not among
        `collectors_for(version)` is reported as missing. Those that `first` names are always run, and before
        it is known which facts `earlier` has. `settings` says the digest of each collector's."""
        self._question = question
        self._registry = registry
        self._collectors_for = collectors_for
        self._wanted = wanted
        self._risk_tier_of = risk_tier_of
        self._first = first
        self._earlier = earlier
        self._settings = settings

    def assemble(self, time: datetime) -> Input:
        """The document. `UnknownSubject` if there is no such version."""
        question = self._question
        request = question.at(time)
        try:
            version = self._registry.resolve(question.uri)
        except RegistryUnavailable as error:
            return unreachable(question.uri, request, error)
        target = Target(
            name=version.name,
            version=version.version,
            uri=version.uri,
            run_id=version.run_id,
            action=question.action,
            environment=question.environment,
        )
        tier = self._risk_tier_of(version)
        found = _Found(target, self._wanted, self._settings())
        collectors = [*self._collectors_for(version)]
        found.run(collector for collector in collectors if collector.name in self._first)
        if self._earlier is not None and (sha256 := found.sha256) is not None:
            found.reuse(self._earlier.facts(target, sha256, tier, time))
        found.run(collector for collector in collectors if collector.name not in self._first)
        subject = Subject(
            name=version.name,
            version=version.version,
            uri=version.uri,
            sha256=found.sha256,
            risk_tier=tier,
        )
        return Input(subject=subject, request=request, collection=found.collection, **found.sections)

    def confirm(self, document: Input) -> None:
        """`SubjectChanged` if the URI names another version now, or none, or if its files are others, gone or
        unusable; `RegistryUnavailable` if that cannot be found out."""
        uri, asked = document.subject.uri, self._question.uri
        judged = document.subject.sha256
        try:
            now = self._registry.resolve(asked).uri
            digest = None if judged is None or now != uri else self._registry.digest(uri)
        except (BadRequest, SourceMissing) as error:
            # What was there when it was judged: a decision that must be recorded, and no bad request.
            raise SubjectChanged(
                f"it was there when the facts were collected, but now {error.what}",
                where=error.where or asked,
                next_step="Find out who changes the model, then ask again",
            ) from error
        if now != uri:
            raise SubjectChanged(
                f"it named {uri} when the facts were collected and names {now} now",
                where=asked,
                next_step="Ask again",
            )
        if digest != judged:
            raise SubjectChanged(
                "its files changed while it was judged",
                where=uri,
                next_step="Find out who writes to the model's artifacts, then ask again",
            )


def unreachable(uri: str, request: Request, error: MandateError) -> Input:
    """A document that says that nothing could be found out: the policies make *undecided* of it."""
    name, _, version = uri.removeprefix("models:/").rpartition("/")
    return Input(
        subject=Subject(
            name=name or version, version=version or "unknown", uri=uri, sha256=None, risk_tier="unknown"
        ),
        request=request,
        collection=(Failed(name="mlflow", reason=str(error)),),
    )


class _Found:
    """What is known of a target so far."""

    def __init__(self, target: Target, wanted: Sequence[str], settings: Mapping[str, str]) -> None:
        self._target = target
        self._wanted = wanted
        self._settings = settings
        self._entries: dict[str, Collection] = {}
        self._reused: set[str] = set()
        self.sections: dict[Section, Any] = {}

    @property
    def sha256(self) -> str | None:
        """The digest of the artifact."""
        artifact = self.sections.get("artifact")
        return artifact.sha256 if isinstance(artifact, Artifact) else None

    @property
    def collection(self) -> tuple[Collection, ...]:
        """What became of each collector that is wanted, by its name."""
        missing = {
            name: Missing(name=name, reason=f"not configured: mandate.yaml has no collectors.{name}")
            for name in self._wanted
            if name not in self._entries
        }
        return tuple(entry for _, entry in sorted((self._entries | missing).items()))

    def reuse(self, facts: Mapping[str, tuple[Any, Collected]]) -> None:
        """Take facts of an earlier question for those that are wanted."""
        for name, (value, entry) in facts.items():
            if name in self._wanted:
                self._reused.add(name)
                self._take(name, {cast(Section, name): value}, entry)

    def run(self, collectors: Iterable[Collector]) -> None:
        """Run those that are wanted and whose facts are not known yet."""
        for collector in collectors:
            name = collector.name
            if name in self._wanted and name not in self._reused:
                self._take(name, *_collect(collector, self._target, self._settings.get(name)))

    def _take(self, name: str, gathered: Mapping[Section, Any], entry: Collection) -> None:
        self._entries[name] = entry
        for section, value in gathered.items():
            if section in self.sections:
                raise BadInput(
                    f"the collectors {name} and another one both gave the section {section}",
                    next_step="Remove one of them from mandate.yaml",
                )
            self.sections[section] = value


def _collect(
    collector: Collector, target: Target, settings_sha256: str | None
) -> tuple[Mapping[Section, Any], Collection]:
    started, clock = datetime.now(UTC), time.perf_counter()
    name = collector.name
    try:
        found = collector.collect(target)
        if isinstance(found, NothingThere):
            return {}, Missing(name=name, reason=found.reason, source=found.source)
        _demand_canonical(found, name)
        entry = Collected(
            name=name,
            origin=Origin.MEASURED,
            source=found.source,
            sha256=found.sha256,
            collected_at=started,
            seconds=round(time.perf_counter() - clock, 3),
            settings_sha256=settings_sha256,
        )
    except SourceMissing as error:
        return {}, Missing(name=name, reason=str(error), source=error.where)
    except MandateError as error:
        _log.warning("the collector %s failed", name, extra={"collector": name})
        return {}, Failed(name=name, reason=str(error), source=error.where)
    except Exception as error:  # noqa: BLE001  (however it fails, it never passes for an empty one)
        _log.warning("the collector %s failed: %s", name, type(error).__name__, extra={"collector": name})
        return {}, Failed(name=name, reason=_unexpected(error))
    return found.sections, entry


def _demand_canonical(found: Gathered, name: str) -> None:
    """`BadInput` if what was found could be neither asked about nor recorded, whoever wrote it there."""
    try:
        canonical(to_jsonable_python(dict(found.sections)))
    except ValueError as error:
        raise BadInput(
            f"what {name} found has no canonical JSON ({type(error).__name__})",
            where=found.source,
            next_step="Look for an integer beyond 2**53 - 1, or for text that is not Unicode",
        ) from error


def _unexpected(error: Exception) -> str:
    """What went wrong and where, without the exception's own text: it may quote a row of somebody's data."""
    if isinstance(error, ValidationError):
        places = ", ".join(".".join(map(str, part["loc"])) for part in error.errors()[:3])
        return f"its section does not fit the input document, at {places}."
    if isinstance(error, ImportError):
        return f"{error.name} is not installed. Run `pip install 'mandate[collectors]'`."
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return f"unexpected {type(error).__name__}{place}."
