"""The credit example tells its story: every answer is the real gate's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mandate.collectors import REGISTERED
from mandate.registry.mlflow import MlflowRegistry

CHECKOUT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.xdist_group("credit")  # the demo runs once, in one worker

_MANDATE = [sys.executable, "-m", "mandate"]


def _mandate(workspace: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*_MANDATE, *arguments, "--config", str(workspace / "mandate.yaml")]
    return subprocess.run(command, text=True, capture_output=True, timeout=120, check=False)


def _answer(workspace: Path, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((workspace / "answers" / f"{name}.json").read_text())
    return answer


def _rules(answer: dict[str, Any], *outcomes: str) -> set[str]:
    return {finding["rule"] for finding in answer["findings"] if finding["outcome"] in outcomes}


def test_version_1_is_denied_for_its_fairness_and_for_nothing_else(credit: Path) -> None:
    answer = _answer(credit, "1-promote")
    assert answer["outcome"] == "deny"
    assert _rules(answer, "violation", "no_verdict") == {"fairness.demographic_parity"}
    assert answer.get("reasons", []) == []


def test_every_collector_gave_version_1_its_facts(credit: Path) -> None:
    statuses = {entry["name"]: entry["status"] for entry in _answer(credit, "1-promote")["collection"]}
    assert statuses == dict.fromkeys(REGISTERED, "collected")


def test_version_2_is_allowed_without_a_warning(credit: Path) -> None:
    answer = _answer(credit, "2-promote")
    assert answer["outcome"] == "allow"
    assert _rules(answer, "violation", "no_verdict", "waived", "warning") == set()


def test_both_attributes_and_their_intersection_were_judged(credit: Path) -> None:
    terms = {
        finding["term"]
        for finding in _answer(credit, "2-promote")["findings"]
        if finding["rule"] == "fairness.demographic_parity"
    }
    assert terms == {"afam", "single", "afam × single"}


def test_the_champion_is_version_2(credit: Path) -> None:
    with MlflowRegistry("sqlite:///mlflow.db", folder=credit, artifacts=["artifacts"]) as registry:
        assert registry.resolve("models:/credit@champion").version == "2"


def test_the_recession_denies_version_2_for_drift_and_for_nothing_else(credit: Path) -> None:
    answer = _answer(credit, "2-monitor")
    assert answer["outcome"] == "deny"
    assert _rules(answer, "violation", "no_verdict") == {"drift.psi"}
    drifted = {finding["term"] for finding in answer["findings"] if finding["outcome"] == "violation"}
    assert {"unemp", "pirat"} <= drifted


def test_the_ledger_holds_the_decisions_and_what_people_signed_before_and_verifies(credit: Path) -> None:
    verified = _mandate(credit, "ledger", "verify")
    assert verified.returncode == 0, verified.stderr
    entries = json.loads(_mandate(credit, "ledger", "show", "--output", "json").stdout)
    kinds = [entry["kind"].split("/")[-2] for entry in entries]
    approved = ["what-if", "approval", "approval"]
    told = [
        *approved,
        "policy-release",
        "decision",
        *approved,
        "decision",
        "promotion",
        "promotion",
        "decision",
    ]
    assert kinds[: len(told) + 1] == ["opening", *told]
    answers = [_answer(credit, name) for name in ("1-promote", "2-promote", "2-monitor")]
    decided = [at for at, kind in enumerate(kinds) if kind == "decision"]
    assert [answer["ledger"]["index"] for answer in answers] == decided[:3]


def test_who_approved_version_2_is_in_the_log_by_their_own_keys(credit: Path) -> None:
    listed = json.loads(_mandate(credit, "approvals", "models:/credit/2", "--output", "json").stdout)
    assert [(each["approver"], each["role"]) for each in listed["approvals"]] == [
        ("mira.okonkwo@bank.example", "model_owner"),
        ("tomas.reyes@bank.example", "risk_officer"),
    ]


def test_the_commands_on_the_last_screen_work_as_printed(
    demo: subprocess.CompletedProcess[str], credit: Path
) -> None:
    commands = _commands(demo.stdout)
    assert len(commands) == 3
    for command in commands:
        shell = ["/bin/sh", "-c", command]
        done = subprocess.run(shell, cwd=CHECKOUT, text=True, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def _commands(printed: str) -> Sequence[str]:
    _, _, tail = printed.partition("Try next")
    return re.findall(r"^ +(?!#)(\S*mandate (?:.*\\\n)*.*)$", tail, flags=re.MULTILINE)


def test_the_last_screen_fits_a_hundred_columns(demo: subprocess.CompletedProcess[str], credit: Path) -> None:
    screen = demo.stdout[demo.stdout.index("One model, three questions") :]
    too_long = [line for line in screen.splitlines() if len(line) > 100 and str(credit) not in line]
    assert too_long == []


def test_the_training_code_is_one_clean_commit_a_version(credit: Path) -> None:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(credit / "team"), *arguments]
        return subprocess.run(command, text=True, capture_output=True, check=True, timeout=60).stdout

    assert git("status", "--porcelain") == ""
    assert git("log", "--format=%ae").split() == ["ada.lindqvist@bank.example"] * 2


def test_no_sensitive_column_is_in_the_registered_models(credit: Path) -> None:
    models = sorted((credit / "artifacts" / "models").glob("*/artifacts/model.skops"))
    assert len(models) == 2
    for model in models:
        with zipfile.ZipFile(model) as archive:
            content = b"".join(map(archive.read, archive.namelist()))
        assert b"pirat" in content
        assert b"afam" not in content
        assert b"single" not in content


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = subprocess.run(
        [sys.executable, "-m", "examples.credit.demo", "--workspace", str(tmp_path)],
        cwd=CHECKOUT,
        text=True,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "no demo made it" in " ".join(done.stdout.split())
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
