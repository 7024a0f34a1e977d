"""Run as a process of its own: appends decisions to a ledger, and says of each that it was acknowledged.

    python appending.py FOLDER LEDGER [options]

FOLDER has `signing.pem`, `document.json` and `judgement.json`; LEDGER is a path or a URL. One line an
acknowledged decision: `<index> <id> <leaf>`. If the ledger refuses, the last line is `refused: <error>`.

With --serve it is asked on standard input, a line each time, and forks a child that appends without end; what
was acknowledged stands in the file that the line names. To fork takes milliseconds, to start a second.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock, Thread

import psycopg  # noqa: F401  (so that no child has to import it)

from mandate.engine.decision import Judgement
from mandate.engine.errors import NotRecorded
from mandate.engine.evidence import keys
from mandate.engine.evidence.ledger import Entry, Place
from mandate.engine.evidence.predicates.decision import RequestKey
from mandate.engine.evidence.recorder import Recorder
from mandate.engine.evidence.sql import database, postgresql, sqlite
from mandate.engine.input.document import Input

Acknowledge = Callable[[str], None]


def main(options: argparse.Namespace) -> None:
    if not options.serve:
        append(options, lambda line: print(line, flush=True))
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
    for queries in (("sqlite", "sqlite3"), ("postgresql", "psycopg")):
        database.queries(*queries)  # imported and read once, and not by each child
    for name in sys.stdin:
        if (child := os.fork()) == 0:
            append(options, to_file(Path(name.strip())))
            os._exit(0)
        print(child, flush=True)


def to_file(path: Path) -> Acknowledge:
    """Each line with one call of the kernel: what was told is told, whatever happens to the process."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return lambda line: assert_written(os.write(descriptor, f"{line}\n".encode()), len(line) + 1)


def assert_written(written: int, length: int) -> None:
    assert written == length


def append(options: argparse.Namespace, acknowledge: Acknowledge) -> None:
    """Append, in as many threads as asked; they share a ledger."""
    folder, lock = options.folder, Lock()
    document = Input.model_validate_json((folder / "document.json").read_bytes())
    judgement = Judgement.model_validate_json((folder / "judgement.json").read_bytes())
    signer = keys.load(folder / "signing.pem")
    if "://" in options.ledger:
        store = postgresql.open_for_appending(options.ledger, signer)
    else:
        store = sqlite.open_for_appending(Path(options.ledger), signer)
    recorder = Recorder(store, signer, lambda: datetime.now(UTC) - timedelta(seconds=options.behind))

    if options.die_at is not None:
        store.append = dying(store.append, options.die_at)  # type: ignore[method-assign,assignment]

    def one(request: RequestKey | None) -> str:
        while True:
            try:
                receipt = recorder.record(document, judgement, request=request).receipt
            except NotRecorded:
                if not options.insist:
                    raise
                time.sleep(0.02)
            else:
                return f"{receipt.index} {receipt.id} {receipt.leaf}"

    def some(first: int) -> None:
        for number in range(first, options.count, options.threads):
            key = f"{options.keys}{number}"
            line = one(RequestKey(key=key, sha256="00" * 32) if options.keys else None)
            with lock:
                acknowledge(line)
            if options.limit and number == 0:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (options.limit, options.limit))

    def guarded(first: int) -> None:
        try:
            some(first)
        except NotRecorded as refused:
            with lock:
                acknowledge(f"refused: {refused}")

    threads = [Thread(target=guarded, args=(first,)) for first in range(1, options.threads)]
    for thread in threads:
        thread.start()
    guarded(0)
    for thread in threads:
        thread.join()


def dying(stored: Callable[[Entry], Place], number: int) -> Callable[[Entry], Place]:
    """Kills its process once an entry was committed, before anybody is told."""
    numbers = iter(range(number + 1))

    def append(entry: Entry) -> Place:
        place = stored(entry)
        if next(numbers) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return place

    return append


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("ledger")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int, help="no file may grow beyond these bytes after the first one")
    parser.add_argument("--keys", default="", help="each has a request key that begins so")
    parser.add_argument("--insist", action="store_true", help="ask again until it is recorded")
    parser.add_argument("--behind", type=float, default=0, help="seconds by which the clock was set back")
    parser.add_argument("--die-at", type=int, help="die after this one was committed, before it is told")
    parser.add_argument("--serve", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main(options())
    except NotRecorded as refused:  # it could not even be opened
        print(f"refused: {refused}", flush=True)
