"""The credit example, from raw data to signed evidence, with the commands that a user would type.

    python -m examples.credit.demo [--workspace build/demo]

Every figure on the screen is computed while it runs. It exits with 1, and shows the findings, if an answer is
not the one that the story needs.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from . import batches, people, screen

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
MARKER = ".credit-demo"
"""Says that a folder is a demo's workspace, and may be thrown away."""


class StoryBroken(Exception):
    """An answer is not the one that the story needs, or a step did not work."""


@dataclass
class Demo:
    """One run: the workspace, and what happened in it so far."""

    workspace: Path
    console: Console
    registered: list[dict[str, str]] = field(default_factory=list)
    """`name`, `version` and `sha256` of what the team registered."""
    keys: dict[str, Path] = field(default_factory=dict)
    """With what each approver signs, by role."""

    @property
    def team(self) -> Path:
        """The team's repository."""
        return self.workspace / "team"

    @property
    def configuration(self) -> Path:
        """The organisation's `mandate.yaml`."""
        return self.workspace / "mandate.yaml"

    def run(self) -> None:
        """The whole story."""
        started = time.monotonic()
        self._heading("A bank, a team, and 2,380 real mortgage applications (Boston, 1990)")
        self._set_up()

        self._heading("Version 1: logistic regression")
        self._train("plain")
        first = self._ask("check", "models:/credit/1")
        self._expect(first, "deny", only="fairness")

        self._heading("Version 2: the same data, mitigated")
        with self._doing("Ada commits a recipe with Fairlearn's demographic-parity constraint"):
            self._commit("recipes/fair.yaml", "Constrain training: approve the groups at near the same rate")
        self._train("fair")
        second = self._ask("promote", "models:/credit/2")
        self._expect(second, "allow")

        self._heading("Later, a recession")
        with self._doing("A batch arrives from the serving system: 600 real rows, drawn as in a recession"):
            self._deliver("serving.parquet", batches.recession)
        third = self._ask("check", "models:/credit/2", "--action", "monitor")
        self._expect(third, "deny", only="drift")

        with self._doing("Verifying every signature and digest in the ledger"):
            self._mandate("ledger", "verify")
        self.console.print()
        self._last_screen(first, second, third)
        self._say(f"All of it took {time.monotonic() - started:.0f} seconds.", "dim")

    # The bank

    def _set_up(self) -> None:
        with self._doing("The bank sets Mandate up: settings, thresholds, an empty ledger and its key"):
            self._mandate_without_configuration("init", str(self.workspace), "--name", "bank.example/models")
            shutil.copytree(HERE / "organisation", self.workspace, dirs_exist_ok=True)
            people.write_directory(self.workspace / "people" / "developers.yaml", datetime.now(UTC))
            signatories = self.workspace / "policies" / "people" / "signatories.yaml"
            self.keys = people.employ(signatories, self.workspace / "private")
        with self._doing("Every fifth application is held back: it arrives after the training snapshot"):
            self._deliver("arrived.parquet", batches.after_the_snapshot)
        with self._doing("Ada Lindqvist commits the team's training code"):
            self._start_repository()

    def _deliver(self, name: str, batch: Any) -> None:
        folder = self.workspace / "batches"
        folder.mkdir(exist_ok=True)
        rows = batch(batches.applications(HERE / "data" / "hmda.csv"))
        batches.as_served(rows).to_parquet(folder / name, index=False)

    # The team

    def _start_repository(self) -> None:
        shutil.copytree(HERE / "team", self.team, ignore=shutil.ignore_patterns("__pycache__", "fair.yaml"))
        (self.team / "data").mkdir()
        table = batches.before_the_snapshot(batches.applications(HERE / "data" / "hmda.csv"))
        table.to_csv(self.team / "data" / "applications.csv", index=False)
        # The environment that trains is the one that runs this.
        shutil.copy(CHECKOUT / "requirements" / "dev.lock", self.team / "requirements.lock")
        self._git("init", "--quiet", "--initial-branch=main")
        for setting, value in (
            ("user.name", people.AUTHOR_NAME),
            ("user.email", people.AUTHOR),
            ("commit.gpgsign", "false"),
        ):
            self._git("config", setting, value)
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "Logistic regression on all but the sensitive columns")

    def _commit(self, path: str, message: str) -> None:
        shutil.copy(HERE / "team" / path, self.team / path)
        self._git("add", path)
        self._git("commit", "--quiet", "--message", message)

    def _train(self, recipe: str) -> None:
        result = self.workspace / "registered.json"
        with self._doing(f"Ada trains and logs: python -m credit.train recipes/{recipe}.yaml"):
            said = self._process(
                [
                    *(sys.executable, "-m", "credit.train", f"recipes/{recipe}.yaml"),
                    *("--artifacts", str(self.workspace / "artifacts"), "--result", str(result)),
                ],
                self.team,
            )
        for line in said.stdout.splitlines():
            self._say(f"  {line}", "dim", unbroken=True)
        self.registered.append(json.loads(result.read_text()))
        result.unlink()
        with self._doing(
            "Its owner and a risk officer see what is found of it, and sign with their own keys"
        ):
            self._approve(f"models:/credit/{self.registered[-1]['version']}")

    def _approve(self, subject: str) -> None:
        """Both approve what the first one is shown: what would be decided, if nobody had asked before."""
        shown: list[str] = []
        for role, key in self.keys.items():
            signed = ("--key", str(key), "--yes", "--output", "json", *shown)
            said = self._mandate("approve", subject, "--role", role, *signed).stdout
            shown = ["--decision", json.loads(said)["decision"]]

    def _git(self, *arguments: str) -> None:
        self._process(["git", *arguments], self.team)

    # The gate

    def _ask(self, *question: str) -> dict[str, Any]:
        """Ask the gate, show its report, and return what is on record of it, as JSON."""
        with self._doing(f"mandate {' '.join(question)}"):
            report = self._mandate(*question, accepted=(0, 1)).stdout
        # As the command coloured it.
        self.console.file.write(report)
        self.console.file.flush()
        newest = ("ledger", "query", "--kind", "decision", "--limit", "1", "--output", "json")
        (entry,) = json.loads(self._mandate(*newest).stdout)["entries"]
        recorded = self._mandate("explain", entry["id"], "--output", "json").stdout
        answer: dict[str, Any] = json.loads(recorded)
        kept = self.workspace / "answers" / f"{len(self.registered)}-{answer['request']['action']}.json"
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(recorded)
        return answer

    def _expect(self, answer: Mapping[str, Any], outcome: str, *, only: str | None = None) -> None:
        """`StoryBroken` unless this is the outcome, and what stands against it is of this category only."""
        against = [finding for finding in answer["findings"] if finding["outcome"] in screen.AGAINST]
        others = [finding for finding in against if only and not finding["rule"].startswith(f"{only}.")]
        if answer["outcome"] == outcome and not others:
            return
        wanted = f"{outcome}, for {only} alone" if only else outcome
        said = [f"{finding['rule']} {finding['term']}: {finding['message']}" for finding in others or against]
        reasons = [*answer.get("reasons", []), *said]
        raise StoryBroken("\n  ".join([f"expected {wanted}, got {answer['outcome']}:", *reasons]))

    def _mandate(self, *arguments: str, accepted: Sequence[int] = (0,)) -> subprocess.CompletedProcess[str]:
        return self._process([*_MANDATE, *arguments, "--config", str(self.configuration)], accepted=accepted)

    def _mandate_without_configuration(self, *arguments: str) -> None:
        self._process([*_MANDATE, *arguments])

    # Showing

    def _process(
        self,
        command: Sequence[str],
        folder: Path | None = None,
        *,
        accepted: Sequence[int] = (0,),
    ) -> subprocess.CompletedProcess[str]:
        """Run a command; `StoryBroken` with all that it said if its exit code is not accepted."""
        try:
            done = subprocess.run(
                list(command), cwd=folder, env=self._environment, text=True, capture_output=True, check=False
            )
        except FileNotFoundError as error:
            raise StoryBroken(f"there is no {command[0]}: install it") from error
        if done.returncode not in accepted:
            said = f"{done.stdout}{done.stderr}".strip()
            raise StoryBroken(f"`{' '.join(command)}` ended with exit code {done.returncode}\n{said}")
        return done

    @property
    def _environment(self) -> dict[str, str]:
        """This process's, without what would lead a step elsewhere than into the workspace."""
        foreign = ("GIT_", "MLFLOW_", "MANDATE_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        if self.console.is_terminal and not self.console.no_color:
            inherited["FORCE_COLOR"] = "1"  # what a command prints is shown after it has ended
        return inherited | {
            "COLUMNS": str(self.console.width),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "MLFLOW_TRACKING_URI": f"sqlite:///{self.workspace / 'mlflow.db'}",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        }

    @contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        """Say what is being done, for how long so far, and how long it took."""
        started = time.monotonic()
        if not self.console.is_terminal:
            self._say(f"… {what}")
            yield
            return
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            progress.add_task(escape(what), total=None)
            yield
        took = time.monotonic() - started
        self._say(f"✓ {what}" + (f"  {took:.0f} s" if took >= 1 else ""))

    def _heading(self, title: str) -> None:
        self.console.print()
        self._say(title, "bold")

    def _say(self, text: str, style: str = "", *, unbroken: bool = False) -> None:
        self.console.print(Text(text), style=style, soft_wrap=unbroken)

    def _last_screen(self, first: dict[str, Any], second: dict[str, Any], third: dict[str, Any]) -> None:
        configuration = shlex.quote(_shortest(self.configuration))
        executable = shlex.join([_shortest(Path(_MANDATE[0])), *_MANDATE[1:]])
        chapters = (
            ("version 1, logistic regression, for promotion", first),
            ("version 2, mitigated with Fairlearn: the champion now", second),
            ("version 2 in service, on the applications of a recession", third),
        )
        ledger = third["ledger"]
        evidence = (
            ("ledger", f"{_shortest(self.workspace / '.mandate' / 'ledger.db')}, every entry verified"),
            ("signed by", ledger["keyid"]),
            ("holds", "each decision, all its facts, which policies judged, and who signed for it"),
        )
        commands = (
            ("Why version 1 was denied, with everything that passed", f"explain {first['id']}"),
            ("Is the evidence what was recorded? Every signature and digest again", "ledger verify"),
            (
                "The champion on applications that came in ordinary times: no drift",
                "check models:/credit@champion --action monitor "
                "--set collectors.drift.batch=batches/arrived.parquet",
            ),
        )
        screen.show(
            self.console,
            chapters,
            evidence,
            [(purpose, f"{executable} {command} --config {configuration}") for purpose, command in commands],
        )


def _found_mandate() -> list[str]:
    """The command of the environment that runs this."""
    beside = Path(sys.executable).with_name("mandate")
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "mandate"]


