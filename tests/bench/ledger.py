"""What appending, proving, verifying and finding cost in a ledger of a thousand to a million entries.

    python -m tests.bench.ledger [SIZE …]

Each size is a SQLite ledger of its own, filled with small signed entries in groups. Then, in each: one entry
after the other appended, each under a head of its own; inclusion and consistency proven; pages found. All
ledgers are asked in turn, so that whatever else the machine does falls on all of them. Verification reads
everything, so its cost is given per entry, with the most memory that it took.
"""

from __future__ import annotations

import json
import platform
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import uuid_utils

from mandate.engine.decision import Decision, Finding, FindingOutcome, Outcome
from mandate.engine.digests import sha256
from mandate.engine.evidence import envelope as dsse
from mandate.engine.evidence import keys
from mandate.engine.evidence.columns import Columns, Kind, mentions
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.ledger import Entry
from mandate.engine.evidence.log import merkle
from mandate.engine.evidence.predicates.base import STATEMENT_TYPE, rfc3339_milliseconds
from mandate.engine.evidence.predicates.decision import DECISION_TYPE
from mandate.engine.evidence.query import Query
from mandate.engine.evidence.sql import sqlite
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.input.document import Input
from mandate.engine.input.subject import Action, Request, Subject

ORIGIN = "bench.example/models"
SIZES = (10**3, 10**4, 10**5, 10**6)
GROUP = 500
ROUNDS = 200

_DOCUMENT = Input(
    subject=Subject(name="x", version="1", uri="models:/x/1", sha256="0" * 64, risk_tier="high"),
    request=Request(
        action=Action.PROMOTE, environment="test", requested_by="ci", time=datetime(2026, 1, 1, tzinfo=UTC)
    ),
).model_dump(mode="json")

QUERIES = {
    "newest page": Query(),
    "rare outcome": Query(outcome="undecided"),
    "one model": Query(model="model-7"),
    "a digest": Query(sha256=f"{7:064x}"),
    "a rule": Query(rule="fairness.rule-3"),
    "a rule of a model, denied": Query(rule="fairness.rule-3", model="model-7", outcome="deny"),
    "nothing, by two broad filters": Query(outcome="allow", environment="production", rule="fairness.rule-3"),
    "a day": Query(since="2026-01-05T00:00:00.000Z", until="2026-01-06T00:00:00.000Z", outcome="deny"),
    "a person": Query(person="person-11@bank.example"),
    "a policy revision": Query(revision="sha256:2"),
}


def main(sizes: list[int]) -> None:
    print(f"{platform.machine()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    with tempfile.TemporaryDirectory() as folder:
        key = keys.create(Path(folder) / "keys" / "signing.pem")
        ledgers = {}
        for size in sizes:
            path = Path(folder) / f"{size}.db"
            began = time.perf_counter()
            fill(path, size, key)
            seconds = time.perf_counter() - began
            print(
                f"{size:>9,} entries filled in {seconds:7.1f} s, "
                f"{path.stat().st_size / size:6.0f} bytes an entry"
            )
            ledgers[size] = sqlite.open_for_appending(path, key)
        for what, act in acts(key).items():
            show(what, in_turn(ledgers, act))
        for what, query in QUERIES.items():
            show(f"find {what}", in_turn(ledgers, partial(_found, query), rounds=5))
        for size, ledger in ledgers.items():
            ledger.close()
            verify(Path(folder), size)


def _found(query: Query, ledger: SqlLedger) -> object:
    return ledger.search(query, most=50)


def fill(path: Path, size: int, key: SigningKey) -> None:
    sqlite.create(path, origin=ORIGIN)
    with closing(sqlite.open_for_appending(path, key)) as ledger:
        group: list[Entry] = []
        for number in range(size):
            group.append(entry(number, key))
            if len(group) == GROUP or number == size - 1:
                ledger.append_all(group)
                group.clear()


def entry(number: int, key: SigningKey) -> Entry:
    """A small decision: an allow for one thing that passed, or a denial for one that did not."""
    outcome = "undecided" if number % 1009 == 3 else "deny" if number % 3 == 0 else "allow"
    milliseconds = 1_767_225_600_000 + number * 2_592  # a million of them in thirty days
    recorded_at = rfc3339_milliseconds(datetime.fromtimestamp(milliseconds / 1000, UTC))
    subject = {
        "name": f"model-{number % 300}",
        "version": "1",
        "uri": f"models:/model-{number % 300}/1",
        "sha256": f"{number % 5000:064x}",
        "risk_tier": "high",
    }
    request = {
        "action": "promote",
        "environment": ("production", "staging", "test")[number % 7 % 3],
        "requested_by": f"person-{number % 400}@bank.example",
        "time": recorded_at.replace(".000Z", "Z"),
    }
    document = {**_DOCUMENT, "subject": subject, "request": request}
    decision = _decision(outcome, number)
    predicate = {
        "id": str(uuid_utils.uuid7(nanoseconds=milliseconds * 1_000_000)),
        "recordedAt": recorded_at,
        "mandate": {"version": "0"},
        "ledger": {"origin": ORIGIN},
        "outcome": outcome,
        "decision": decision,
        "decisionSha256": sha256(_canonical(decision)),
        "input": document,
        "inputSha256": sha256(_canonical(document)),
        "policy": {"revision": f"sha256:{number // 100_000}", "bundleSha256": "0" * 64},
        "opa": {"version": "1.22.2"},
        "request": None,
    }
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": subject["uri"], "digest": {"sha256": subject["sha256"]}}],
        "predicateType": DECISION_TYPE,
        "predicate": predicate,
    }
    columns = Columns(
        subject=subject["uri"],
        model=subject["name"],
        version=subject["version"],
        sha256=subject["sha256"],
        outcome=outcome,
        action=request["action"],
        environment=request["environment"],
        revision=f"sha256:{number // 100_000}",
        mentions=mentions(
            (Kind.PERSON, request["requested_by"]),
            *((Kind.RULE, finding["rule"]) for finding in decision["findings"] if outcome == "deny"),
            *((Kind.CONTROL, name) for finding in decision["findings"] for name in finding["controls"]),
        ),
    )
    envelope = dsse.seal(_canonical(statement), key).to_bytes()
    return Entry(str(predicate["id"]), DECISION_TYPE, recorded_at, columns, envelope)


