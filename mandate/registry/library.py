"""The one boundary to the MLflow library: loads it, keeps it quiet and impatient, translates its errors.

MLflow's own settings would send usage data over the network, wait for minutes for a server that is down and
print progress bars. What is set here are the library's defaults in this process: an
organisation's `MLFLOW_…` variables still count, and no child process inherits anything.
"""

from __future__ import annotations

import functools
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mandate.engine.errors import BadConfiguration, MandateError, RegistryUnavailable, UnknownSubject

_TELEMETRY = "MLFLOW_DISABLE_TELEMETRY"
_REDIRECTS = "MLFLOW_ALLOW_HTTP_REDIRECTS"
_CHATTY = ("mlflow", "alembic", "urllib3.connectionpool", "sqlalchemy")
_DATABASE_ATTEMPTS = 3
"""0.4 seconds of waiting in all. MLflow's ten attempts wait for almost two minutes."""

_DEFAULTS: dict[str, Any] = {
    "MLFLOW_DISABLE_TELEMETRY": True,
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": False,
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": 2,
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": 1,
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": 0.0,
    "MLFLOW_HTTP_REQUEST_TIMEOUT": 20,
    # A server that asks for an hour of patience does not get it.
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": False,
}

_MISSING = {
    "RESOURCE_DOES_NOT_EXIST",
    "NOT_FOUND",
    "INVALID_PARAMETER_VALUE",  # a name that MLflow could not have
}
_REFUSED = {"UNAUTHENTICATED", "PERMISSION_DENIED"}


@functools.cache
def load() -> None:
    """Import MLflow, once a process, with the defaults above."""
    before = os.environ.get(_TELEMETRY)
    os.environ[_TELEMETRY] = "true"  # read while MLflow is imported, before its default can be set
    try:
        with _quiet():
            from mlflow import MlflowClient, environment_variables
            from mlflow.store.db import utils as databases
            from mlflow.utils import request_utils
    except ImportError as error:
        raise BadConfiguration(
            f"without {error.name} the model registry cannot be asked",
            where="this Python environment",
            next_step="Run `pip install 'mandate[collectors]'`, or judge a ready document with --input",
        ) from error
    finally:
        if before is None:
            del os.environ[_TELEMETRY]
        else:
            os.environ[_TELEMETRY] = before
    assert MlflowClient  # noqa: S101  (imported for its side effects: it loads the rest)
    for name, value in _DEFAULTS.items():
        getattr(environment_variables, name).default = value
    databases.MAX_RETRY_COUNT = _DATABASE_ATTEMPTS
    request_utils._get_request_session = _without_redirects(request_utils._get_request_session)


def _without_redirects(session_of: Callable[..., Any]) -> Callable[..., Any]:
    """Sessions that follow no redirect: it leads where nobody said that anything may be fetched from."""

    @functools.wraps(session_of)
    def made(*args: Any, **kwargs: Any) -> Any:
        session = session_of(*args, **kwargs)
        session.hooks["response"] = [] if os.environ.get(_REDIRECTS) else [_refuse_redirect]
        return session

    return made


def _refuse_redirect(response: Any, **_: Any) -> None:
    if response.is_redirect:
        from requests import TooManyRedirects

        raise TooManyRedirects("none is followed", response=response)


@contextmanager
def asking(where: str, absent: type[MandateError] = UnknownSubject) -> Iterator[None]:
    """Around each use of MLflow: what it raises becomes an error of Mandate's.

    `where` names the server in messages. What does not exist is raised as `absent`, everything else as
    `RegistryUnavailable`: whatever the reason, the registry did not say.
    """
    load()
    with _quiet():
        try:
            yield
        except MandateError:
            raise
        except Exception as error:
            raise _translated(error, where, absent) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings and no log lines below an error: what matters of them is in the exceptions."""
    loggers = [logging.getLogger(name) for name in _CHATTY]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _translated(error: Exception, where: str, absent: type[MandateError]) -> MandateError:
    code = str(getattr(error, "error_code", ""))
    if code in _MISSING:
        return absent("it does not exist in the registry", where=where, next_step="Check the name")
    if code in _REFUSED or _status(error) in (401, 403):
        return RegistryUnavailable(
            "the registry refused the credentials",
            where=where,
            next_step="Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
        )
    # The exception's own text may quote a password of the URI or a page of HTML.
    reasons = [reason for kind, reason in _REASONS.items() if kind in _kinds(error)]
    reason = reasons[0] if reasons else type(error).__name__ + (f" ({code})" if code else "")
    return RegistryUnavailable(
        f"the registry could not be asked: {reason}",
        where=where,
        next_step="Check registry.tracking_uri in mandate.yaml, and that the server is up",
    )


_REASONS = {
    "TooManyRedirects": f"it redirects elsewhere, which is followed only where {_REDIRECTS} says so",
    "ConnectionRefusedError": "connection refused",
    "NameResolutionError": "the host's name is not known",
    "SSLError": "the TLS connection failed",
    "ConnectTimeoutError": "no connection in time",
    "ConnectTimeout": "no connection in time",
    "ReadTimeoutError": "no answer in time",
    "ReadTimeout": "no answer in time",
    "RemoteDisconnected": "it closed the connection without an answer",
    "IncompleteRead": "it closed the connection in the middle of an answer",
    "ProtocolError": "it closed the connection in the middle of an answer",
    "OperationalError": "the database cannot be read",
    "DatabaseError": "the database cannot be read",
}


def _status(error: BaseException) -> int | None:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _kinds(error: BaseException) -> set[str]:
    """The names of the exceptions that led to `error`, also of those that urllib3 keeps as a reason."""
    kinds: set[str] = set()
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        kinds.add(type(current).__name__)
        waiting += [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
    return kinds
