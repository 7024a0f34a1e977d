"""Run as a process of its own: appends decisions to a ledger, and says of each that it was acknowledged.

    python appending.py FOLDER COUNT [BYTES]

FOLDER has `ledger.db`, `signing.pem`, `document.json` and `judgement.json`. One line an acknowledged
decision: `<index> <id> <leaf>`. With BYTES, no file may grow beyond that size once the first decision is in.
If the ledger refuses, the last line is `refused: <error>`.
"""

from __future__ import annotations

import resource
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from mandate.engine.decision import Judgement
from mandate.engine.errors import NotRecorded
from mandate.engine.evidence import keys
from mandate.engine.evidence.recorder import Recorder
from mandate.engine.evidence.sql import sqlite
from mandate.engine.input.document import Input


def main(folder: Path, count: int, limit: int | None) -> None:
    document = Input.model_validate_json((folder / "document.json").read_bytes())
    judgement = Judgement.model_validate_json((folder / "judgement.json").read_bytes())
    signer = keys.load(folder / "signing.pem")
    store = sqlite.open_for_appending(folder / "ledger.db", signer)
    recorder = Recorder(store, signer, lambda: datetime.now(UTC))
    for number in range(count):
        receipt = recorder.record(document, judgement).receipt
        print(receipt.index, receipt.id, receipt.leaf, flush=True)
        if limit is not None and number == 0:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
    except NotRecorded as refused:
        print(f"refused: {refused}", flush=True)
