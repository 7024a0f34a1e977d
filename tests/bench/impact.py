"""`mandate policy impact` over a ledger of thousands of decisions, and one `opa eval` process per decision.

Both judge the same inputs by the same bundle, on the same machine, in one run: some `opa eval` processes
before and some after, one after the other as a script would start them, and between them the whole command,
from reading its settings to its report. What the command does beside judging counts against it: it verifies
the signature of each decision and compares findings.

The change is one of a threshold, as most changes are, which reaches one rule: each decision is judged by this
rule alone, and as a test every hundredth one, the first hundred flips and every tenth later one by all rules.
Every decision has another finding then, and a sixth flip.
The same command with `--whole`, which judges each decision by all rules, is measured too: that is what takes
place where a change reaches most rules, or what it reaches is not known.

    python -m tests.bench.impact [DECISIONS]
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import chdir, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mandate import composition
from mandate.engine import configuration
from mandate.engine.opa.locate import find_opa
from tests.organisation import FIRST, GOOD, Organisation, founded, with_value
from tests.recording import changed, statement, writing

DECISIONS = 10_000
PROCESSES = 40
"""How many `opa eval` are timed before the command, and how many after."""
BUDGET = 30
"""At least this many times the rate of `opa eval`, says the design."""

CHANGED = "demographic_parity_difference: {default: 0.07}\n"


def main(decisions: int = DECISIONS) -> None:
    """Measure, and print a table."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        organisation = founded(folder, trusting=True)
        inputs = _recorded(organisation, decisions)
        (folder / "policies/thresholds/fairness.yaml").write_text(CHANGED)
        bundle = _bundle(folder)
        before = [_eval(bundle, document, folder) for document in inputs[:PROCESSES]]
        seconds, peak, report = _impact(folder)
        seconds_whole, _, whole = _impact(folder, "--whole")
        after = [_eval(bundle, document, folder) for document in inputs[-PROCESSES:]]
    one_process = statistics.median(before + after)
    ours = seconds / decisions
    counts = {name: count for name, count in report["counts"].items() if count}
    assert report["judged"] == decisions, report["counts"]
    reached, _ = report.pop("reached"), whole.pop("reached")
    assert report == whole
    cores = len(os.sched_getaffinity(0))
    print(f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, {decisions:,} decisions")
    print(f"  one `opa eval` per decision   {one_process * 1000:7.1f} ms   {1 / one_process:8.1f} a second")
    print(f"  mandate policy impact         {ours * 1000:7.1f} ms   {1 / ours:8.1f} a second")
    print(f"  ratio {one_process / ours:.1f} (budget: at least {BUDGET}); {seconds:.1f} s in all; {counts}")
    print(
        f"  {reached['decisions']:,} judged by {', '.join(reached['rules'])} alone, "
        f"{reached['flips']:,} flips among them; the others by all rules"
    )
    print(
        f"  each judged by all rules      {seconds_whole / decisions * 1000:7.1f} ms   "
        f"{decisions / seconds_whole:8.1f} a second, ratio {one_process / seconds_whole * decisions:.1f}"
    )
    print(f"  its processes together took at most {peak:.0f} MB")


def _recorded(organisation: Organisation, decisions: int) -> list[dict[str, Any]]:
    """Fill the ledger; the inputs of some of its decisions."""
    settings = configuration.load(organisation.folder / "mandate.yaml", environment={})
    file = organisation.folder / "input.json"
    kinds = []
    with chdir(organisation.folder), composition.assembled(settings) as mandate:
        for number, document in enumerate(_variants(), FIRST):
            file.write_text(json.dumps(document))
            mandate.gate.decide(mandate.claimed(file, action=None, environment=None))
            kinds.append(statement(organisation.folder, number))
    began = datetime.now(UTC) - timedelta(days=365)
    with writing(organisation.folder) as ledger:
        for number in range(len(kinds), decisions):
            kind = kinds[number % len(kinds)]
            document = kind["predicate"]["input"]
            asked = document | {
                "request": document["request"] | {"requested_by": f"ci-{number}@bank.example"}
            }
            at = began + timedelta(days=365) * number / decisions
            ledger.append(changed(kind, input=asked), at=at)
    return [kinds[number % len(kinds)]["predicate"]["input"] for number in range(2 * PROCESSES)]


def _variants() -> Iterator[dict[str, Any]]:
    """The good document, with a disparity and an accuracy that satisfy more or fewer policies."""
    for disparity in (0.01, 0.03, 0.045, 0.06, 0.065, 0.08, 0.2, 0.9):
        for accuracy in (0.95, 0.889, 0.6):
            changed = with_value(GOOD, ("fairness", "attributes", 0, "metrics", 0, "value"), disparity)
            yield with_value(changed, ("performance", "metrics", 0, "value"), accuracy)


def _bundle(folder: Path) -> Path:
    settings = configuration.load(folder / "mandate.yaml", environment={})
    return composition.bundle(settings).path


def _eval(bundle: Path, document: dict[str, Any], folder: Path) -> float:
    """Seconds for one `opa eval` process."""
    file = folder / "eval.json"
    file.write_text(json.dumps(document))
    command = [
        *(str(find_opa()), "eval", "--format", "json", "--bundle", str(bundle)),
        *("--input", str(file), "data.mandate.main.decision"),
    ]
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _impact(folder: Path, *options: str) -> tuple[float, float, dict[str, Any]]:
    """Seconds for the whole command, MB of memory that it and its OPA took, and what it found."""
    output = folder / "impact.json"
    program = str(Path(sys.executable).with_name("mandate"))
    command = [program, "policy", "impact", "--output", "json", *options]
    started = time.perf_counter()
    peak = 0
    with output.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder, stdout=file)
        while process.poll() is None:
            peak = max(peak, sum(map(_resident, _tree(process.pid))))
            time.sleep(0.05)
    seconds = time.perf_counter() - started
    assert process.returncode == 1, f"exit {process.returncode}: something must have flipped to an allow"
    report: dict[str, Any] = json.loads(output.read_bytes())
    return seconds, peak / 1024, report


def _tree(pid: int) -> list[int]:
    """The process and all below it."""
    try:
        threads = [*Path(f"/proc/{pid}/task").iterdir()]
        below = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:  # it has just ended
        return []
    return [pid, *(each for child in below for each in _tree(child))]


def _resident(pid: int) -> int:
    """KiB."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
