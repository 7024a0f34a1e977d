"""The shipped Pod runs: OPA beside the service over a Unix socket, with what the manifests mount."""

from __future__ import annotations

import json
import signal
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from mandate.engine.configuration import Settings
from mandate.engine.policy import contents
from mandate.engine.service import server
from mandate.engine.service.access.roles import Role
from tests.cluster import new_model
from tests.engine.policy.released import Publisher, publisher
from tests.kube.authority import Authority
from tests.kube.door import eventually
from tests.kube.manifests import KUBERNETES, Object, by_name, parsed, rendered
from tests.kube.pod import Pod, files, running
from tests.organisation import founded
from tests.postgresql import Server
from tests.service import TOKENS, bearer

SERVICE = by_name(rendered(KUBERNETES / "service"))


@pytest.fixture(scope="module")
def authors(tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    """Who releases the policies."""
    return publisher(tmp_path_factory.mktemp("authors"))


@pytest.fixture(scope="module")
def pod(
    postgresql_server: Server, opa: Path, authors: Publisher, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pod]:
    """The Pod over a ledger in PostgreSQL, with signed policies."""
    (founder := tmp_path_factory.mktemp("founder")).mkdir(exist_ok=True)
    organisation = founded(founder, trusting=True)
    Authority().issue(tls := tmp_path_factory.mktemp("tls"))
    callers = [
        {"name": role.value, "roles": [role.value], "token_sha256": [sha256]}
        for role, (_, sha256) in TOKENS.items()
    ]
    keys = founder / ".mandate/keys"
    writer = postgresql_server.role()
    name = Settings.model_validate(settings()).ledger.name
    with postgresql_server.database() as url:
        made = organisation.mandate(
            "ledger", "create", "--url", url, "--writer", writer, "--set", f"ledger.name={name}"
        )
        assert made.exit_code == 0, made.err
        with running(
            tmp_path_factory.mktemp("pod"),
            SERVICE["Deployment/mandate"]["spec"]["template"],
            opa=opa,
            volumes={
                "configuration": files(SERVICE["ConfigMap/mandate"]),
                "policies": {
                    "policies.tar.gz": authors.release(1, key="sidecar").read_bytes(),
                    "policies.pub": authors.key("sidecar").read_bytes(),
                },
                "callers": {"callers.yaml": json.dumps(callers).encode()},
                "keys": {file.name: file.read_bytes() for file in keys.iterdir()},
                "database": {"pgpass": b"*:*:*:*:unused\n"},
                "tls": {
                    **{file.name: file.read_bytes() for file in tls.iterdir()},
                    "ca.key": b"whoever has it can pose as the service",
                },
            },
            environment={"MANDATE_LEDGER__URL": writers(url, writer)},
        ) as started:
            yield started


def settings() -> Object:
    (read,) = parsed(SERVICE["ConfigMap/mandate"]["data"]["mandate.yaml"])
    return read


def writers(url: str, writer: str) -> str:
    parts = urlsplit(url)
    (host,) = parse_qs(parts.query)["host"]
    return f"postgresql://{parts.path}?host={host}&user={writer}"


def test_its_files_are_what_the_containers_read(pod: Pod) -> None:
    pod.await_probe("mandate", "readinessProbe")
    for name in ("opa", "mandate"):
        assert pod.probe(name, "readinessProbe") == 200
        assert pod.probe(name, "livenessProbe") == 200
    assert sorted(file.name for file in pod.volume("tls").iterdir()) == ["tls.crt", "tls.key"]
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in pod.volume("secrets").iterdir()}
    assert modes == {"signing.pem": 0o400, "pgpass": 0o400}
    (socket,) = pod.volume("opa").iterdir()
    assert stat.filemode(socket.stat().st_mode) == "srw-------"


