"""An organisation with decisions of every kind on record, made once."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.organisation import GOOD, Organisation, founded, good, with_value

PARITY = ("fairness", "attributes", 0, "metrics", 0, "value")
ACCURACY = ("performance", "metrics", 0, "value")

LOOSER = "demographic_parity_difference: {default: 0.07}\n"
TIGHTER = "demographic_parity_difference: {default: 0.022}\n"


def about(name: str, document: dict[str, Any]) -> dict[str, Any]:
    """The document about another model."""
    document = with_value(document, ("subject", "name"), name)
    document = with_value(document, ("subject", "uri"), f"models:/{name}/2")
    return with_value(document, ("model", "name"), name)


DOCUMENTS = {
    0: GOOD,
    1: with_value(GOOD, PARITY, 0.06),
    2: with_value(GOOD, PARITY, 0.91),
    3: about("mortgage", with_value(GOOD, PARITY, 0.065)),
    4: about("mortgage", good(approvals=None)),
    5: good(
        collection=[
            *(entry for entry in GOOD["collection"] if entry["name"] != "fairness"),
            {"name": "fairness", "status": "failed", "reason": "the batch is gone"},
        ]
    ),
}
"""In the order in which they are decided: allow, four times deny, undecided.

A seventh found no OPA.
"""


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, not to be changed."""
    folder = tmp_path_factory.mktemp("recorded")
    organisation = founded(folder, trusting=True)
    for index, document in DOCUMENTS.items():
        assert organisation.check(document).exit_code == {0: 0, 5: 3}.get(index, 1)
    assert organisation.check(GOOD, "--set", "opa.url=http://127.0.0.1:9").exit_code == 3
    return folder


@pytest.fixture
def organisation(recorded: Path, tmp_path: Path) -> Organisation:
    """A copy of it, to be changed."""
    shutil.copytree(recorded, tmp_path / "bank")
    return Organisation(tmp_path / "bank")


@pytest.fixture
def fairness(organisation: Organisation) -> Callable[[str], None]:
    """Sets the organisation's thresholds of fairness."""

    def write(text: str) -> None:
        (organisation.folder / "policies/thresholds/fairness.yaml").write_text(text)

    return write


AILING = '''#!{python}
"""An OPA with an illness: a relay before a real one, which it takes with it when it dies."""
import json, os, signal, socket, subprocess, sys, threading

if sys.argv[1:2] != ["run"]:
    os.execv({opa!r}, [{opa!r}, *sys.argv[1:]])
arguments = ["--addr=unix://real" if each == "--addr=unix://s" else each for each in sys.argv[1:]]
real = subprocess.Popen([{opa!r}, *arguments])
while not os.path.exists("real"):
    if real.poll() is not None:
        sys.exit(1)

def request(connection):
    received = b""
    while b"\\r\\n\\r\\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        received += chunk
    head, _, body = received.partition(b"\\r\\n\\r\\n")
    length = 0
    for line in head.split(b"\\r\\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\\r\\n\\r\\n" + body

def serve(connection):
    while asked := request(connection):
        if b'"value":0.065' in asked:
            real.kill()
            os._exit(2)
        with socket.socket(socket.AF_UNIX) as there:
            there.connect("real")
            there.sendall(asked.replace(b"\\r\\n", b"\\r\\nConnection: close\\r\\n", 1))
            answer = b""
            while chunk := there.recv(65536):
                answer += chunk
        if b'"value":0.91}' in asked:
            answer = answer.replace(b'"outcome":"deny"', b'"outcome":"nein"')
        connection.sendall(answer)
        break
    connection.close()

with socket.socket(socket.AF_UNIX) as listener:
    listener.bind("s")
    listener.listen(64)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
'''


@pytest.fixture
def ailing(opa: Path, tmp_path: Path) -> Path:
    """An OPA that answers nonsense about one disparity, and dies of another one."""
    program = tmp_path / "ailing-opa"
    program.write_text(AILING.replace("{python}", sys.executable).replace("{opa!r}", repr(str(opa))))
    program.chmod(0o755)
    return program
