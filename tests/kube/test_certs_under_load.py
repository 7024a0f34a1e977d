"""What `mandate certs ensure` changes while objects are admitted: no request fails for it."""

from __future__ import annotations

import base64
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mandate.engine.issuing.cluster import Cluster
from mandate.engine.issuing.ensuring import ensure
from mandate.engine.issuing.secret import SecretPlace
from tests.kube.account import Account, believed, mounted, secret
from tests.kube.door import Door, eventually
from tests.kube.manifests import APPLY, KUBERNETES, listed, rendered
from tests.kube.test_service_lost import is_let_in, load

HOST, OURS = "mandate.mandate.svc", ("mandate-production", "mandate-staging")


@contextmanager
def kubelet(door: Door) -> Iterator[None]:
    """Copies the Secret into the service's volume, a while after it changed."""
    ended = threading.Event()
    known: dict[str, str] = {}

    def copy() -> None:
        while not ended.wait(0.5):
            kept = secret(door.api)
            for name in ("tls.crt", "tls.key"):
                if name in kept and kept[name] != known.get(name):
                    fresh = door.organisation.folder / f"{name}.new"
                    fresh.write_bytes(base64.b64decode(kept[name]))
                    fresh.replace(door.organisation.folder / name)
            known.update(kept)

    thread = threading.Thread(target=copy)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def ours(door: Door, folder: Path) -> Iterator[Account]:
    """The account; afterwards the service has the certificate again that it had before."""
    with door.api.client() as client:
        # The namespace and what is called there are the tests' own.
        assert client.get("/api/v1/namespaces/mandate").status_code == 200
    ran = door.api.kubectl(*APPLY, given=listed(rendered(KUBERNETES / "certificates")))
    assert ran.exit_code == 0, ran.err
    try:
        yield mounted(door.api, folder)
    finally:
        door.authority.issue(door.organisation.folder)
        door.trust(door.authority)


def test_authority_and_certificate_are_replaced_and_no_request_fails(door: Door, tmp_path: Path) -> None:
    model = door.allowed_model()
    log = door.organisation.folder / "serve.log"

    def taken() -> int:
        return log.read_text().count("a new certificate is used")

    with ours(door, tmp_path / "account") as account:
        # At the installation: until then it is somebody else's authority that is believed.
        assert account.mandate().exit_code == 0
        before = taken()
        with kubelet(door):
            eventually(lambda: taken() > before)
            eventually(lambda: is_let_in(door, model))
            with load(door, model) as statuses:
                for _ in range(2):
                    before = taken()
                    assert account.mandate("--renew", "--settle=2").exit_code == 0
                    eventually(lambda before=before: taken() > before)  # type: ignore[misc]
                kept = secret(door.api)["ca.crt"]
                assert base64.b64decode(kept).count(b"BEGIN CERTIFICATE") == 3
                # The next day, when nobody serves the older ones any more.
                place = SecretPlace(
                    Cluster.around(account.folder, {**os.environ, **account.environment}), "mandate-tls", OURS
                )
                tomorrow = datetime.now(UTC) + timedelta(days=1)
                made = ensure(place, [HOST], clock=lambda: tomorrow, settle=lambda: None)
                assert made.believed == 1
                kept = secret(door.api)["ca.crt"]
                assert [believed(door.api, name) for name in OURS] == [[kept], [kept]]
                time.sleep(2)  # until the API server has seen it
            assert set(statuses) == {201}
            assert len(statuses) > 50
    eventually(lambda: is_let_in(door, model))
