"""The section `service` of `mandate.yaml`."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from ..input.base import Frozen, Name
from .access.issuer_settings import IssuerSettings

_LAST_PORT = 65535


class TlsSettings(Frozen):
    """Certificates; all of them are read again when their files change."""

    certificate: str
    """PEM file: the certificate and its chain."""
    key: str
    """PEM file: its private key."""
    client_ca: str | None = None
    """PEM file with the authorities whose client certificates count; `None`: none is asked for."""


class LimitSettings(Frozen):
    """What one process takes on."""

    body_bytes: Annotated[int, Field(ge=1024, le=16 << 20)] = 4 << 20
    """A request's body. An admission review of an update has two objects: up to 3.1 MB."""
    at_once: Annotated[int, Field(ge=1, le=1024)] = 16
    """Decisions that are being made."""
    waiting: Annotated[int, Field(ge=0, le=100_000)] = 256
    """Requests that wait for their turn; what comes then is answered 503, with `Retry-After`."""
    batch: Annotated[int, Field(ge=1, le=1000)] = 1000
    """Inputs in one batch."""
    seconds: Annotated[float, Field(gt=0, le=300, strict=False)] = 10.0
    """For one request from end to end, its turn and OPA's time included."""


class CollectSettings(Frozen):
    """The processes that collect facts."""

    workers: Annotated[int, Field(ge=0, le=64)] = 2
    """None: subjects are not collected for, and only ready documents are judged."""
    seconds: Annotated[float, Field(gt=0, le=3600, strict=False)] = 120.0
    """For the facts about one subject; the deadline of such a request is so much longer."""
    megabytes: Annotated[int, Field(ge=256)] = 4096
    """Address space of each."""


class AdmissionSettings(Frozen):
    """How the cluster's API server is answered."""

    anonymous: bool = False
    """Whether an API server that shows no token is answered: let the network keep everybody else away."""
    break_glass_groups: list[Name] = []
    """Groups, as the API server names them, whose members may let an object in past the policies."""
    break_glass_callers: list[Name] = []
    """Who speaks for an API server, by the names of callers: whom the review names and in which groups they
    are is believed from these alone, or whoever may ask could break glass in anybody's name."""
    break_glass_hours: Annotated[float, Field(gt=0, le=24 * 30, strict=False)] = 24.0
    """So long the Pods of such an object are let in, too."""
    window_seconds: Annotated[float, Field(ge=1, le=300, strict=False)] = 10.0
    """The same object with the same facts gets the same decision within this time, and at most twice it."""

    @model_validator(mode="after")
    def _glass_can_be_broken(self) -> Self:
        if self.break_glass_groups and not self.break_glass_callers:
            raise PydanticCustomError(
                "callers", "break_glass_groups needs break_glass_callers: who may say who is in those groups"
            )
        return self


def _each_once(issuers: list[IssuerSettings]) -> list[IssuerSettings]:
    if len({each.shown for each in issuers}) < len(issuers):
        raise PydanticCustomError("twice", "an issuer stands twice: give it all of its grants in one place")
    return issuers


def _a_port(listen: str) -> str:
    port = listen.rpartition(":")[2]
    if not listen.startswith("unix:") and int(port) > _LAST_PORT:
        raise PydanticCustomError("port", "the last port is {last}", {"last": _LAST_PORT})
    return listen


class ServiceSettings(Frozen):
    """How `mandate serve` serves."""

    listen: Annotated[str, Field(pattern=r"^(unix:.+|.+:[0-9]{1,5})$"), AfterValidator(_a_port)] = (
        "127.0.0.1:8080"
    )
    """`host:port`, or `unix:` and the path of a socket."""
    tls: TlsSettings | None = None
    callers: str = "callers.yaml"
    """Who may ask: names, roles and hashes of tokens, see `schemas/callers.json`."""
    oidc: Annotated[list[IssuerSettings], AfterValidator(_each_once)] = []
    """Whose signed tokens count as well, such as those of GitHub Actions: see docs/service-access.md."""
    limits: LimitSettings = LimitSettings()
    collect: CollectSettings = CollectSettings()
    admission: AdmissionSettings = AdmissionSettings()
    anonymous_probes: bool = True
    """Whether `/healthz`, `/readyz` and `/metrics` answer without a token."""
    proxies: list[Name] = []
    """Addresses of proxies whose `X-Forwarded-*` headers count, for logs only."""
    traces: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = None
    """Where spans go, OTLP over HTTP, such as `http://collector:4318/v1/traces`; `None`: where
    OpenTelemetry's own variables (`OTEL_EXPORTER_OTLP_ENDPOINT`) say, or nowhere."""
