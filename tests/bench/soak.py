"""Whether memory stays where it is: decisions through a service, and what its processes hold meanwhile.

    python -m tests.bench.soak [DECISIONS] [CONNECTIONS]

Each line is a moment: how many decisions there were, and the resident megabytes of the processes that
answer and of their OPAs. The last line says how much they grew for a million decisions, by the second half.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from mandate.engine.service.access.roles import Role
from tests.organisation import GOOD, founded, good
from tests.served import Running, descendants, program, served
from tests.service import bearer

MOMENTS = 20
_QUESTIONS = [json.dumps({"input": each}).encode() for each in (GOOD, good(performance=...))]


def main(decisions: int = 20_000, connections: int = 8) -> None:
    """Ask, and print what is held."""
    with TemporaryDirectory() as name:
        organisation = founded(Path(name), trusting=True)
        with served(organisation, collect={"workers": 0}) as running:
            asked = Asking(running, decisions)
            threads = [threading.Thread(target=asked.ask) for _ in range(connections)]
            began = time.monotonic()
            for thread in threads:
                thread.start()
            print(f"{'decisions':>10}{'service MB':>12}{'OPA MB':>10}")
            moments = []
            for moment in range(1, MOMENTS + 1):
                while asked.answered < decisions * moment // MOMENTS:
                    time.sleep(0.05)
                moments.append((asked.answered, *resident(running)))
                print(f"{moments[-1][0]:>10}{moments[-1][1]:>12.1f}{moments[-1][2]:>10.1f}", flush=True)
            for thread in threads:
                thread.join()
            took = time.monotonic() - began
    half = moments[len(moments) // 2 :]
    print(f"{decisions / took:.0f} a second; growth over a million decisions, by the second half:")
    for label, column in (("service", 1), ("OPA", 2)):
        print(f"  {label:<8}{slope([(row[0], row[column]) for row in half]) * 1e6:>10.1f} MB")


class Asking:
    """So many questions, from as many threads as ask."""

    def __init__(self, running: Running, count: int) -> None:
        host, _, port = running.url.removeprefix("http://").partition(":")
        self._address = (host, int(port))
        self._left = iter(range(count))
        self._lock = threading.Lock()
        self.answered = 0

    def ask(self) -> None:
        """Ask until there is nothing left to ask."""
        connection = http.client.HTTPConnection(*self._address, timeout=60)
        headers = {**bearer(Role.DECIDER), "Content-Type": "application/json"}
        while True:
            with self._lock:
                number = next(self._left, None)
            if number is None:
                break
            connection.request("POST", "/v1/decisions", _QUESTIONS[number % 2], headers)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body
            with self._lock:
                self.answered += 1
        connection.close()


def resident(running: Running) -> tuple[float, float]:
    """Megabytes of the service, and of its OPA."""
    held = {True: 0.0, False: 0.0}
    for pid in [running.process.pid, *descendants(running.process.pid)]:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        held["opa" in program(pid)] += pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return held[False], held[True]


def slope(points: list[tuple[int, float]]) -> float:
    """Of the line through the points that is nearest to them."""
    count = len(points)
    middle = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    around = sum((x - middle[0]) ** 2 for x, _ in points)
    return sum((x - middle[0]) * (y - middle[1]) for x, y in points) / around


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
