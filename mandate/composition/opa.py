"""OPA as the settings name it: a program to start, or a sidecar to ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..engine.configuration import Configuration
from ..engine.decision import Policy
from ..engine.errors import BadConfiguration
from ..engine.gate import Judge
from ..engine.policy.bundle import Bundle

if TYPE_CHECKING:
    from ..engine.opa.client import OpaClient
    from ..engine.opa.process import LocalOpa


def opa_program(configuration: Configuration) -> Path:
    """The `opa` to start, for judging, compiling and testing policies."""
    from ..engine.opa.locate import find_opa

    binary = configuration.settings.opa.binary
    return find_opa(configuration.path(binary) if binary else None)


class ReadyJudge(Judge, Protocol):
    """A judge who says whether there is an OPA to ask."""

    def ready(self) -> None:
        """Return if OPA answers now with the expected policies; `CouldNotDecide` if not."""


@contextmanager
def judge(
    configuration: Configuration, compiled: Bundle, *, garbage: int | None = None
) -> Iterator[ReadyJudge]:
    """The sidecar, or an OPA of our own: one that does not start is *undecided*, like one that is down.

    `garbage`: for an OPA of our own, as `LocalOpa` takes it.
    """
    policy = Policy(revision=compiled.revision, bundle_sha256=compiled.sha256)
    settings = configuration.settings.opa
    if settings.url is None:
        from ..engine.opa.local import LocalJudge

        local = local_opa(configuration, compiled, garbage=garbage)
        local.start()  # while OPA gets ready, the rest is imported and the facts are collected
        rules = compiled.catalogue.keys()
        with LocalJudge(local, policy, timeout=settings.timeout, rules=rules) as judging:
            yield judging
    else:
        from ..engine.opa.judge import OpaJudge

        with sidecar(configuration, settings.url) as client:
            yield OpaJudge(client, policy, bundle=settings.bundle, rules=compiled.catalogue.keys())


def local_opa(configuration: Configuration, compiled: Bundle, *, garbage: int | None = None) -> LocalOpa:
    """An OPA of our own with these policies, not yet started."""
    from ..engine.opa.process import LocalOpa

    return LocalOpa(
        partial(opa_program, configuration),
        compiled.path,
        bundle_sha256=compiled.sha256,
        timeout=configuration.settings.opa.timeout,
        garbage=garbage,
    )


def sidecar(configuration: Configuration, url: str) -> OpaClient:
    """A client of the OPA at `url`, with the token and the authorities that the settings name."""
    from ..engine.opa.client import OpaClient

    settings = configuration.settings.opa
    return OpaClient(
        url,
        timeout=settings.timeout,
        token=_token(configuration),
        ca=configuration.path(settings.ca) if settings.ca else None,
    )


def _token(configuration: Configuration) -> str | None:
    if (setting := configuration.settings.opa.token_file) is None:
        return None
    file = configuration.path(setting)
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise BadConfiguration(
            "the token for OPA cannot be read", where=str(file), next_step="Correct opa.token_file"
        ) from error
