"""The units, run by a systemd that is the first process of a machine of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.deploy.containers.conftest import IMAGES, ROOT
from tests.deploy.containers.engine import Engine
from tests.deploy.containers.released import Released
from tests.organisation import GOOD
from tests.served import eventually

SYSTEMD = "localhost/systemd"
INSTALL = """
set -eu
export PATH=$PATH:/usr/sbin:/sbin
useradd --system --home-dir /var/lib/mandate mandate
cp /root/systemd/mandate*.service /root/systemd/mandate*.timer /etc/systemd/system/
install -d /etc/mandate
cp /root/systemd/*.yaml /etc/mandate/
cp -r /root/released/secrets/keys /root/released/secrets/callers.yaml /root/released/policies /etc/mandate/
install -d /etc/mandate/tls
chown -R mandate: /etc/mandate
sed -i "s,example.org/models,$NAME," /etc/mandate/mandate.yaml
pg_createcluster 15 main --start >/dev/null
cd /
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
as_postgres psql -q -c 'CREATE ROLE mandate LOGIN' -c 'CREATE DATABASE mandate'
as_postgres psql -q -c "ALTER ROLE postgres PASSWORD 'of the owner'"
PGPASSWORD='of the owner' /opt/mandate/bin/mandate ledger create --config /etc/mandate/mandate.yaml \
  --url postgresql://postgres@localhost/mandate --writer mandate
systemctl daemon-reload
systemctl enable --now mandate-certificates.timer mandate-opa.service mandate.service
"""
ASK = """
curl --silent --show-error --cacert /etc/mandate/tls/ca.crt --header "Authorization: Bearer $TOKEN" \
  --header 'Content-Type: application/json' --data @/dev/stdin https://localhost:8443/v1/decisions
"""


@dataclass(frozen=True)
class Machine:
    """A container whose first process is systemd."""

    engine: Engine
    name: str

    def sh(self, script: str, *, given: str | None = None, check: bool = True, **variables: str) -> str:
        environment = [f"--env={name}={value}" for name, value in variables.items()]
        command = ["podman", "exec", "--interactive", *environment, self.name, "sh", "-c", script]
        ran = self.engine.run(*command, given=given, check=check)
        return ran.stdout.strip()

    def property(self, unit: str, name: str) -> str:
        return self.sh(f"systemctl show --property={name} --value {unit}")


@pytest.fixture(scope="module")
def machine(engine: Engine, service: str) -> Iterator[Machine]:
    engine.build(SYSTEMD, IMAGES / "systemd.Containerfile", IMAGES, f"--build-arg=BASE={service}")
    name = engine.podman("run", "--detach", "--systemd=always", "--privileged", SYSTEMD)
    machine = Machine(engine, name)
    try:
        eventually(lambda: machine.sh("systemctl is-system-running", check=False) in {"running", "degraded"})
        yield machine
    finally:
        engine.podman("rm", "--force", name)


def test_systemd_starts_keeps_and_stops_the_service(machine: Machine, released: Released) -> None:
    folder = released.organisation.folder / "units"
    released.lay(folder / "secrets", folder / "policies")
    machine.engine.podman("cp", folder, f"{machine.name}:/root/released")
    machine.engine.podman("cp", ROOT / "deploy/systemd", f"{machine.name}:/root/systemd")
    assert "may append and read, and no more" in machine.sh(INSTALL, NAME=released.name)
    ready = "curl --silent --cacert /etc/mandate/tls/ca.crt https://localhost:8443/readyz"
    eventually(lambda: machine.sh(ready, check=False) == "ready")

    def ask() -> str:
        said = json.loads(machine.sh(ASK, given=json.dumps({"input": GOOD}), TOKEN=released.token))
        return str(said.get("outcome"))

    # Facts that somebody claims allow nothing in production: denied, and on record.
    assert ask() == "deny"
    service = machine.property("mandate", "MainPID")
    opa = machine.property("mandate-opa", "MainPID")
    machine.sh("systemctl kill --signal=KILL mandate-opa")
    eventually(lambda: machine.property("mandate-opa", "MainPID") not in {opa, "0"})
    eventually(lambda: ask() == "deny")
    assert machine.property("mandate", "MainPID") == service
    status = machine.sh(f"grep -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' /proc/{service}/status").split("\n")
    assert {line.split()[0]: line.split()[1] for line in status} == {
        "Uid:": machine.sh("id --user mandate"),
        "CapEff:": "0000000000000000",
        "NoNewPrivs:": "1",
        "Seccomp:": "2",
    }
    assert machine.property("mandate-certificates", "Result") == "success"
    machine.sh("systemctl start mandate-certificates")
    machine.sh("systemctl stop mandate")
    assert machine.property("mandate", "Result") == "success"
