"""The guides in `docs/`, done step by step: each command, in order, in an organisation that begins there.

A fence ``console`` holds commands after `$`, and what must be among what they print; `exit=2` says how they
end. A fence with a title is a file to write.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mandate.engine.opa import places
from mandate.engine.service.access.roles import Role
from tests.organisation import GOOD, TRUSTING, Organisation
from tests.service import TOKENS, serving
from tests.signatories import Signatory, employ

DOCS = Path(__file__).parents[1] / "docs"
POLICIES = DOCS / "policies.md"
EVIDENCE = DOCS / "evidence.md"
CALLING = DOCS / "service-calling.md"
_FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="(?P<file>[^"]+)"')
_EXIT = re.compile(r"exit=(?P<code>[0-9]+)")


def fences(guide: Path) -> Iterator[tuple[str, str]]:
    for match in _FENCE.finditer(guide.read_text(encoding="utf-8")):
        yield match["info"], match["body"]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """In a shell, where `mandate` is this one and git has an author."""
    programs = folder.parent / "programs"
    programs.mkdir(exist_ok=True)
    mandate = programs / "mandate"
    mandate.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m mandate "$@"\n')
    mandate.chmod(0o755)
    author = {
        f"GIT_{who}_{what}": "grace@harbour.example"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    environment = {
        **os.environ,
        **author,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(DOCS.parent),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def record_decisions(folder: Path) -> None:
    """Two models that were judged before: what the change is held against."""
    organisation = Organisation(folder)
    evidence = folder / "policies/thresholds/evidence.yaml"
    evidence.write_text(TRUSTING)
    assert organisation.check(GOOD).exit_code == 0
    unequal = json.loads(json.dumps(GOOD))
    unequal["fairness"]["attributes"][0]["metrics"][0]["value"] = 0.2
    assert organisation.check(unequal).exit_code == 1
    evidence.unlink()
    (folder / "input.json").unlink()


def do(guide: Path, folder: Path, begun: Callable[[Path], None]) -> None:
    """Every step of the guide; `begun` is called when the organisation is there."""
    folder.mkdir(exist_ok=True)
    for info, body in fences(guide):
        if (title := _TITLE.search(info)) is not None:
            (folder / title["file"]).write_text(body)
        elif info.startswith("console"):
            expected = int(found["code"]) if (found := _EXIT.search(info)) else 0
            commands = [line.removeprefix("$ ") for line in body.splitlines() if line.startswith("$ ")]
            shown = ""
            for command in commands:
                ended = run(command, folder)
                shown += ended.stdout + ended.stderr
                assert ended.returncode == expected, f"{command}\n{shown}"
                if command.startswith("mandate init"):
                    begun(folder)
            for line in body.splitlines():
                assert line.startswith("$ ") or line in shown, f"{line}\n{shown}"


def test_the_guide_to_policies_does_what_it_says(tmp_path: Path) -> None:
    assert places.program("regal").is_file()
    do(POLICIES, tmp_path / "harbour", record_decisions)


def test_the_guide_for_auditors_does_what_it_says(tmp_path: Path, cosign: Path) -> None:
    """Entry 2 is a denial, after the opening and the policies' first use."""

    def denied(folder: Path) -> None:
        (folder.parent / "programs/cosign").symlink_to(cosign)
        (folder / "input.json").write_text(json.dumps(GOOD))
        assert Organisation(folder).check(GOOD).exit_code == 1

    do(EVIDENCE, tmp_path / "bank", denied)


def test_the_guides_release_judges(tmp_path: Path) -> None:
    """Step 6 ends in a mandate.yaml that names the bundle: with it, the organisation goes on."""
    folder = tmp_path / "harbour"
    folder.mkdir()
    for command in (
        "mandate init --name harbour.example/models",
        "mandate policy bundle --new-key keys/policies.pem",
        "mandate policy bundle --key keys/policies.pem --release 1 --to policies.tar.gz",
    ):
        ended = run(command, folder)
        assert ended.returncode == 0, ended.stderr
    (yaml,) = (body for info, body in fences(POLICIES) if info == "yaml")
    settings = folder / "mandate.yaml"
    text = settings.read_text()
    assert "policies: [library, policies]\n" in text
    settings.write_text(text.replace("policies: [library, policies]\n", yaml))
    answer = Organisation(folder).check(GOOD, "--environment", "staging")
    assert answer.json["outcome"] == "allow", answer.out


def test_the_guide_for_release_tooling_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine has facts, an address, tokens, a person's key, and nothing else."""
    machine = tmp_path / "pipeline"
    for folder in (machine, tmp_path / "bank"):
        folder.mkdir()
    (machine / "facts.json").write_text(json.dumps(GOOD))
    mira = Signatory.made(machine, "mira@bank.example")
    mira.key.rename(machine / "mira.pem")
    (machine / "mira.token").write_text(TOKENS[Role.APPROVER][0])

    def employing(bank: Organisation) -> None:
        employ(bank, [(mira, ["risk_officer"])])
        (public,) = (bank.folder / ".mandate").rglob("*.pub")
        shutil.copy(public, machine / "ledger.pub")

    with serving(tmp_path / "bank", employing) as running:
        monkeypatch.setenv("MANDATE_SERVER", str(running.client.base_url))
        monkeypatch.setenv("MANDATE_TOKEN", TOKENS[Role.DECIDER][0])
        monkeypatch.setenv("AUDITOR_TOKEN", TOKENS[Role.AUDITOR][0])
        do(CALLING, machine, lambda _: None)
    decisions = Organisation(tmp_path / "bank").decisions()
    assert [each["outcome"] for each in decisions] == ["allow", "allow", "allow"]
