"""Facts of minutes ago: they serve again for the same files, and nothing else, and say that they do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mandate import composition
from mandate.composition.facts import _settings as settings_of
from mandate.engine import configuration
from mandate.engine.digests import canonical, document_sha256
from mandate.engine.evidence import envelope as dsse
from mandate.engine.evidence.predicates.facts import FACTS_TYPE
from mandate.engine.evidence.public_keys import Believed
from mandate.engine.evidence.signers import signer
from mandate.engine.evidence.signers.secrets import PERSON, Secrets
from mandate.engine.fresh_facts import FreshFacts, Freshness
from mandate.engine.input import Action
from mandate.engine.input.gathering import Target
from mandate.engine.service.access.roles import Role
from tests.engine.http.peers import Peer, response, saying_once
from tests.mlflow_fixtures import Store, quiet
from tests.organisation import Organisation, Ran
from tests.service import TOKENS, Serving, serving
from tests.signatories import Signatory, employ

FRESH = """\
fresh_minutes:
  fairness: {default: 0, environments: {staging: 10, production: 10}}
"""
COLLECTORS = """\
  mlflow: {}
  fairness:
    predictions: predictions.csv
    labels: labels.csv
    id: id
    label: approved
    prediction: approved
    positive: "yes"
    sensitive: [sex]
