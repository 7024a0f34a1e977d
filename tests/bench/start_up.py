"""Whole processes side by side: `mandate check --input`, `opa eval` and, where Go can build it, Conftest.

Each judges the same input document with the same policies. Mandate also starts its OPA, checks the answer,
signs and records it durably. The commands run in turn, so that a change of the machine's speed meets all of
them; what is compared are the medians of the wall time.

    make bench
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from mandate.engine.errors import MandateError
from mandate.engine.opa import places
from mandate.engine.opa.locate import find_opa
from mandate.engine.opa.recipe import Recipe, build
from tests.organisation import GOOD, founded

ROUNDS = 20
BUDGET = 6
"""At most this many times Conftest's time, says the design."""

CONFTEST = Recipe(
    name="conftest",
    version="0.71.1",
    package="github.com/open-policy-agent/conftest",
    module=Path(__file__).parent / "conftest",
    asked="--version",
)
# Conftest asks for `deny` in a namespace of its own: this is what Mandate's decision denies.
ADAPTER = """package main

deny contains finding.message if {
	some finding in data.mandate.main.decision.findings
	finding.outcome in {"violation", "no_verdict"}
}
"""


def main() -> None:
    """Measure, and print a table."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        organisation = founded(folder, trusting=True)
        (folder / "good.json").write_text(json.dumps(GOOD))
        allowed = organisation.mandate("check", "--input", "good.json", "--output", "json")
        assert allowed.exit_code == 0, allowed.out
        commands = _commands(folder)
        seconds: dict[str, list[float]] = {label: [] for label in commands}
        for _ in range(ROUNDS + 1):
            for label, command in commands.items():
                seconds[label].append(_timed(command, folder))
    _print({label: sorted(times[1:]) for label, times in seconds.items()})


def _commands(folder: Path) -> dict[str, list[str]]:
    policies = _unpacked(folder)
    mandate = str(Path(sys.executable).with_name("mandate"))
    query = ["--data", str(policies), "--input", "good.json", "data.mandate.main.decision"]
    commands = {
        "mandate check --input": [mandate, "check", "--input", "good.json", "--output", "json"],
        "opa eval": [str(find_opa()), "eval", "--format", "json", *query],
    }
    try:
        conftest = _conftest()
    except MandateError as error:
        print(f"Conftest cannot be built here: {error}", file=sys.stderr)
        return commands
    (policies / "adapter.rego").write_text(ADAPTER)
    arguments = ["test", "--policy", str(policies), "--data", str(policies / "data.json"), "good.json"]
    return commands | {"conftest test": [str(conftest), *arguments]}


def _conftest() -> Path:
    folder = places.data_home() / f"conftest-{CONFTEST.version}"
    built = folder / CONFTEST.name
    if built.is_file():
        return built
    return build(CONFTEST, folder, progress=lambda line: print(line, file=sys.stderr))


def _unpacked(folder: Path) -> Path:
    """The compiled policies, Rego and data, as plain files."""
    (bundle,) = (folder / ".mandate/policies").glob("*.tar.gz")
    policies = folder / "compiled"
    policies.mkdir()
    with tarfile.open(bundle) as archive:
        for member in archive.getmembers():
            if member.name.endswith((".rego", "data.json")):
                file = policies / member.name.lstrip("/")
                file.parent.mkdir(parents=True, exist_ok=True)
                content = archive.extractfile(member)
                assert content is not None
                file.write_bytes(content.read())
    return policies


def _timed(command: list[str], folder: Path) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - started


def _print(seconds: dict[str, list[float]]) -> None:
    cores = len(os.sched_getaffinity(0))
    print(f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, {ROUNDS} rounds in turn")
    for label, times in seconds.items():
        low, middle, high = times[0], statistics.median(times), times[-1]
        print(f"  {label:<24} median {middle * 1000:6.0f} ms   ({low * 1000:.0f} … {high * 1000:.0f})")
    ours = statistics.median(seconds["mandate check --input"])
    for label, times in seconds.items():
        if label != "mandate check --input":
            print(f"  mandate / {label:<14} {ours / statistics.median(times):.1f}")
    if "conftest test" in seconds:
        print(f"  (budget: at most {BUDGET} times Conftest)")


if __name__ == "__main__":
    main()
