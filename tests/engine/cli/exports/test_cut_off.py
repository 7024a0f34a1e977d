"""A run that was cut off: the next one goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.exporting import (
    exported,
    files,
    grow,
    restored,
)
from tests.organisation import Organisation

ROOT = Path(__file__).parents[4]


def start(organisation: Organisation, destination: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "mandate", "ledger", "export", destination],
        cwd=organisation.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )


def killed(organisation: Organisation, destination: str, when: Path) -> None:
    """Export, and `kill -9` as soon as there is such a file."""
    process = start(organisation, destination)
    deadline = time.monotonic() + 60
    while not when.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.0005)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize(
    "at",
    [
        "keys",
        "heads/000000/000000000000-000000000255.jsonl",
        "tile/entries/002.p/192",
        "snapshots",
    ],
)
def test_a_run_that_was_killed_goes_on(exporter: Organisation, auditor: Organisation, at: str) -> None:
    destination = exporter.folder / "export"
    killed(exporter, "export", destination / at)
    before = {name: content for name, content in files(destination).items() if "/." not in f"/{name}"}
    if at != "snapshots":
        assert before
    grow(exporter, 30)
    answer = exported(exporter, "export").json
    after = files(destination)
    assert before.keys() <= after.keys()
    assert [name for name in before if name != "checkpoint" and before[name] != after[name]] == []
    assert restored(auditor, destination).json["entries"] == answer["size"]


def test_an_archive_that_was_cut_off_goes_on(exporter: Organisation, auditor: Organisation) -> None:
    part = exporter.folder / "export.tar.part"
    exported(exporter, "whole.tar")
    content = (exporter.folder / "whole.tar").read_bytes()
    for length in (100, len(content) // 2, len(content) - 700):
        part.write_bytes(content[:length])
        answer = exported(exporter, "export.tar").json
        assert not part.exists()
        assert (
            restored(auditor, exporter.folder / "export.tar", "--into", f"{length}.db").json["entries"]
            == (answer["size"])
        )
        (exporter.folder / "export.tar").unlink()