"""
ROWS = [("yes", "f"), ("no", "f"), ("yes", "m"), ("no", "m")] * 40
TABLE = "id,approved,sex\n" + "".join(f"{n},{label},{sex}\n" for n, (label, sex) in enumerate(ROWS))
_numbers = count()


@dataclass(frozen=True)
class Bank:
    """An organisation, its registry, its service, and who may sign."""

    serving: Serving
    store: Store
    pipeline: Signatory
    eve: Signatory
    """Is known to nobody."""

    @property
    def organisation(self) -> Organisation:
        return self.serving.organisation

    def registered(self) -> str:
        """A new model, with its facts where the collectors look for them."""
        name = f"fresh-{next(_numbers)}"
        self.place(there=True)
        return f"models:/{name}/{self.store.publish(name)}"

    def place(self, *, there: bool) -> None:
        """Put the predictions where the collectors look for them, or take them away: nothing is collected
        then."""
        for name in ("predictions.csv", "labels.csv"):
            file = self.organisation.folder / name
            if there:
                file.write_text(TABLE)
            else:
                file.unlink(missing_ok=True)

    def here(self, uri: str, *arguments: str) -> Ran:
        return self.organisation.mandate("check", uri, "--output", "json", *arguments)

    def there(self, uri: str, environment: str = "staging", action: str = "promote") -> Any:
        asked = {"subject": uri, "environment": environment, "action": action}
        return self.serving.call("POST", "/v1/decisions", json=asked).json()

    def push(self, uri: str, *arguments: str, who: Signatory | None = None) -> Ran:
        key = str((who or self.pipeline).key)
        url = str(self.serving.client.base_url)
        return self.organisation.mandate(
            "collect", uri, "--push", "--server", url, "--key", key, "--environment", "staging", *arguments
        )


@pytest.fixture(scope="module")
def bank(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    keys = tmp_path_factory.mktemp("keys")
    pipeline, eve = (Signatory.made(keys, name) for name in ("ci@bank.example", "eve@bank.example"))

    def prepare(organisation: Organisation) -> None:
        folder = organisation.folder
        (folder / "policies/thresholds/evidence.yaml").write_text(FRESH)  # and claims count in staging only
        selection = "include:\n  default: [fairness.demographic_parity]\n"
        (folder / "policies/selection.yaml").write_text(selection)
        employ(organisation, [(pipeline, ["model_owner"])])
        file = folder / "mandate.yaml"
        settings = store.settings()
        text = file.read_text().replace("sqlite:///mlflow.db", settings["tracking_uri"])
        text = text.replace("[mlruns, mlartifacts]", json.dumps(settings["artifacts"]))
        file.write_text(text.replace("  mlflow: {}\n", COLLECTORS))

    with serving(tmp_path_factory.mktemp("bank"), prepare, collect={"workers": 1}) as running:
        yield Bank(running, store, pipeline, eve)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANDATE_TOKEN", TOKENS[Role.DECIDER][0])


def fairness(answer: Any) -> Any:
    """What became of the collector."""
    return next(entry for entry in answer["collection"] if entry["name"] == "fairness")


def test_facts_of_minutes_ago_serve_the_service_and_the_command_line(bank: Bank) -> None:
    uri = bank.registered()
    first = bank.there(uri)
    assert (first["outcome"], "reused" in fairness(first)) == ("allow", False)
    bank.place(there=False)
    for again in (bank.there(uri), bank.here(uri, "--environment", "staging").json):
        assert again["outcome"] == "allow"
        assert fairness(again) == fairness(first) | {
            "reused": {
                "entry": first["id"],
                "index": first["ledger"]["index"],
                "keyid": first["ledger"]["keyid"],
            }
        }
    shown = bank.organisation.mandate("check", uri, "--environment", "staging").out
    entry = first["ledger"]["index"]
    assert f"facts of 0 minutes ago, measured, entry {entry}: fairness" in " ".join(shown.split())
    written = bank.organisation.mandate("check", uri, "--environment", "staging", "--output", "markdown").out
    assert f"Facts of 0 minutes ago, measured, entry {entry}: fairness." in written.replace("\\", "")
    assert bank.organisation.mandate("ledger", "verify").exit_code == 0


@pytest.mark.parametrize(
    ("environment", "action"),
    [("development", "promote"), ("production", "promote"), ("staging", "deploy")],
)
def test_facts_for_another_question_are_collected_anew(bank: Bank, environment: str, action: str) -> None:
    uri = bank.registered()
    assert bank.there(uri)["outcome"] == "allow"
    bank.place(there=False)
    other = bank.there(uri, environment, action)
    assert (other["outcome"], fairness(other)["status"]) == ("deny", "missing")


def test_where_the_policies_say_nothing_all_is_collected_anew(bank: Bank) -> None:
    uri = bank.registered()
    assert bank.there(uri, "development")["outcome"] == "allow"
    bank.place(there=False)
    assert fairness(bank.there(uri, "development"))["status"] == "missing"


def test_facts_about_other_files_serve_no_more(bank: Bank) -> None:
    uri = bank.registered()
    assert bank.there(uri)["outcome"] == "allow"
    name, version = uri.removeprefix("models:/").split("/")
    with quiet():
        place = urlsplit(bank.store.client().get_model_version_download_uri(name, version)).path
    Path(place, "MLmodel").write_text("flavors: {other: {}}\n")
    bank.place(there=False)
    changed = bank.there(uri)
    assert (changed["outcome"], fairness(changed)["status"]) == ("deny", "missing")


def test_facts_that_are_too_old_are_collected_anew(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = bank.registered()
    first = bank.here(uri, "--environment", "staging", "--what-if")
    assert first.json["outcome"] == "allow"
    assert "reused" not in fairness(bank.here(uri, "--environment", "staging").json)  # what-ifs do not count
    bank.place(there=False)
    for minutes, status in ((9, "collected"), (11, "missing")):
        later = datetime.now(UTC) + timedelta(minutes=minutes)
        monkeypatch.setattr(composition, "now", lambda later=later: later)
        document = bank.organisation.mandate("collect", uri, "--environment", "staging").json
        assert fairness(document)["status"] == status


@pytest.mark.parametrize(
    ("before", "after"),
    [("sensitive: [sex]", "sensitive: [approved]"), (COLLECTORS, "  mlflow: {}\n")],
    ids=["other", "none"],
)
def test_facts_by_other_settings_are_collected_anew(
    bank: Bank, tmp_path: Path, before: str, after: str
) -> None:
    """In a copy of the organisation: the service goes on with its own settings."""
    uri = bank.registered()
    assert bank.there(uri)["outcome"] == "allow"
    copy = Organisation(shutil.copytree(bank.organisation.folder, tmp_path / "copy"))
    bank.place(there=False)
    for name in ("predictions.csv", "labels.csv"):
        (copy.folder / name).unlink()
    asked = ("check", uri, "--output", "json", "--environment", "staging")
    assert "reused" in fairness(copy.mandate(*asked).json)
    file = copy.folder / "mandate.yaml"
    file.write_text(file.read_text().replace(before, after))
    assert fairness(copy.mandate(*asked).json)["status"] == "missing"


def test_facts_of_before_a_revocation_are_collected_anew(bank: Bank) -> None:
    uri = bank.registered()
    allowed = bank.there(uri)["id"]
    revoked = bank.pipeline.signs(bank.organisation, "revoke", allowed, "--reason", "a mistake")
    assert revoked.exit_code == 0, revoked.err
    bank.place(there=False)
    assert fairness(bank.there(uri))["status"] == "missing"


def test_what_a_pipeline_sends_ahead_is_reported_by_it(bank: Bank) -> None:
    uri = bank.registered()
    sent = bank.push(uri, "--output", "json")
    assert sent.exit_code == 0, sent.err
    assert (sent.json["keyid"], sent.json["origin"]) == (bank.pipeline.keyid, "bank.example/models")
    newest = bank.organisation.entries()[-1]
    assert (newest["id"], newest["kind"], newest["outcome"]) == (sent.json["id"], FACTS_TYPE, None)
    bank.place(there=False)
    answer = bank.there(uri)
    entry = fairness(answer)
    assert (answer["outcome"], entry["origin"], entry["reported_by"]) == (
        "allow",
        "reported",
        "ci@bank.example",
    )
    assert entry["reused"] == {
        "entry": sent.json["id"],
        "index": sent.json["index"],
        "keyid": bank.pipeline.keyid,
    }
    shown = bank.organisation.mandate("explain", answer["id"]).out
    assert "reported by ci@bank.example" in " ".join(shown.split())
    assert bank.organisation.mandate("ledger", "verify").exit_code == 0


def test_where_claims_do_not_count_what_was_sent_ahead_is_not_used(bank: Bank) -> None:
    uri = bank.registered()
    assert bank.push(uri, "--environment", "production").exit_code == 0
    assert fairness(bank.there(uri, "production"))["origin"] == "measured"
    other = bank.registered()
    assert bank.push(other, "--environment", "production").exit_code == 0
    bank.place(there=False)
    assert fairness(bank.there(other, "production"))["status"] == "missing"


def test_measured_facts_come_before_what_was_sent_ahead(bank: Bank) -> None:
    uri = bank.registered()
    measured = bank.there(uri)
    assert bank.push(uri).exit_code == 0
    bank.place(there=False)
    assert fairness(bank.there(uri))["reused"]["entry"] == measured["id"]


def test_a_pipeline_that_the_policies_know_no_more_reports_nothing(bank: Bank) -> None:
    uri = bank.registered()
    assert bank.push(uri).exit_code == 0
    bank.place(there=False)
    people = bank.organisation.folder / "policies/people/all.yaml"
    before = people.read_text()
    people.write_text("[]\n")
    try:
        answer = bank.here(uri, "--environment", "staging").json
        refused = bank.push(uri)
    finally:
        people.write_text(before)
    assert fairness(answer)["status"] == "missing"
    assert (refused.exit_code, "of nobody that the policies know" in refused.err) == (2, True)


def test_people_read_where_the_facts_are_on_record(bank: Bank) -> None:
    ran = bank.push(bank.registered())
    assert ran.exit_code == 0, ran.err
    assert f"  signed by  {bank.pipeline.keyid}\n" in ran.out


def test_what_cannot_be_sent_is_not_sent(bank: Bank) -> None:
    uri = bank.registered()
    before = len(bank.organisation.entries())
    unknown = bank.push(uri, who=bank.eve)
    assert (unknown.exit_code, "of nobody that the policies know" in unknown.err) == (2, True)
    (bank.organisation.folder / "predictions.csv").write_text("id,approved,sex\n1,maybe\n")
    failed = bank.push(uri)
    assert (failed.exit_code, "these collectors failed: fairness" in failed.err) == (3, True)
    bank.place(there=True)
    nowhere = bank.organisation.mandate("collect", uri, "--push")
    assert (nowhere.exit_code, "Say with --server" in nowhere.err) == (2, True)
    undigested = bank.push(uri, "--config", str(without_a_registry(bank)))
    assert (undigested.exit_code, "its artifact has no digest" in undigested.err) == (2, True)
    with Peer(saying_once(response(b'{"id": "x"}', status="201 Created"))) as liar:
        lied = bank.organisation.mandate(
            "collect", uri, "--push", "--server", liar.url, "--key", str(bank.pipeline.key)
        )
    assert (lied.exit_code, "does not say where this is on record" in lied.err) == (3, True)
    assert len(bank.organisation.entries()) == before


def without_a_registry(bank: Bank) -> Path:
    """Settings without the collector that digests."""
    file = bank.organisation.folder / "mandate.yaml"
    other = file.with_name("other.yaml")
    other.write_text(file.read_text().replace("  mlflow: {}\n", ""))
    return other


def test_the_service_takes_what_is_signed_and_what_it_takes_again(bank: Bank) -> None:
    uri = bank.registered()
    assert bank.push(uri).exit_code == 0
    reference = bank.organisation.entries()[-1]
    stated = bank.organisation.mandate("ledger", "bundle", reference["id"]).out
    envelope = json.loads(stated)["dsseEnvelope"]

    def posted(path: str, body: Any) -> tuple[int, Any]:
        answer = bank.serving.call("POST", path, json=body, role=role)
        return answer.status_code, answer.json()

    role = Role.DECIDER
    status, receipt = posted("/v1/facts", envelope)
    assert (status, receipt["index"]) == (201, reference["index"])
    forged = envelope | {"signatures": [envelope["signatures"][0] | {"sig": "AAAA"}]}
    assert posted("/v1/facts", forged)[0] == 422
    role = Role.APPROVER
    assert posted("/v1/facts", envelope)[0] == 403
    status, problem = posted("/v1/approvals", envelope)
    assert (status, "this is no approval" in problem["detail"]) == (422, True)


def sealed(bank: Bank, uri: str, **changed: Any) -> Any:
    """An envelope of the pipeline's whose predicate has other parts, each by its path."""
    configured = configuration.load(bank.organisation.folder / "mandate.yaml", environment={})
    policies = composition.bundle(configured)
    with composition.model_registry(configured) as registry:
        facts = composition.collected(
            configured, policies, uri, registry, action=None, environment="staging", ahead=True
        )
        document = facts.assemble(composition.now())
    key = signer(str(bank.pipeline.key), secrets=Secrets(PERSON))
    stated = json.loads(composition.signed_ahead(configured, policies, document, key).payload)
    for path, value in changed.items():
        part = stated["predicate"]
        *above, last = path.split("__")
        for name in above:
            part = next(e for e in part if e["name"] == name) if isinstance(part, list) else part[name]
        part[last] = value
    stated["predicate"]["inputSha256"] = changed.get(
        "inputSha256", document_sha256(stated["predicate"]["input"])
    )
    return dsse.seal(canonical(stated), key).to_json()


