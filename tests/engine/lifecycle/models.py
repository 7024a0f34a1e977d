"""A registered model whose versions are allowed if they are signed, and the organisation that asks."""

from __future__ import annotations

import atexit
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from mandate import composition, share
from mandate.engine.configuration import load
from mandate.engine.errors import UnknownSubject
from mandate.engine.evidence import envelope
from mandate.engine.evidence.verify import report, verify
from mandate.engine.opa.locate import find_opa
from mandate.engine.policy import bundle as policy_bundle
from mandate.registry.mlflow import MlflowRegistry
from tests.mlflow_fixtures import Store, quiet
from tests.organisation import Organisation, Ran

AUTHORITY = "https://mandate.dev/attestations/"
SELECTION = "include: {default: [registry.signature, 'registry.digest:artifact']}\n"
COLUMNS = '[{"type": "double", "name": "income"}]'
SIGNATURE = f"signature:\n  inputs: '{COLUMNS}'\n  outputs: '{COLUMNS}'\n"


@dataclass(frozen=True)
class Models:
    """The model `name`, of nobody else, in a store that others use too."""

    organisation: Organisation
    store: Store
    name: str

    def publish(self, weights: str, *, allowed: bool = True) -> str:
        """A new version, which the policies allow or deny."""
        mlmodel = "flavors: {}\n" + (SIGNATURE if allowed else "")
        files = {"MLmodel": mlmodel.encode(), "weights": weights.encode()}
        return self.store.publish(self.name, files=files)

    def uri(self, version: str) -> str:
        return f"models:/{self.name}/{version}"

    @property
    def champion(self) -> str:
        return f"models:/{self.name}@champion"

    def mandate(self, *arguments: str) -> Ran:
        return self.organisation.mandate(*arguments)

    def promoted(self, version: str) -> Any:
        """The answer to a promotion that worked."""
        ran = self.mandate("promote", self.uri(version), "--output", "json")
        assert ran.exit_code == 0, ran.out + ran.err
        return ran.json

    def stated(self, version: str) -> dict[str, str]:
        """The version as an act states it."""
        return {"version": version, "sha256": self.digest(version)}

    def registry(self) -> MlflowRegistry:
        return self.store.registry()

    def aliases(self) -> Mapping[str, str]:
        with self.registry() as registry:
            try:
                return registry.aliases(self.name)
            except UnknownSubject:
                return {}

    def set_alias(self, alias: str, version: str | None) -> None:
        """As somebody who does not ask Mandate."""
        with quiet():
            client = self.store.client()
            if version is None:
                client.delete_registered_model_alias(self.name, alias)
            else:
                client.set_registered_model_alias(self.name, alias, version)

    def tags(self, version: str) -> dict[str, str]:
        with quiet():
            return dict(self.store.client().get_model_version(self.name, version).tags)

    def digest(self, version: str) -> str:
        with self.registry() as registry:
            return registry.digest(self.uri(version))

    def acts(self) -> list[dict[str, Any]]:
        """What was stated of acts and moves, in the log's order, with each entry's type and index."""
        kinds = tuple(AUTHORITY + kind for kind in ("promotion/", "rollback/", "retirement/", "alias-move/"))
        return [said for said in self.said() if said["kind"].startswith(kinds)]

    def said(self) -> list[dict[str, Any]]:
        """What every entry states, all of it verified."""
        configuration = load(self.organisation.folder / "mandate.yaml", environment={})
        with composition.opened(configuration) as store:
            assert report(verify(store, composition.public_keys(configuration))).faults == ()
            entries = list(store.entries())
        return [
            {"index": entry.index, "kind": entry.kind}
            | json.loads(envelope.parse(entry.envelope or b"").payload)["predicate"]
            for entry in entries
        ]


def outline(acts: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    """Of each act its kind and phase, and what became of it."""

    def name(each: dict[str, Any]) -> str:
        kind = each["kind"].removeprefix(AUTHORITY).partition("/")[0]
        return f"{kind} {each.get('phase', each.get('basis'))}"

    return [(name(each), each.get("outcome")) for each in acts]


def founded(folder: Path, store: Store, name: str, *, tracking_uri: str | None = None) -> Models:
    """An organisation with a model that has no version yet."""
    folder.mkdir(exist_ok=True)
    organisation = Organisation(folder)
    assert organisation.mandate("init", "--name", "bank.example/models").exit_code == 0
    (folder / "policies/selection.yaml").write_text(SELECTION)
    settings = {
        "ledger": {"name": "bank.example/models"},
        "registry": store.settings() | ({} if tracking_uri is None else {"tracking_uri": tracking_uri}),
        "collectors": {"mlflow": {}},
    }
    (folder / "mandate.yaml").write_text(json.dumps(settings))
    # Bundles are stored under the digest of their sources: compiling the same ones for each test is a waste.
    shutil.copytree(_compiled(), folder / ".mandate/policies")
    return Models(organisation, store, name)


@cache
def _compiled() -> Path:
    """A store that has the bundle of such an organisation."""
    store = Path(mkdtemp(prefix="mandate-tests-"))
    atexit.register(shutil.rmtree, store)
    own = store / "own"
    own.mkdir()
    (own / "selection.yaml").write_text(SELECTION)
    policy_bundle.compile([share.policies(), own], opa=find_opa, store=store / "policies")
    return store / "policies"
