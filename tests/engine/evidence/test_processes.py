"""Several processes on one ledger: at once, killed, and on a disk that is full or read-only."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from mandate.engine.decision import Judgement
from mandate.engine.errors import NotRecorded
from mandate.engine.evidence import public_keys, reading
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.recorder import Recorder
from mandate.engine.evidence.sql import sqlite
from mandate.engine.input.document import Input

from .conftest import NOON, ON_BOTH
from .databases import Home
from .processes import APPENDING, acknowledged, nursery, ran, recorded, start

PROBE = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]


@ON_BOTH
def test_processes_at_once_never_share_or_lose_an_index(home: Home, folder: Path) -> None:
    processes = [start(folder, home.where, "--count", 60, "--threads", 3) for _ in range(3)]
    told = [acknowledged(process.communicate(timeout=120)[0]) for process in processes]
    assert [len(each) for each in told] == [60, 60, 60]
    everything = [entry for each in told for entry in each]
    assert sorted(index for index, _, _ in everything) == list(range(180))
    assert recorded(home, folder) == set(everything)


@ON_BOTH
def test_kill_9_loses_no_acknowledged_decision_and_doubles_none(home: Home, folder: Path) -> None:
    """Fifty kills at random moments, while three writers with two threads each append as fast as they can."""
    moments = Random(50)
    with nursery(folder, home, "--threads", 2) as writers:
        children = [writers.child() for _ in range(3)]
        for _ in range(50):
            victim = children.pop(0)
            victim.begun()
            time.sleep(moments.uniform(0, 0.03))
            victim.kill()
            children.append(writers.child())
        for child in children:
            child.kill()
        told = writers.told()
    assert len(told) == len(set(told)) > 50
    kept = recorded(home, folder)
    assert set(told) <= kept
    # Beyond what was acknowledged there is at most what each thread was about to be told.
    assert len(kept - set(told)) <= 53 * 2


def test_file_size_limit_is_not_recorded_and_loses_nothing(home: Home, folder: Path) -> None:
    """EFBIG from the kernel, which SQLite reports as an I/O error."""
    said = ran(folder, home.where, "--limit", 512 * 1024)
    *_, last = said.splitlines()
    assert last.startswith(f"refused: {folder}/ledger.db: the disk does not take or give the ledger's data")
    told = acknowledged(said)
    assert len(told) > 5
    assert recorded(home, folder) == set(told)
    again = ran(folder, home.where, "--count", 1)
    assert [index for index, _, _ in acknowledged(again)] == [len(told)]


def may_mount() -> bool:
    """Whether this machine lets a process mount a file system of its own (containers often do not)."""
    return subprocess.run(PROBE, capture_output=True, check=False).returncode == 0


FULL = """
set -eu
mount -t tmpfs -o size=600k,mode=700 tmpfs "$1/small"
cp "$1"/*.json "$1"/signing.* "$1/ledger.db" "$1/small/"
"$2" "$3" "$1/small" "$1/small/ledger.db"
cp "$1/small/ledger.db" "$1/small/ledger.db-wal" "$1/"
"""


READ_ONLY = """
set -eu
mount -t tmpfs -o size=2m,mode=700 tmpfs "$1/small"
cp "$1"/*.json "$1"/signing.* "$1/ledger.db" "$1/small/"
"$2" "$3" "$1/small" "$1/small/ledger.db" --count 3
mount -o remount,ro "$1/small"
"$2" "$3" "$1/small" "$1/small/ledger.db" --count 1
"$2" "$4" "$1/small"
"""

if may_mount():

    def in_own_namespace(folder: Path, script: str, *arguments: Path) -> str:
        (folder / "small").mkdir()
        command = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(folder)]
        command += [sys.executable, str(APPENDING), *map(str, arguments)]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120).stdout

    def test_full_disk_is_not_recorded_and_loses_nothing(home: Home, folder: Path) -> None:
        said = in_own_namespace(folder, FULL)
        *_, last = said.splitlines()
        assert last == (
            f"refused: {folder}/small/ledger.db: the disk is full (database or disk is full)."
            " Make room, then ask again."
        )
        told = acknowledged(said)
        assert len(told) > 5
        assert recorded(home, folder) == set(told)

    def test_read_only_disk_is_not_recorded_and_can_be_verified(home: Home, folder: Path) -> None:
        assert home.where == str(folder / "ledger.db")
        verifying = folder / "verifying.py"
        verifying.write_text(
            "import sys; from pathlib import Path\n"
            "from mandate.engine.evidence import public_keys\n"
            "from mandate.engine.evidence.sql import sqlite\n"
            "from mandate.engine.evidence.verify import report, verify\n"
            "folder = Path(sys.argv[1])\n"
            "store = sqlite.open_for_reading(folder / 'ledger.db')\n"
            "found = report(verify(store, public_keys.load_folder(folder)))\n"
            "print('verified', found.entries, found.wrong)\n"
        )
        *told, refused, verified = in_own_namespace(folder, READ_ONLY, verifying).splitlines()
        assert len(told) == 3
        assert refused.startswith(f"refused: {folder}/small/ledger.db: the ledger may not be opened")
        assert refused.endswith("Give this user the right to write the file and its folder.")
        assert verified == "verified 3 0"


def test_read_only_file_is_not_recorded(home: Home, folder: Path) -> None:
    """Root writes to read-only files too, unless it gives up that privilege."""
    ran(folder, home.where, "--count", 2)
    for file in [*folder.glob("ledger.db*"), folder]:
        file.chmod(0o555 if file.is_dir() else 0o444)
    script = (
        "import sys; from pathlib import Path\n"
        "from mandate.engine.errors import NotRecorded\n"
        "from mandate.engine.evidence import keys\n"
        "from mandate.engine.evidence.columns import Columns\n"
        "from mandate.engine.evidence.ledger import Entry\n"
        "from mandate.engine.evidence.sql import sqlite\n"
        f"path = Path({str(folder / 'ledger.db')!r})\n"
        "print(sqlite.open_for_reading(path).count())\n"
        "signer = keys.load(path.with_name('signing.pem'))\n"
        "try:\n"
        "    sqlite.open_for_appending(path, signer).append(Entry('0', 'k', 't', Columns('s'), b'e'))\n"
        "except NotRecorded as error:\n"
        "    print(error)\n"
    )
    bound = ["setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []
    said = subprocess.run(
        [*bound, sys.executable, "-B", "-c", script], capture_output=True, text=True, check=True
    ).stdout
    count, refused = said.splitlines()
    assert count == "2"
    assert refused.startswith(f"{folder}/ledger.db: the ledger is read-only")


def test_clock_of_the_other_writer_does_not_matter(
    home: Home, folder: Path, document: Input, judgement: Judgement, signer: SigningKey
) -> None:
    """Ids carry the writer's time; the order is the ledger's."""
    ran(folder, home.where, "--count", 1)
    with closing(sqlite.open_for_appending(folder / "ledger.db", signer)) as ledger:
        receipt = Recorder(ledger, signer, lambda: NOON).record(document, judgement).receipt
        assert receipt.index == 1
        assert reading.find(ledger, "1", public_keys.keyring(signer.public_key)).receipt == receipt
    assert len(recorded(home, folder)) == 2


def test_ledger_in_a_missing_folder_is_not_recorded(tmp_path: Path, signer: SigningKey) -> None:
    with pytest.raises(NotRecorded, match="Run `mandate init`"):
        sqlite.open_for_appending(tmp_path / "gone" / "ledger.db", signer)
