from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mandate import __version__
from mandate.engine import cli
from tests.organisation import GOOD, Organisation, founded

COMMANDS = [*cli._COMMANDS]


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    return founded(tmp_path)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(organisation: Organisation, name: str) -> None:
    shown = organisation.mandate(name, "--help")
    assert shown.exit_code == 0
    assert f"Usage: mandate {name}" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 100


def test_a_misspelt_command_is_met_with_the_nearest_one(organisation: Organisation) -> None:
    shown = organisation.mandate("chek")
    assert shown.exit_code == 2
    assert "No such command 'chek'. Did you mean 'check'?" in shown.err


def test_the_version_is_the_packages(organisation: Organisation) -> None:
    shown = organisation.mandate("version")
    assert shown.exit_code == 0
    assert shown.out.splitlines()[0] == f"mandate {__version__}"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(organisation: Organisation, shell: str) -> None:
    shown = organisation.mandate("completion", shell)
    assert shown.exit_code == 0
    assert "_MANDATE_COMPLETE" in shown.out


def test_bash_completes_commands() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "mandate"],
        env={"_MANDATE_COMPLETE": "bash_complete", "COMP_WORDS": "mandate pol", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.splitlines() == ["plain,policy"]


def test_an_answer_that_nobody_read_is_neither_an_allow_nor_a_deny() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run([sys.executable, "-m", "mandate", "version"], stdout=writing, check=False)
    os.close(writing)
    assert ran.returncode == 141


def _asked(organisation: Organisation, redirection: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (organisation.folder / "input.json").write_text(json.dumps(GOOD))
    command = [sys.executable, "-m", "mandate", "check", "--input", "input.json", *arguments]
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", *command],
        cwd=organisation.folder,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("output", ["text", "json"])
def test_an_answer_that_finds_no_place_is_undecided_and_says_so_without_a_traceback(
    organisation: Organisation, output: str
) -> None:
    ran = _asked(organisation, ">/dev/full", "--output", output)
    assert ran.returncode == 3
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("redirection", ["", ">&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("output", ["text", "json"])
def test_the_exit_code_counts_where_streams_are_closed_or_hold_ascii_only(
    organisation: Organisation, redirection: str, output: str
) -> None:
    ran = _asked(organisation, redirection, "--output", output)
    assert ran.returncode == 1
    assert "internal error" not in ran.stderr
    assert [entry["outcome"] for entry in organisation.decisions()] == ["deny"]
    assert organisation.mandate("ledger", "verify").exit_code == 0


def test_check_wants_a_subject_or_a_document_and_not_both(organisation: Organisation) -> None:
    for arguments in [(), ("models:/credit/1", "--input", "-")]:
        shown = organisation.mandate("check", *arguments)
        assert shown.exit_code == 2
        assert "Give either a SUBJECT or --input." in shown.err


@pytest.mark.parametrize("text", ["", " \t", "x" * 2001], ids=["none", "blank", "a book"])
@pytest.mark.parametrize(
    "command",
    [
        ("approve", "models:/credit/1", "--role", "risk_officer", "--reason"),
        ("approve", "models:/credit/1", "--role", "risk_officer", "--reference"),
        ("waive", "drift.psi", "models:/credit/1", "--until", "2027-01-31", "--reference", "x", "--reason"),
        ("waive", "drift.psi", "models:/credit/1", "--until", "2027-01-31", "--reason", "x", "--reference"),
        ("revoke", "0", "--reason"),
        ("retire", "models:/credit/1", "--reason"),
        ("rollback", "credit", "--reason"),
        ("key", "rotate", "--reason"),
        ("key", "revoke", "SHA256:", "--reason"),
        ("ledger", "reconcile", "--explain"),
    ],
    ids=lambda command: " ".join((*command[:2], command[-1])),
)
def test_what_is_written_for_the_record_is_refused_before_anything_begins_if_nobody_would_read_it(
    organisation: Organisation, command: tuple[str, ...], text: str
) -> None:
    ran = organisation.mandate(*command, text)
    assert ran.exit_code == 2
    assert f"Invalid value for '{command[-1]}': Write 1 to 2000 characters." in ran.err


def test_without_settings_the_error_says_how_to_begin(tmp_path: Path) -> None:
    shown = Organisation(tmp_path).mandate("check", "models:/credit/1")
    assert shown.exit_code == 2
    assert "there is no mandate.yaml here or in a folder above" in shown.err
    assert "→ Run `mandate init`, or name the file with --config" in shown.err


def test_an_error_is_json_where_json_was_asked_for(organisation: Organisation) -> None:
    settings = organisation.folder / "mandate.yaml"
    line = settings.read_text().splitlines().index("opa:") + 1
    shown = organisation.mandate("check", "models:/credit/1", "--output", "json", "--set", "opa.tiemout=1")
    assert shown.exit_code == 2
    assert json.loads(shown.out) == {
        "outcome": None,
        "error": {
            "type": "BadConfiguration",
            "what": "opa.tiemout is not a setting",
            "where": f"{settings}:{line}",
            "next_step": "Write timeout",
        },
    }


def test_an_internal_error_is_undecided_and_keeps_its_text_back(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("Jane Doe, born 1970")

    monkeypatch.setattr("mandate.composition.assembled", broken)
    shown = organisation.mandate("check", "--input", "-")
    assert shown.exit_code == 3
    assert "an internal error: ZeroDivisionError in broken" in shown.err
    assert "Jane" not in shown.out + shown.err
    monkeypatch.setenv("MANDATE_TRACEBACK", "1")
    assert "Jane" in organisation.mandate("check", "--input", "-").err
