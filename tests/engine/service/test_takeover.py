"""New policies take over in a service that runs, or change nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from mandate.engine.policy import contents
from tests.cluster import deployment, review
from tests.engine.policy.released import Publisher, customer, publisher, tampered, unsigned
from tests.engine.service.sidecar import Sidecar
from tests.organisation import GOOD, Organisation
from tests.served import Running, decide, descendants, eventually, program, served


@pytest.fixture(scope="module")
def authors(tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    """Who releases."""
    made = publisher(tmp_path_factory.mktemp("authors"))
    for number, text in ((5, "five"), (6, "six"), (7, "seven")):
        made.release(number, text)
    return made


@pytest.fixture
def organisation(tmp_path: Path, authors: Publisher) -> Organisation:
    """Who uses release 5."""
    made = customer(tmp_path, authors)
    put(made, authors.release(5, "five").read_bytes())
    return made


def put(organisation: Organisation, content: bytes) -> None:
    """Put a bundle where mandate.yaml says that the policies are, in one step."""
    fresh = organisation.folder / "policies.new"
    fresh.write_bytes(content)
    fresh.replace(organisation.folder / "policies.tar.gz")


def revision(release: Path) -> str:
    return contents.parsed(release.read_bytes()).revision


def judged_by(answer: httpx.Response) -> str:
    assert (answer.status_code, answer.json()["outcome"]) == (200, "allow"), answer.text
    found: str = answer.json()["policy"]["revision"]
    return found


def releases_used(organisation: Organisation) -> list[int]:
    """The numbers of the releases that began to decide, as the ledger has them."""
    kind = ("--kind", "policy-release", "--all", "--output", "json")
    used = organisation.mandate("ledger", "query", *kind).json["entries"]
    stated = [json.loads(organisation.mandate("ledger", "statement", each["id"]).out) for each in used]
    return sorted(each["predicate"]["release"]["number"] for each in stated)


def measured(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))


@contextmanager
def load(running: Running) -> Iterator[list[httpx.Response]]:
    """Decisions without a pause, from four sides."""
    answers: list[httpx.Response] = []
    ended = threading.Event()

    def ask() -> None:
        with running.client() as client:
            while not ended.is_set():
                answers.append(decide(client))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        ended.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("processes", [1, 2])
def test_a_release_takes_over_under_load_and_no_decision_fails(
    organisation: Organisation, authors: Publisher, processes: int
) -> None:
    five, six = revision(authors.release(5, "five")), revision(authors.release(6, "six"))
    with served(organisation, "--workers", str(processes)) as running:
        with load(running) as answers:
            eventually(lambda: len(answers) > 8)
            assert {judged_by(answer) for answer in answers[:8]} == {five}
            put(organisation, authors.release(6, "six").read_bytes())
            eventually(lambda: {judged_by(answer) for answer in answers[-12:]} == {six})
        assert {judged_by(answer) for answer in answers} == {five, six}
        with running.client() as client:
            eventually(lambda: measured(client, "mandate_policy_release") == 6)
            assert client.get("/readyz").text == "ready\n"
        eventually(lambda: len(opas(running)) == processes)  # those of release 5 have ended
        assert running.stop() == 0
    assert releases_used(organisation) == [5, 6]
    assert organisation.mandate("ledger", "verify").exit_code == 0


def test_a_cluster_is_answered_by_the_new_release_at_once(
    organisation: Organisation, authors: Publisher
) -> None:
    """Though the calls of one command share a decision."""
    five, six = revision(authors.release(5, "five")), revision(authors.release(6, "six"))
    said = {"mandate.dev/model": "credit/2", "mandate.dev/digest": f"sha256:{GOOD['subject']['sha256']}"}
    asking = review(deployment(said, f"registry.example/credit@sha256:{GOOD['subject']['sha256']}"))
    with served(organisation, admission={"window_seconds": 300}) as running, running.client() as client:

        def answered() -> str:
            response = client.post("/v1/admission/production", json=asking).json()["response"]
            assert response["allowed"] is True, response
            by: str = response["auditAnnotations"]["policy-revision"]
            return by

        assert judged_by(decide(client)) == five
        assert answered() == five
        put(organisation, authors.release(6, "six").read_bytes())
        eventually(lambda: judged_by(decide(client)) == six)
        assert answered() == six


def opas(running: Running) -> list[int]:
    return [pid for pid in descendants(running.process.pid) if "opa" in program(pid)]


REFUSED: Mapping[str, Callable[[Publisher], bytes]] = {
    "unsigned": lambda authors: unsigned(authors.release(6, "six")),
    "changed": lambda authors: tampered(authors.release(6, "six"), **{"data.json": b"{}"}),
    "of another key": lambda authors: authors.release(6, "six", key="other").read_bytes(),
    "cut off": lambda authors: authors.release(6, "six").read_bytes()[:-100],
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("how", REFUSED)
def test_a_bundle_that_is_not_accepted_changes_nothing_but_what_is_said(
    organisation: Organisation, authors: Publisher, how: str
) -> None:
    five, six = revision(authors.release(5, "five")), revision(authors.release(6, "six"))
    with served(organisation) as running, running.client() as client:
        put(organisation, REFUSED[how](authors))
        eventually(lambda: "the new policies are not used" in client.get("/readyz").text)
        assert client.get("/readyz").status_code == 200
        assert judged_by(decide(client)) == five
        refused = client.get("/metrics").text
        assert 'mandate_policy_takeovers_total{result="refused"} 1.0' in refused
        put(organisation, authors.release(6, "six").read_bytes())
        eventually(lambda: judged_by(decide(client)) == six)
        assert client.get("/readyz").text == "ready\n"
    said = (organisation.folder / "serve.log").read_text()
    assert said.count("the new policies are not used") == 1


def test_an_older_release_never_takes_over(organisation: Organisation, authors: Publisher) -> None:
    six = revision(authors.release(6, "six"))
    with served(organisation) as running, running.client() as client:
        put(organisation, authors.release(6, "six").read_bytes())
        eventually(lambda: judged_by(decide(client)) == six)
        put(organisation, authors.release(5, "five").read_bytes())
        eventually(lambda: "it is release 5, which is older" in client.get("/readyz").text)
        assert judged_by(decide(client)) == six
        (organisation.folder / "policies.tar.gz").unlink()
        time.sleep(1.5)
        assert judged_by(decide(client)) == six
        assert client.get("/readyz").status_code == 200
    assert releases_used(organisation) == [5, 6]


def another(folder: Path, authors: Publisher, first: Organisation) -> Organisation:
    """Another one on the ledger of the `first`, which remembers nothing of releases."""
    made = customer(folder, authors)
    settings = folder / "mandate.yaml"
    text = settings.read_text()
    for kept in (".mandate/ledger.db", ".mandate/keys/signing.pem"):
        text = text.replace(f": {kept}\n", f": {first.folder / kept}\n")
    settings.write_text(text)
    return made


def test_a_release_that_another_replica_has_left_behind_decides_nowhere(
    organisation: Organisation, authors: Publisher, tmp_path_factory: pytest.TempPathFactory
) -> None:
    five, six, seven = (authors.release(*each) for each in ((5, "five"), (6, "six"), (7, "seven")))
    other = another(tmp_path_factory.mktemp("other"), authors, organisation)
    put(other, seven.read_bytes())
    with served(organisation) as running, running.client() as client:
        assert judged_by(decide(client)) == revision(five)
        assert other.check(GOOD).exit_code == 0
        put(organisation, six.read_bytes())
        eventually(lambda: "it is release 6, which is older" in client.get("/readyz").text)
        assert judged_by(decide(client)) == revision(five)
    command = [sys.executable, "-m", "mandate", "serve"]
    began = subprocess.run(command, cwd=organisation.folder, capture_output=True, text=True, check=False)
    assert began.returncode == 2
    assert re.search(r"^error: .*older: release 7 is in use, [^\n]*\n  → Use release 7", began.stderr, re.M)
    asked = organisation.check(GOOD)
    assert (asked.exit_code, "release 7 is in use" in asked.out) == (2, True)
    put(organisation, authors.release(7, "eight").read_bytes())
    asked = organisation.check(GOOD)
    assert (asked.exit_code, "it is release 7 again, with other policies" in asked.out) == (2, True)
    put(organisation, seven.read_bytes())
    assert organisation.check(GOOD).exit_code == 0
    assert releases_used(organisation) == [5, 7]


def test_what_passes_is_tried_again(organisation: Organisation, authors: Publisher) -> None:
    six = revision(authors.release(6, "six"))
    store = organisation.folder / ".mandate/policies/released"
    with served(organisation) as running, running.client() as client:
        aside = store.with_name("aside")
        store.rename(aside)
        store.write_text("no folder")
        put(organisation, authors.release(6, "six").read_bytes())
        eventually(lambda: "the new policies are not used" in client.get("/readyz").text)
        store.unlink()
        aside.rename(store)
        eventually(lambda: judged_by(decide(client)) == six)


@pytest.fixture
def sidecar() -> Iterator[Sidecar]:
    """A sidecar that nobody has started."""
    made = Sidecar()
    yield made
    made.remove()


def compiled(authors: Publisher, folder: Path, release: Path) -> Path:
    """The bundle of a release as OPA loads it."""
    other = customer(folder, authors)
    put(other, release.read_bytes())
    assert other.check(GOOD).exit_code == 0
    return folder / ".mandate/policies" / f"{revision(release).removeprefix('sha256:')}.tar.gz"


def test_a_sidecar_that_is_behind_or_ahead_never_answers_by_policies_that_nobody_expects(
    organisation: Organisation,
    authors: Publisher,
    sidecar: Sidecar,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    five, six, seven = (authors.release(*each) for each in ((5, "five"), (6, "six"), (7, "seven")))
    bundles = {
        release: compiled(authors, tmp_path_factory.mktemp("compiled"), release)
        for release in (five, six, seven)
    }
    organisation.asks(sidecar.url)
    sidecar.start(bundles[five])
    with served(organisation) as running, running.client() as client:
        assert judged_by(decide(client)) == revision(five)
        # It is behind: whom it holds goes on to judge.
        put(organisation, six.read_bytes())
        eventually(lambda: "no OPA answers by the new policies yet" in client.get("/readyz").text)
        assert judged_by(decide(client)) == revision(five)
        sidecar.start(bundles[six])
        eventually(lambda: decide(client).status_code == 200)
        assert judged_by(decide(client)) == revision(six)
        assert client.get("/readyz").text == "ready\n"
        # It is ahead: nobody judges until Mandate has the release too.
        sidecar.start(bundles[seven])
        eventually(lambda: "other policies answered" in client.get("/readyz").text)
        answer = decide(client)
        assert (answer.status_code, answer.json()["outcome"]) == (503, "undecided")
        assert "other policies answered" in " ".join(answer.json()["reasons"])
        put(organisation, seven.read_bytes())
        eventually(lambda: decide(client).status_code == 200)
        assert judged_by(decide(client)) == revision(seven)
    assert releases_used(organisation) == [5, 6, 7]
