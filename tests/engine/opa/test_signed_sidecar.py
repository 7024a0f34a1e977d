"""A sidecar with a key serves nothing that is not signed: the configuration of opa/, and a real OPA."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mandate import share
from mandate.engine.errors import CouldNotDecide
from mandate.engine.opa.client import OpaClient
from mandate.engine.policy import contents
from tests.engine.policy.released import Publisher, customer, publisher, tampered, unsigned
from tests.organisation import Organisation, good

_SECONDS = 30


@pytest.fixture(scope="module")
def authors(tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    """Who releases, with a key of the kind that OPA takes in its configuration."""
    return publisher(tmp_path_factory.mktemp("authors"))


class Service:
    """A bundle service on this machine: what it serves can change while an OPA polls it."""

    def __init__(self) -> None:
        self.content = b""
        self.served = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.served += 1
                self.send_response(200)
                self.send_header("Content-Length", str(len(outer.content)))
                self.end_headers()
                self.wfile.write(outer.content)

            def log_message(self, *_: Any) -> None:
                """Nothing to the terminal."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, content: bytes) -> None:
        """Serve this, and return when OPA has dealt with it."""
        self.content = content
        seen = self.served
        until(lambda: self.served >= seen + 2)  # it asks again only after it has dealt with the answer


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def service() -> Iterator[Service]:
    """The bundle service."""
    made = Service()
    yield made
    made.server.shutdown()
    made.server.server_close()


Start = Callable[[Mapping[str, Any]], str]