def _decision(outcome: str, number: int) -> dict[str, Any]:
    if outcome == "undecided":
        return Decision.undecided("OPA does not answer").model_dump(mode="json")
    rule = number // 3 % 20
    finding = Finding(
        rule=f"fairness.rule-{rule}",
        term="sex",
        level="must",
        outcome=FindingOutcome.VIOLATION if outcome == "deny" else FindingOutcome.PASSED,
        measured=0.25,
        comparison="<=",
        bound=0.125 if outcome == "deny" else 0.5,
        controls=(f"EU AI Act {rule}",) if outcome == "deny" else (),
    )
    return Decision(outcome=Outcome(outcome), findings=(finding,)).model_dump(mode="json")


def _canonical(document: Any) -> bytes:
    """RFC 8785, for documents whose numbers Python writes as it does."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def acts(key: SigningKey) -> dict[str, Callable[[SqlLedger], object]]:
    numbers = iter(range(10**7, 10**8))
    chosen = random.Random(5)

    def append(ledger: SqlLedger) -> None:
        ledger.append(entry(next(numbers), key))

    def inclusion(ledger: SqlLedger) -> None:
        size = ledger.count()
        index = chosen.randrange(size)
        proof = merkle.inclusion(index, size, ledger.node)
        stored = ledger.at(index)
        assert stored
        root = merkle.root(size, ledger.node)
        assert merkle.verify_inclusion(stored.leaf, index, size, root, proof)

    def consistency(ledger: SqlLedger) -> None:
        size = ledger.count()
        first = chosen.randrange(1, size)
        proof = merkle.consistency(first, size, ledger.node)
        roots = merkle.root(first, ledger.node), merkle.root(size, ledger.node)
        assert merkle.verify_consistency(first, roots[0], size, roots[1], proof)

    return {"append one": append, "prove inclusion": inclusion, "prove consistency": consistency}


def in_turn(
    ledgers: dict[int, SqlLedger], act: Callable[[SqlLedger], object], rounds: int = ROUNDS
) -> dict[int, list[float]]:
    taken: dict[int, list[float]] = {size: [] for size in ledgers}
    for _ in range(rounds):
        for size, ledger in ledgers.items():
            began = time.perf_counter()
            act(ledger)
            taken[size].append((time.perf_counter() - began) * 1000)
    return taken


def show(what: str, taken: dict[int, list[float]]) -> None:
    medians = {size: statistics.median(each) for size, each in taken.items()}
    shown = "  ".join(f"{median:8.2f} ms" for median in medians.values())
    first, last = medians[min(medians)], medians[max(medians)]
    print(f"{what:<34} {shown}   largest / smallest {last / first:5.1f}")


def verify(folder: Path, size: int) -> None:
    """In a process of its own, so that its memory is its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench.ledger", "--verify", str(folder), str(size)],
        check=True,
        capture_output=True,
        text=True,
    )
    said = json.loads(ran.stdout)
    print(
        f"verify {size:>9,}: {said['seconds'] / said['entries'] * 1e6:6.0f} µs an entry, "
        f"at most {said['megabytes']:.0f} MB, {said['wrong']} faults"
    )


def verifying(folder: Path, size: int) -> Iterator[str]:
    from mandate.engine.evidence import public_keys
    from mandate.engine.evidence.verify import report, verify

    began = time.perf_counter()
    with closing(sqlite.open_for_reading(folder / f"{size}.db")) as ledger:
        found = report(verify(ledger, public_keys.load_folder(folder / "keys")))
    yield json.dumps(
        {
            "seconds": time.perf_counter() - began,
            "entries": found.entries,
            "wrong": found.wrong,
            "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--verify"]:
        print(*verifying(Path(sys.argv[2]), int(sys.argv[3])))
    else:
        main([int(size.replace("_", "")) for size in sys.argv[1:]] or list(SIZES))
