"""What the application consists of: it knows no more of Mandate than this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ..evidence.consenting import Policies
from ..evidence.ledger import Reader
from ..evidence.public_keys import PublicKey
from ..evidence.query import Searchable
from ..evidence.receipt import Receipt
from ..gate import Facts, Gate
from ..report import Link
from .access.authentication import Authentication
from .admission.door import Door
from .asking import Question
from .metrics import Metrics
from .readiness import Readiness
from .settings import ServiceSettings
from .tracing import Tracing
from .turns import Turns


class Log(Reader, Searchable, Protocol):
    """The ledger, as the service reads it."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts, put together once for each process."""

    settings: ServiceSettings
    authentication: Authentication
    gate: Callable[[], Gate]
    """The gate, once the parts are open."""
    facts: Callable[[Question, str, bool], Facts]
    """The facts about what is asked, by whom, and whether only what would be decided."""
    ledger: Callable[[], Log]
    keys: Callable[[], Mapping[str, PublicKey]]
    """Whose signatures count."""
    places: Callable[[], Mapping[str, str]]
    """Files and addresses of the service's own, as errors name them, and what callers read in their place."""
    admit: Callable[[bytes, str], Receipt]
    """Record an envelope that a person signed, of this kind (`approval`). `BadInput` if it does not count."""
    policies: Callable[[], Policies]
    """What the policies in use say of people."""
    readiness: Readiness
    publish: Callable[[], None]
    """Bring measurements up to date that nobody counts: what this process knows of itself."""
    notes: Callable[[], tuple[str, ...]]
    """What people should know of a service that is ready."""
    door: Door
    """Of the cluster."""
    documentation: Link | None
    """Gives the address of a rule's page; `None` where the settings name no site."""
    open: Callable[[], AbstractContextManager[None]]
    turns: Turns
    metrics: Metrics
    tracing: Tracing
