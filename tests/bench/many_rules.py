"""What many rules cost in one query: 200 against 20, side by side.

    python -m tests.bench.many_rules

Two sets of policies, each judged by an OPA of its own and asked in turns: the library without its rules and
with 20 or 200 generated ones (there all cost is that of rules), and the library with as many more as make 20
and 200. Each generated rule compares one figure of the input with one threshold of its own, as most rules do.
"""

from __future__ import annotations

import json
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mandate import share
from mandate.engine.digests import canonical
from mandate.engine.opa.client import DECISION, OpaClient
from mandate.engine.opa.locate import find_opa
from mandate.engine.opa.process import LocalOpa
from mandate.engine.policy import bundle

ROUNDS = 200
BUDGET = 4.0

_RULE = """# METADATA
# title: Rule {number} holds
# description: The accuracy is at least what threshold {number} says.
# custom:
#   failure_msg: The accuracy is too low
#   solution: Improve the model.
#   severity: low
#   collections: [generated]
#   controls: [House rule {number}]
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [performance]
#   actions: [promote]
#   waivable: true
#   thresholds:
#     generated.rule_{number}: {{type: number, exclusiveMinimum: 0, maximum: 1}}
package mandate.rules.generated.rule_{number}

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.generated as settings

terms := {{"accuracy"}}

must contains check.at_least("accuracy", facts.share("performance", metric), bound) if {{
	some metric in input.performance.metrics
	metric.name == "accuracy"
	bound := thresholds.of(settings.rule_{number})
}}
"""


def main() -> None:
    """Print p50 of each and the ratios, and end with 1 if one is beyond the budget."""
    library_rules = sum(1 for _ in (share.policies() / "mandate/rules").glob("*/*/"))
    sets = {
        "generated alone": (False, 20, 200),
        f"the library's {library_rules} and generated": (True, 20 - library_rules, 200 - library_rules),
    }
    print(f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}; p50 of {ROUNDS}")
    beyond = False
    for name, (with_library, few, many) in sets.items():
        low, high = _milliseconds(with_library, few, many)
        ratio = high / low
        beyond |= ratio > BUDGET
        print(
            f"{name}: 20 rules {low:.2f} ms, 200 rules {high:.2f} ms, {ratio:.1f} times (budget {BUDGET:g})"
        )
    raise SystemExit(beyond)


def _milliseconds(with_library: bool, few: int, many: int) -> tuple[float, float]:
    good = json.loads((share.policies() / "mandate/testing/data.json").read_text())["good"]
    question = canonical(good)
    with ExitStack() as stack:
        clients = [stack.enter_context(_asked(with_library, count)) for count in (few, many)]
        times: list[list[float]] = [[], []]
        for _ in range(ROUNDS):
            for client, taken in zip(clients, times, strict=True):
                started = time.perf_counter()
                answer = client.ask(DECISION, question)
                taken.append(time.perf_counter() - started)
                assert answer.result["outcome"] == "allow", answer.result["reasons"]
    low, high = (statistics.median(taken) * 1000 for taken in times)
    return low, high


@contextmanager
def _asked(with_library: bool, count: int) -> Iterator[OpaClient]:
    """An OPA with the library's rules or without them, and `count` generated ones."""
    with tempfile.TemporaryDirectory(prefix="mandate-bench-") as name:
        root = Path(name) / "policies"
        shutil.copytree(share.policies(), root)
        if not with_library:
            shutil.rmtree(root / "mandate/rules")
            for file in (root / "thresholds").iterdir():
                if file.name not in ("evidence.yaml", "waivers.yaml"):
                    file.unlink()
            (root / "selection.yaml").write_text('include: {default: ["*"]}\nexclude: {default: []}\n')
        for number in range(count):
            rule = root / f"mandate/rules/generated/rule_{number}/rule_{number}.rego"
            rule.parent.mkdir(parents=True)
            rule.write_text(_RULE.format(number=number))
        settings = "".join(f"rule_{number}: {{default: 0.5}}\n" for number in range(count))
        (root / "thresholds/generated.yaml").write_text(settings)
        compiled = bundle.compile([root], opa=find_opa(), store=Path(name) / "store")
        with LocalOpa(find_opa(), compiled.path) as opa, OpaClient(opa.url, timeout=10) as client:
            yield client


if __name__ == "__main__":
    main()