_MANDATE = _found_mandate()


def _shortest(path: Path) -> str:
    """The path as one would type it here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _emptied(workspace: Path) -> Path:
    """The folder, new. `StoryBroken` if there is something in it that no demo put there."""
    if workspace.exists() and any(workspace.iterdir()) and not (workspace / MARKER).exists():
        raise StoryBroken(f"{workspace} is not empty and no demo made it. Name another folder: --workspace")
    if workspace.exists():
        shutil.rmtree(workspace)
    workspace.mkdir(parents=True)
    (workspace / MARKER).write_text("Made by examples/credit/demo.py, which may throw it away.\n")
    return workspace


def main(arguments: Sequence[str]) -> int:
    """Run the demo; 0 if every answer was the story's."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.credit.demo",
        description="Judge real credit models, from data to signed evidence.",
    )
    default = CHECKOUT / "build" / "demo"
    parser.add_argument("--workspace", type=Path, default=default, help="recreated at each run")
    workspace = parser.parse_args(arguments).workspace.resolve()
    console = Console(highlight=False)
    console.width = min(console.width, screen.WIDTH) if console.is_terminal else screen.WIDTH
    try:
        Demo(_emptied(workspace), console).run()
    except StoryBroken as broken:
        console.print(Text.assemble(("\nThe story broke: ", "bold red"), str(broken)))
        return 1
    except KeyboardInterrupt:
        console.print("\ninterrupted", style="yellow")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
