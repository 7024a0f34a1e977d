"""The published hook, in the real pre-commit, in a git repository of an organisation. No network."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.organisation import founded

CHECKOUT = Path(__file__).parents[1]
HOOKS = CHECKOUT / ".pre-commit-hooks.yaml"
PRE_COMMIT = Path(sys.executable).with_name("pre-commit")


@dataclass(frozen=True)
class Repository:
    """A git repository in which `git commit` runs the hook."""

    folder: Path
    environment: dict[str, str]

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    def done(self, *arguments: str | Path) -> str:
        ran = self.run(*arguments)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout.strip()

    def commit(self, path: str, text: str) -> subprocess.CompletedProcess[str]:
        (self.folder / path).write_text(text)
        self.done("git", "add", "--all")
        return self.run("git", "commit", "--message", f"Change {path}")

    def log(self) -> list[str]:
        return self.run("git", "log", "--format=%s").stdout.splitlines()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What a developer has: git, pre-commit and an installed `mandate`, and nothing of this process's."""
    programs = tmp_path / "bin"
    programs.mkdir()
    mandate = programs / "mandate"
    mandate.write_text(f'#!/bin/sh\nPYTHONPATH="{CHECKOUT}" exec "{sys.executable}" -m mandate "$@"\n')
    mandate.chmod(0o755)
    return {
        "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
        "HOME": os.environ["HOME"],  # where the pinned OPA and Regal are
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_NAME": "Rita" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "rita@bank.example" for who in ("AUTHOR", "COMMITTER")},
        **{name: os.environ[name] for name in ("XDG_DATA_HOME",) if name in os.environ},
    }


@pytest.fixture
def published(tmp_path: Path, environment: dict[str, str]) -> Repository:
    """A repository of Mandate's, with the hook as it is published."""
    published = Repository(tmp_path / "mandate", environment)
    published.folder.mkdir()
    published.done("git", "init", "--quiet")
    (published.folder / HOOKS.name).write_text(HOOKS.read_text())
    published.done("git", "add", "--all")
    published.done("git", "commit", "--quiet", "--message", "Publish the hook")
    return published


@pytest.fixture
def organisation(tmp_path: Path, environment: dict[str, str], published: Repository) -> Repository:
    folder = tmp_path / "bank"
    folder.mkdir()
    founded(folder)
    repository = Repository(folder, environment)
    revision = published.done("git", "rev-parse", "HEAD")
    (folder / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {published.folder}\n  rev: {revision}\n  hooks: [{{id: mandate-policy-check}}]\n"
    )
    repository.done("git", "init", "--quiet")
    repository.done(PRE_COMMIT, "install")
    return repository


def test_a_typo_in_a_threshold_stops_the_commit_and_a_good_one_passes(organisation: Repository) -> None:
    good = organisation.commit("policies/thresholds/fairness.yaml", "minimum_group_size: {default: 40}\n")
    assert good.returncode == 0, good.stdout + good.stderr
    assert "mandate policy check" in good.stderr
    assert "Passed" in good.stderr
    assert "deprecated" not in good.stderr

    typo = organisation.commit("policies/thresholds/fairness.yaml", "minimum_grup_size: {default: 40}\n")
    assert typo.returncode == 1
    assert "organisation/thresholds/fairness.yaml:1: no rule reads the threshold" in typo.stderr
    assert "Write fairness.minimum_group_size" in typo.stderr
    assert organisation.log() == ["Change policies/thresholds/fairness.yaml"]

    organisation.done("git", "reset", "--quiet", "--hard")
    other = organisation.commit("README.md", "Nothing of policies.\n")
    assert other.returncode == 0
    assert "Skipped" in other.stderr


def test_without_the_settings_nothing_is_taken_for_right(organisation: Repository) -> None:
    (organisation.folder / "mandate.yaml").unlink()
    shown = organisation.commit("policies/thresholds/fairness.yaml", "minimum_group_size: {default: 40}\n")
    assert shown.returncode == 1
    assert "'mandate.yaml' does not exist" in shown.stderr
    assert organisation.log() == []


def test_settings_that_lie_elsewhere_are_named_by_the_repository(organisation: Repository) -> None:
    settings = organisation.folder / ".pre-commit-config.yaml"
    (organisation.folder / "models").mkdir()
    for name in ("mandate.yaml", "policies", ".mandate"):
        (organisation.folder / name).rename(organisation.folder / "models" / name)
    settings.write_text(
        settings.read_text().replace(
            "{id: mandate-policy-check}", "{id: mandate-policy-check, args: [--config, models/mandate.yaml]}"
        )
    )
    thresholds = "models/policies/thresholds/fairness.yaml"
    typo = organisation.commit(thresholds, "minimum_grup_size: {default: 40}\n")
    assert typo.returncode == 1
    assert "organisation/thresholds/fairness.yaml:1: no rule reads the threshold" in typo.stderr
    good = organisation.commit(thresholds, "minimum_group_size: {default: 40}\n")
    assert good.returncode == 0, good.stdout + good.stderr
