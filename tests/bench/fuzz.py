"""Wrong requests by the hundred thousand, against a service of two processes that is run as in production.

    python -m tests.bench.fuzz [REQUESTS] [SEED]

It ends with 1 at the first answer that must not be: an internal error, an allow, a control character, or
something that the OpenAPI document does not say. See `tests/fuzzing.py`.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzzing import Unsound, fuzz
from tests.organisation import founded
from tests.served import served

SIDES = 2


def main(requests: int = 100_000, seed: int = 1) -> int:
    """Send them, and print what came back."""
    with TemporaryDirectory() as name:
        organisation = founded(Path(name))
        limits = {"seconds": 5}
        with served(organisation, "--workers", "2", limits=limits, collect={"workers": 0}) as running:
            with running.client() as client:
                document = client.get("/openapi.json").json()
            address = ("127.0.0.1", int(running.url.rpartition(":")[2]))
            began, found = time.monotonic(), Counter[tuple[str, int]]()
            with ProcessPoolExecutor(SIDES) as pool:
                runs = [
                    pool.submit(fuzz, address, document, count=requests // SIDES, seed=seed * SIDES + side)
                    for side in range(SIDES)
                ]
                try:
                    for run in runs:
                        found += run.result()
                except Unsound as error:
                    print(error)
                    return 1
            took = time.monotonic() - began
            ended = running.stop()
        log = (Path(name) / "serve.log").read_bytes()
        sound = all(32 <= byte < 127 or byte == 10 for byte in log) and all(map(json.loads, log.splitlines()))
        allowed = organisation.mandate("ledger", "query", "--outcome", "allow", "--output", "json").json
        verified = organisation.mandate("ledger", "verify").exit_code
    statuses: Counter[int] = Counter()
    for (_, status), count in found.items():
        statuses[status] += count
    print(f"{found.total()} requests in {took:.0f} s")
    for status, count in sorted(statuses.items()):
        print(f"  {status or 'closed':>6}{count:>10}")
    print(f"allowed {len(allowed['entries'])}, log sound {sound}, ledger verified {verified}, ended {ended}")
    return 0 if sound and not allowed["entries"] and verified == 0 and ended == 0 else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
