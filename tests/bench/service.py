"""The service beside the OPA that it asks: `POST /v1/decisions`, and OPA's own data API.

Both have the same policies and are asked about the same input by the same program (bombardier, which is
built once), on the same cores, in turn. OPA alone says what the policies say. The service also checks who
asks, reads the input strictly, checks OPA's answer, and signs and durably records what it answers.

    python -m tests.bench.service [WORKERS] [SECONDS]
"""

from __future__ import annotations

import base64
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from mandate.engine.evidence import bundle
from mandate.engine.opa import places
from mandate.engine.opa.locate import find_opa
from mandate.engine.opa.recipe import Recipe, build
from mandate.engine.service.access.roles import Role
from tests.organisation import GOOD, founded
from tests.service import bearer, with_callers

ROUNDS = 3
BUDGETS = {"p50 at 1 connection": 3.0, "throughput at 16": 0.5, "p99 / p50 at 16": 5.0}

BOMBARDIER = Recipe(
    name="bombardier",
    version="1.2.6",
    package="github.com/codesenberg/bombardier",
    module=Path(__file__).parent / "bombardier",
    asked="--version",
)


@dataclass(frozen=True)
class Measured:
    """What one run of questions came to."""

    per_second: float
    p50: float
    """Milliseconds, as the next."""
    p99: float


def main(workers: int = 2, seconds: int = 10) -> None:
    """Measure, and print a table."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        ours, headers = stack.enter_context(service(folder, workers))
        theirs = stack.enter_context(raw_opa(folder))
        (folder / "question.json").write_text(json.dumps({"input": GOOD}))
        (folder / "input.json").write_text(json.dumps({"input": judged(ours, headers)}))
        asked: dict[str, Callable[[int], Measured]] = {
            "opa": lambda connections: bombard(
                f"{theirs}/v1/data/mandate/main/decision", folder / "input.json", {}, connections, seconds
            ),
            "mandate": lambda connections: bombard(
                f"{ours}/v1/decisions", folder / "question.json", headers, connections, seconds
            ),
        }
        found = {
            connections: {
                label: median([ask(connections) for _ in range(ROUNDS)]) for label, ask in asked.items()
            }
            for connections in (1, 16)
        }
    cores = len(os.sched_getaffinity(0))
    print(f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, {workers} processes")
    print(f"  {'':<14}{'connections':>12}{'per second':>12}{'p50':>10}{'p99':>10}")
    for connections, each in found.items():
        for label, run in each.items():
            print(
                f"  {label:<14}{connections:>12}{run.per_second:>12.0f}{run.p50:>7.1f} ms{run.p99:>7.1f} ms"
            )
    one, many = found[1], found[16]
    ratios = {
        "p50 at 1 connection": one["mandate"].p50 / one["opa"].p50,
        "throughput at 16": many["mandate"].per_second / many["opa"].per_second,
        "p99 / p50 at 16": many["mandate"].p99 / many["mandate"].p50,
    }
    for label, ratio in ratios.items():
        print(f"  {label:<24}{ratio:>6.2f}   (budget {BUDGETS[label]:g})")


def in_turn(asked: Mapping[str, Callable[[int], Measured]], connections: int) -> dict[str, Measured]:
    """The median of some rounds, in each of which all are asked, so that a slower minute meets all; the first
    round warms up."""
    runs: dict[str, list[Measured]] = {label: [] for label in asked}
    for _ in range(ROUNDS + 1):
        for label, ask in asked.items():
            runs[label].append(ask(connections))
    return {label: median(each[1:]) for label, each in runs.items()}


def median(runs: list[Measured]) -> Measured:
    """Of each figure."""
    return Measured(
        statistics.median(run.per_second for run in runs),
        statistics.median(run.p50 for run in runs),
        statistics.median(run.p99 for run in runs),
    )


def bombard(url: str, body: Path, headers: dict[str, str], connections: int, seconds: int) -> Measured:
    """Ask for so many seconds; each answer must be a 200."""
    command = [str(_bombardier()), "--method=POST", f"--body-file={body}", f"--connections={connections}"]
    command += [f"--duration={seconds}s", "--timeout=30s", "--print=r", "--format=json", "--latencies"]
    for name, value in ({"Content-Type": "application/json"} | headers).items():
        command += ["--header", f"{name}: {value}"]
    result = json.loads(subprocess.run([*command, url], check=True, capture_output=True).stdout)["result"]
    assert result["req2xx"], result
    assert not any(result[f"req{kind}xx"] for kind in (1, 3, 4, 5)), result
    assert not result["others"], result
    of = result["latency"]["percentiles"]
    return Measured(result["rps"]["mean"], of["50"] / 1000, of["99"] / 1000)


@contextmanager
def service(folder: Path, workers: int) -> Iterator[tuple[str, dict[str, str]]]:
    """A service in processes of its own: its address, and the headers of whoever asks it."""
    port = free_port()
    with_callers(founded(folder, trusting=True), listen=f"127.0.0.1:{port}")
    command = [sys.executable, "-m", "mandate", "serve", "--workers", str(workers)]
    with running(command, folder, f"http://127.0.0.1:{port}/healthz"):
        yield f"http://127.0.0.1:{port}", bearer(Role.DECIDER)


@contextmanager
def raw_opa(folder: Path) -> Iterator[str]:
    """OPA with the same policies, started as its documentation does."""
    (policies,) = (folder / ".mandate/policies").glob("*.tar.gz")
    port = free_port()
    command = [str(find_opa()), "run", "--server", f"--addr=127.0.0.1:{port}", "--log-level=error"]
    command += ["--skip-version-check", "--bundle", str(policies)]
    with running(command, folder, f"http://127.0.0.1:{port}/health"):
        yield f"http://127.0.0.1:{port}"


def judged(url: str, headers: dict[str, str]) -> Any:
    """The input document as the service asks OPA about it."""
    answer = httpx.post(f"{url}/v1/decisions", json={"input": GOOD}, headers=headers, timeout=60)
    identity = answer.raise_for_status().json()["id"]
    sigstore = httpx.get(
        f"{url}/v1/decisions/{identity}", headers=headers | {"Accept": bundle.MEDIA_TYPE}, timeout=60
    )
    signed = base64.b64decode(sigstore.raise_for_status().json()["dsseEnvelope"]["payload"])
    return json.loads(signed)["predicate"]["input"]


@contextmanager
def running(command: list[str], folder: Path, health: str) -> Iterator[None]:
    """A process, once it answers at `health`."""
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=(folder / "log").open("ab")
    )
    try:
        _wait(process, health)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _wait(process: subprocess.Popen[bytes], health: str) -> None:
    for _ in range(600):
        assert process.poll() is None, "it ended"
        try:
            httpx.get(health, timeout=5).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("it does not answer")


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _bombardier() -> Path:
    folder = places.data_home() / f"bombardier-{BOMBARDIER.version}"
    built = folder / BOMBARDIER.name
    if built.is_file():
        return built
    return build(BOMBARDIER, folder, progress=lambda line: print(line, file=sys.stderr))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
