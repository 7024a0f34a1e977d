"""Who made the model: the run's user and the git authors of the training code, looked up in a directory.

An author whom the directory does not know is a fact, not an omission. Several identities of one person become
one developer, under the identity that stands first in the directory. A `.mailmap` counts for nothing: whoever
can commit could put somebody else in their own place.

The history is that of the revision that the settings name. Where it does not have the commit that the run was
made from, such as one of a branch that was never merged, that commit's own history counts as well.

Of a day without a time the reading that counts against the holder is taken, in UTC: a certificate
`issued: 2026-01-31` counts from the end of that day, and one that `expires: 2027-01-31` only until that day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, TypeAdapter, WithJsonSchema, model_validator

from mandate.engine.errors import BadInput
from mandate.engine.input.base import Frozen, Name, UtcTime
from mandate.engine.input.gathering import Gathered, NothingThere, Sources, Target, digest_of, validated
from mandate.engine.input.instants import DAY, TIME, instant
from mandate.engine.input.people import Certificate, Developer, normal
from mandate.engine.input.repository import Person, Repository
from mandate.engine.input.schema import published

RUN_USER, GIT_AUTHOR, GIT_COMMITTER = "run user", "git author", "git committer"
_LONGEST_NAME = 512

_DAY_OR_INSTANT = {
    "type": "string",
    "pattern": f"^{DAY}({TIME})?$",
    "description": "RFC 3339: an instant with its offset, or a day",
}


class Options(Frozen):
    """`collectors.developers` in `mandate.yaml`."""

    directory: Name
    """Location of the directory, see `schemas/developers.v1.json`."""
    repository: Name | None = None
    """Folder of the repository with the training code; `None`: only the run's user is an author."""
    paths: list[Name] = Field(default_factory=list)
    """Files and folders of the training code, relative to `repository`; none: all of it."""
    revision: Name = "HEAD"
    """The commit up to which the history counts, beside that of the run."""
    committers: bool = False
    """Whether who committed, and not only who wrote, is an author."""

    @model_validator(mode="after")
    def _paths_are_of_a_repository(self) -> Self:
        if self.paths and self.repository is None:
            raise ValueError("repository is needed where paths are set: they are relative to it")
        return self


def _instant(text: object, days: int) -> datetime:
    """The instant; a bare day begins at 00:00 UTC, `days` days later."""
    try:
        if isinstance(text, str) and re.fullmatch(DAY, text):
            return datetime.combine(date.fromisoformat(text), time(tzinfo=UTC)) + timedelta(days=days)
        if isinstance(text, str) and re.fullmatch(DAY + TIME, text):
            return instant(text)
    except OverflowError as error:
        raise ValueError("must be between the years 1 and 9999") from error
    raise ValueError("must be an RFC 3339 instant with its offset, or a day, in quotes or not")


_Issued = Annotated[UtcTime, BeforeValidator(lambda text: _instant(text, 1)), WithJsonSchema(_DAY_OR_INSTANT)]
_Expires = Annotated[
    UtcTime, BeforeValidator(lambda text: _instant(text, 0)), WithJsonSchema(_DAY_OR_INSTANT)
]


class DirectoryCertificate(Frozen):
    """A training certificate."""

    title: Name
    issuer: Name
    topics: Annotated[list[Name], Field(min_length=1)]
    issued: _Issued
    expires: _Expires

    @model_validator(mode="after")
    def _counts_at_some_time(self) -> Self:
        if self.expires <= self.issued:
            raise ValueError("expires is not after issued")
        return self


class DirectoryPerson(Frozen):
    """A person."""

    identities: Annotated[list[Name], Field(min_length=1)]
    """Mail addresses and user names, in any case; the first one names the person in decisions."""
    roles: list[Name] = Field(default_factory=list)
    certificates: list[DirectoryCertificate] = Field(default_factory=list)


class Directory(Frozen):
    """Who works on models, and what they are trained for."""

    apiVersion: Literal["mandate.developers/v1"]  # noqa: N815  (the document's own spelling)
    accredited_issuers: list[Name]
    """Whose certificates count."""
    developers: list[DirectoryPerson]


DIRECTORY = TypeAdapter(Directory)


