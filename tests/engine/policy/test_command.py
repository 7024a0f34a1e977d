from __future__ import annotations

from pathlib import Path

import pytest

from mandate.engine.errors import OpaUnavailable
from mandate.engine.policy.command import run

SHELL = Path("/bin/sh")


def test_a_command_gets_none_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPA_CHECK_STRICT", "false")
    ended = run(SHELL, ["-c", "export; pwd"], folder=tmp_path)
    assert ended.status == 0
    assert b"OPA_" not in ended.stdout
    assert ended.stdout.endswith(f"{tmp_path}\n".encode())


def test_a_command_that_complains_on_either_output_is_heard(tmp_path: Path) -> None:
    loud = run(SHELL, ["-c", "echo out; echo err >&2; exit 4"], folder=tmp_path)
    quiet = run(SHELL, ["-c", "echo out; exit 4"], folder=tmp_path)
    assert (loud.status, loud.complaint, quiet.complaint) == (4, "err", "out")


@pytest.mark.parametrize(
    ("program", "arguments", "message"),
    [
        (Path("/nowhere/opa"), ["check"], "it cannot be started: No such file or directory"),
        (SHELL, ["-c", "kill -9 $$"], "`-c` was killed by signal 9"),
        (SHELL, ["-c", "exec sleep 60"], "`-c` took longer than 0.2 seconds"),
    ],
)
def test_a_command_that_does_not_end_by_itself_is_no_verdict_on_the_policy(
    program: Path, arguments: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(OpaUnavailable) as raised:
        run(program, arguments, folder=tmp_path, timeout=0.2)
    assert (raised.value.where, raised.value.what) == (str(program), message)