def test_facts_that_contradict_themselves_are_not_recorded(bank: Bank) -> None:
    uri = bank.registered()
    before = len(bank.organisation.entries())
    lies: list[tuple[dict[str, Any], str]] = [
        ({"inputSha256": "00" * 32}, "the input does not have the digest that is stated"),
        ({"input__subject__sha256": "00" * 32}, "the facts are about other files"),
        ({"input__subject__version": "77", "input__model": None}, "another model version"),
        (
            {"input__collection__fairness__collected_at": "2099-01-01T00:00:00Z"},
            "collected after they were signed",
        ),
    ]
    for changed, said in lies:
        response = bank.serving.call("POST", "/v1/facts", json=sealed(bank, uri, **changed))
        assert (response.status_code, said in response.json()["detail"]) == (422, True), response.text
    assert len(bank.organisation.entries()) == before
    assert bank.serving.call("POST", "/v1/facts", json=sealed(bank, uri)).status_code == 201


def test_facts_that_are_sent_ahead_end_no_permission(bank: Bank) -> None:
    uri = bank.registered()
    allowed = bank.there(uri)
    assert bank.push(uri).exit_code == 0
    digest = allowed["subject"]["sha256"]
    status = bank.serving.call("GET", f"/v1/subjects/{digest}/status?environment=staging").json()
    assert (status["allowed"], status["decision"]) == (True, allowed["id"])