@pytest.fixture
def start(opa: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts OPA as opa/README.md says, with a configuration, and returns its URL."""
    with ExitStack() as stack:

        def started(configuration: Mapping[str, Any]) -> str:
            folder = tmp_path / "sidecar"
            folder.mkdir()
            (folder / "config.json").write_text(json.dumps(configuration))
            command = [
                *(str(opa), "run", "--server", "--addr", f"unix://{folder}/s", "--unix-socket-perm", "660"),
                *("--config-file", str(folder / "config.json"), "--authorization", "basic"),
                *("--log-level", "error", "--skip-version-check", "system"),
            ]
            log = stack.enter_context((folder / "log").open("wb"))
            process = subprocess.Popen(command, cwd=share.opa(), stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.kill)
            until(lambda: (folder / "s").exists() or process.poll() is not None)
            assert process.poll() is None, (folder / "log").read_text()
            return f"unix://{folder}/s"

        yield started


def configured(key: Path, **bundle: Any) -> dict[str, Any]:
    """opa/config-signed.yaml with a key, and with another place of the bundle."""
    configuration: dict[str, Any] = YAML(typ="safe").load(share.opa() / "config-signed.yaml")
    configuration["keys"]["policies"]["key"] = key.read_text()
    configuration["bundles"]["mandate"].update(bundle)
    return configuration


def polling(service: Service, key: Path) -> dict[str, Any]:
    polled = {"min_delay_seconds": 1, "max_delay_seconds": 1}
    return {
        **configured(key, service="policies", resource="policies.tar.gz", polling=polled),
        "services": {"policies": {"url": service.url}},
    }


def revision_at(url: str) -> str | None:
    """The revision that answers; `None` if none does."""
    with OpaClient(url, timeout=5) as client:
        try:
            answer = client.ask("mandate/main/decision", json.dumps(good()).encode())
        except CouldNotDecide:
            return None
    assert answer.result["outcome"] == "allow"
    return answer.revisions["mandate"]


def using(authors: Publisher, folder: Path, url: str, release: Path) -> Organisation:
    """An organisation that takes its policies from the release, and asks this sidecar."""
    folder.mkdir()
    organisation = customer(folder, authors, key="sidecar")
    (folder / "policies.tar.gz").write_bytes(release.read_bytes())
    settings = folder / "mandate.yaml"
    settings.write_text(settings.read_text().replace("opa:\n", f"opa:\n  url: {url}\n", 1))
    return organisation


def test_a_sidecar_loads_what_is_signed_and_keeps_it_whatever_comes_after(
    authors: Publisher, service: Service, start: Start, tmp_path: Path
) -> None:
    one, two = authors.release(1, "one", key="sidecar"), authors.release(2, "two", key="sidecar")
    revisions = [contents.parsed(file.read_bytes()).revision for file in (one, two)]
    service.content = one.read_bytes()
    url = start(polling(service, authors.key("sidecar")))
    until(lambda: revision_at(url) == revisions[0])
    for bad in (
        unsigned(two),
        tampered(two, **{"data.json": b'{"mandate":{}}'}),
        tampered(two, **{"mandate/main/more.rego": b"package mandate.main"}),
        authors.release(2, "two", key="other").read_bytes(),
        two.read_bytes()[:5000],
        b"nothing",
    ):
        service.serve(bad)
        assert revision_at(url) == revisions[0]

    # Mandate, which is given the release by file, asks it, and is answered by these very policies.
    with_one = using(authors, tmp_path / "one", url, one)
    assert with_one.check(good()).exit_code == 0
    assert with_one.check(good(performance=...)).exit_code == 1
    # One that expects others is not answered: undecided, never allow.
    with_two = using(authors, tmp_path / "two", url, two)
    undecided = with_two.check(good())
    assert (undecided.exit_code, undecided.json["outcome"]) == (3, "undecided")

    service.serve(two.read_bytes())
    assert revision_at(url) == revisions[1]
    assert with_two.check(good()).exit_code == 0
    assert with_one.check(good()).exit_code == 3


@pytest.mark.parametrize("bad", ["unsigned", "changed", "of another key"])
def test_a_sidecar_that_never_had_a_signed_bundle_answers_nothing(
    bad: str, authors: Publisher, service: Service, start: Start, tmp_path: Path
) -> None:
    one = authors.release(1, "one", key="sidecar")
    service.content = {
        "unsigned": unsigned(one),
        "changed": tampered(one, **{"mandate/main/main.rego": b"package mandate.main"}),
        "of another key": authors.release(2, "two", key="other").read_bytes(),
    }[bad]
    url = start(polling(service, authors.key("sidecar")))
    until(lambda: service.served >= 2)
    assert revision_at(url) is None
    assert using(authors, tmp_path / "one", url, one).check(good()).exit_code == 3


def test_a_sidecar_reads_the_bundle_from_a_file(authors: Publisher, start: Start, tmp_path: Path) -> None:
    one = authors.release(1, "one", key="sidecar")
    url = start(configured(authors.key("sidecar"), resource=f"file://{one}"))
    until(lambda: revision_at(url) is not None)
    assert using(authors, tmp_path / "one", url, one).check(good()).exit_code == 0


def test_opa_takes_no_ed25519_key_in_its_configuration(authors: Publisher, opa: Path, tmp_path: Path) -> None:
    """Why the key for sidecars is another one. As soon as this fails, opa/README.md can say less."""
    configuration = configured(authors.key())
    configuration["keys"]["policies"]["algorithm"] = "EdDSA"
    (tmp_path / "config.json").write_text(json.dumps(configuration))
    command = [str(opa), "run", "--server", "--addr", "unix://s", "--config-file", "config.json"]
    ended = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "error: config error: unsupported algorithm 'EdDSA'\n")


def _serving(opa: Path, folder: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [str(opa), "run", "--server", "--addr", f"unix://{folder}/s", "--log-level", "error", *options]
    return subprocess.Popen(
        [*command, "--skip-version-check", "--bundle", "mandate"], cwd=folder, stderr=subprocess.DEVNULL
    )


@pytest.mark.parametrize("watching", [False, True])
def test_the_flags_for_an_ed25519_key_verify_at_the_start_only(
    watching: bool, authors: Publisher, opa: Path, tmp_path: Path
) -> None:
    """With --watch OPA loads what comes later without a look at its signature: opa/README.md warns of it."""
    one, two = authors.release(1, "one"), authors.release(2, "two")
    revisions = [contents.parsed(file.read_bytes()).revision for file in (one, two)]
    key = ("--verification-key", str(authors.key()), "--verification-key-id", "policies")
    options = [*key, "--signing-alg", "EdDSA", *(["--watch"] if watching else [])]
    (tmp_path / "mandate").write_bytes(unsigned(one))
    assert _serving(opa, tmp_path, *options).wait(_SECONDS) == 1
    (tmp_path / "mandate").write_bytes(one.read_bytes())
    process = _serving(opa, tmp_path, *options)
    try:
        url = f"unix://{tmp_path}/s"
        until(lambda: revision_at(url) == revisions[0])
        (tmp_path / "new").write_bytes(unsigned(two))
        os.replace(tmp_path / "new", tmp_path / "mandate")  # noqa: PTH105
        if watching:
            until(lambda: revision_at(url) == revisions[1])
        else:
            with suppress(subprocess.TimeoutExpired):
                process.wait(1)
            assert revision_at(url) == revisions[0]
    finally:
        process.kill()
        process.wait()