class DevelopersCollector:
    """Collects the section `developers`."""

    name = "developers"

    def __init__(
        self,
        options: Options,
        sources: Sources,
        run_user: Callable[[], str | None],
        run_commit: Callable[[], str | None],
    ) -> None:
        """`run_user` and `run_commit` say who ran the version's run, and from which commit, as the registry
        knows it."""
        self._options = options
        self._sources = sources
        self._run_user = run_user
        self._run_commit = run_commit

    def collect(self, target: Target) -> Gathered | NothingThere:
        """One developer a person. `BadInput` if the directory is not as its schema says or lists an identity
        twice; if git cannot tell the authors of a path, or only some of them; if the clone does not have the
        commit of the run."""
        options = self._options
        document = self._sources.document(options.directory)
        directory = validated(document, DIRECTORY)
        people = _by_identity(directory, document.location)
        authors: dict[str, set[str]] = {}
        source = document.location
        if user := normal(self._run_user() or ""):
            authors.setdefault(user[:_LONGEST_NAME], set()).add(RUN_USER)
        if options.repository is not None:
            repository = self._sources.repository(options.repository)
            for commit in _heads(repository, options.revision, self._run_commit()):
                source = f"{source}, {options.repository}@{commit}"
                for path in options.paths or ["."]:
                    for identity, evidence in _authors(
                        repository, commit, path, committers=options.committers
                    ):
                        authors.setdefault(identity, set()).add(evidence)
        if not authors:
            return NothingThere(
                "the run has no user, and mandate.yaml names no repository in collectors.developers", source
            )
        issuers = {normal(issuer) for issuer in directory.accredited_issuers}
        developers = _merged(authors, people, issuers)
        return Gathered({"developers": developers}, source, digest_of(document.sha256))


def _by_identity(directory: Directory, location: str) -> Mapping[str, DirectoryPerson]:
    people: dict[str, DirectoryPerson] = {}
    for person in directory.developers:
        for identity in map(normal, person.identities):
            if not identity or identity in people:
                raise BadInput(
                    f"the identity {identity!a} stands twice" if identity else "an identity is blank",
                    where=location,
                    next_step="List each identity once, under one person",
                )
            people[identity] = person
    return people


def _merged(
    authors: Mapping[str, Iterable[str]], people: Mapping[str, DirectoryPerson], issuers: set[str]
) -> tuple[Developer, ...]:
    """One developer a person, sorted by name."""
    evidence: dict[str, set[str]] = {}
    for identity, reasons in authors.items():
        person = people.get(identity)
        name = identity if person is None else normal(person.identities[0])
        evidence.setdefault(name, set()).update(reasons)
    return tuple(
        _developer(name, sorted(evidence[name]), people.get(name), issuers) for name in sorted(evidence)
    )


def _developer(
    name: str, evidence: Iterable[str], person: DirectoryPerson | None, issuers: set[str]
) -> Developer:
    if person is None:
        return Developer(name=name, known=False, evidence=tuple(evidence), identities=(name,))
    return Developer(
        name=name,
        known=True,
        evidence=tuple(evidence),
        identities=tuple(map(normal, person.identities)),
        roles=tuple(person.roles),
        certificates=tuple(
            Certificate(
                title=certificate.title,
                issuer=certificate.issuer,
                accredited=normal(certificate.issuer) in issuers,
                topics=tuple(certificate.topics),
                issued=certificate.issued,
                expires=certificate.expires,
            )
            for certificate in person.certificates
        ),
    )


def _heads(repository: Repository, revision: str, made: str | None) -> list[str]:
    """The commits whose histories have all that went into a run made from the commit `made`."""
    if repository.is_shallow():
        # The oldest commit that a shallow clone has seems to have written everything.
        raise BadInput(
            "the clone is shallow, so most authors are not in it",
            where=repository.location,
            next_step="Run `git fetch --unshallow`",
        )
    settled = repository.commit(revision)
    if made is None:
        return [settled]
    if not repository.has(made):
        raise BadInput(
            f"the clone does not have the commit of the run, {made[:64]!a}",
            where=repository.location,
            next_step="Run `git fetch` in it",
        )
    return [settled] if repository.is_ancestor(made, settled) else [settled, made]


def _authors(repository: Repository, commit: str, path: str, *, committers: bool) -> set[tuple[str, str]]:
    """Normal identity and evidence of each commit that touched the path."""
    writers = repository.writers(commit, path)
    if not writers:
        raise BadInput(
            f"git knows no commit that touches {path!a}",
            where=repository.location,
            next_step="Correct collectors.developers.paths in mandate.yaml",
        )
    found = {(_identity(one.author), GIT_AUTHOR) for one in writers}
    return found | {(_identity(one.committer), GIT_COMMITTER) for one in writers if committers}


def _identity(person: Person) -> str:
    """The mail address; the name of whoever commits without one."""
    return (normal(person.mail) or normal(person.name) or "(nameless)")[:_LONGEST_NAME]


def schema() -> dict[str, Any]:
    """JSON Schema of the directory, as published in `schemas/developers.v1.json`."""
    return published("developers", DIRECTORY.json_schema())