def test_it_decides_over_the_sidecars_socket_and_records(pod: Pod) -> None:
    pod.await_probe("mandate", "readinessProbe")
    url = f"https://127.0.0.1:{pod.ports[8443]}"
    with httpx.Client(base_url=url, verify=False, headers=bearer(Role.DECIDER), timeout=60) as client:  # noqa: S501
        answer = client.post("/v1/decisions", json={"input": new_model().document})
    assert (answer.status_code, answer.json()["outcome"]) == (200, "allow"), answer.text


def test_a_new_release_in_the_volume_judges_once_its_opa_has_it(pod: Pod, authors: Publisher) -> None:
    pod.await_probe("mandate", "readinessProbe")
    before, release = decided(pod), authors.release(2, "another", key="sidecar")
    revision = contents.parsed(release.read_bytes()).revision
    fresh = pod.volume("policies") / "fresh"
    fresh.write_bytes(release.read_bytes())
    fresh.replace(pod.volume("policies") / "policies.tar.gz")
    eventually(lambda: f"no OPA answers by the new policies yet, {revision}" in readiness(pod))
    assert decided(pod) == before
    pod.kill("opa")
    assert decided(pod) is None
    pod.start("opa")
    eventually(lambda: decided(pod) == revision)
    pod.await_probe("mandate", "readinessProbe")


def readiness(pod: Pod) -> str:
    return httpx.get(f"https://127.0.0.1:{pod.ports[8443]}/readyz", verify=False).text  # noqa: S501


def decided(pod: Pod) -> str | None:
    """The revision that judges now; `None` while nobody can decide."""
    url = f"https://127.0.0.1:{pod.ports[8443]}"
    with httpx.Client(base_url=url, verify=False, headers=bearer(Role.DECIDER), timeout=60) as client:  # noqa: S501
        answer = client.post("/v1/decisions", json={"input": new_model().document}).json()
    if answer["outcome"] == "undecided":
        return None
    assert answer["outcome"] == "allow"
    revision: str = answer["policy"]["revision"]
    return revision


def test_the_port_of_opas_probes_answers_no_question(pod: Pod) -> None:
    url = f"http://127.0.0.1:{pod.ports[8282]}"
    with httpx.Client(base_url=url, timeout=60) as client:
        for path in ("/v1/data/mandate/main/decision", "/v1/data", "/v1/policies", "/v1/query"):
            assert client.post(path, json={"input": {}}).status_code in {401, 403, 404}
            assert client.get(path).status_code in {401, 403, 404}


def test_without_its_sidecar_it_is_not_ready_and_with_a_new_one_it_is_again(pod: Pod) -> None:
    pod.await_probe("mandate", "readinessProbe")
    pod.kill("opa")
    assert pod.probe("mandate", "readinessProbe") == 503
    assert pod.probe("mandate", "livenessProbe") == 200
    # The socket of the one before still lies in the volume, which outlives the container.
    pod.start("opa")
    pod.await_probe("opa", "startupProbe")
    pod.await_probe("mandate", "readinessProbe")


def test_a_sidecar_that_hangs_makes_it_not_ready(pod: Pod) -> None:
    pod.await_probe("mandate", "readinessProbe")
    pod.processes["opa"].send_signal(signal.SIGSTOP)
    try:
        pod.await_probe("mandate", "readinessProbe", None)
    finally:
        pod.processes["opa"].send_signal(signal.SIGCONT)
    pod.await_probe("mandate", "readinessProbe")


def test_the_time_to_end_in_is_enough_for_what_was_begun() -> None:
    spec = SERVICE["Deployment/mandate"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    needed = pause + server.grace(Settings.model_validate(settings()).service)
    assert needed + 5 <= spec["terminationGracePeriodSeconds"]


def test_connections_are_kept_longer_than_the_api_server_uses_them() -> None:
    chosen = server.server(lambda: None, Settings.model_validate(settings()).service, None)
    assert chosen.config.timeout_keep_alive >= 120


def test_the_pod_ends_with_its_signal(pod: Pod) -> None:
    """The last one: the service ends by itself, as the kubelet asks it to, and OPA after it."""
    for name in ("mandate", "opa"):
        process = pod.processes[name]
        process.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            assert process.wait(30) == 0, pod.log(name)