def found(bank: Bank, uri: str, keys: Believed | None = None) -> Any:
    """What there is of before, by these keys."""
    configured = configuration.load(bank.organisation.folder / "mandate.yaml", environment={})
    name, version = uri.removeprefix("models:/").split("/")
    with composition.model_registry(configured) as registry:
        sha256 = registry.digest(uri)
    facts = FreshFacts(
        partial(composition.opened, configured),
        composition.public_keys(configured) if keys is None else keys,
        freshness=lambda _target, _tier: Freshness({"fairness": 10}, reported=True),
        revision=composition.bundle(configured).revision,
        settings=partial(settings_of, configured),
    )
    target = Target(name, version, uri, None, Action.PROMOTE, "staging")
    return facts.facts(target, sha256, "high", composition.now())


def test_what_cannot_be_proven_serves_nothing(bank: Bank) -> None:
    uri = bank.registered()
    assert bank.there(uri)["outcome"] == "allow"
    assert found(bank, uri).keys() == {"fairness"}
    assert found(bank, uri, Believed({}, lambda _name, _revision: {})) == {}


def test_what_a_key_signed_that_was_revoked_serves_nothing(bank: Bank, tmp_path: Path) -> None:
    """In a copy of the ledger: the service goes on with its own."""
    uri = bank.registered()
    assert bank.here(uri, "--environment", "staging").json["outcome"] == "allow"
    copy = tmp_path / "copy"
    shutil.copytree(bank.organisation.folder, copy)
    other = replace(bank, serving=replace(bank.serving, organisation=Organisation(copy)))
    assert found(other, uri).keys() == {"fairness"}
    (keyid,) = [each["keyid"] for each in other.organisation.mandate("key", "list", "--output", "json").json]
    revoked = other.organisation.mandate("key", "revoke", keyid, "--reason", "stolen", "--new")
    assert revoked.exit_code == 0, revoked.err
    assert found(other, uri) == {}


def test_without_a_place_in_the_scope_nothing_holds() -> None:
    from mandate.engine.policy.layered import holding
    from mandate.engine.policy.scope import Scope

    scope = Scope(environments=("staging",), risk_tiers=("low", "high"), families={"consumer": ("credit",)})
    setting = {
        "default": {"value": 1},
        "tiers": {"high": {"value": 2}},
        "environments": {"staging": {"value": 3}},
        "tiers_in_environments": {"staging": {"low": {"value": 4}}},
        "families": {"consumer": {"value": 5}},
        "models": {"mortgage": {"value": 6}},
    }

    def value(model: str, tier: str, **without: Any) -> Any:
        layers = {name: layer for name, layer in setting.items() if name not in without}
        return holding(layers, scope, environment="staging", tier=tier, model=model)

    assert value("mortgage", "low") == 6
    assert value("credit", "low") == 5
    assert value("x", "low") == 4
    assert value("x", "unheard of") == 3
    assert value("x", "high", environments=1) == 2
    assert holding(setting, scope, environment="the moon", tier="low", model="x") is None
    assert holding({}, scope, environment="staging", tier="low", model="x") is None
