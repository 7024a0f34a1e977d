"""What the judge takes for a judgement: only a decision of the expected policies by a good OPA."""

from __future__ import annotations

import copy
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mandate.engine.decision import (
    Decision,
    Finding,
    FindingOutcome,
    Judgement,
    NotApplicable,
    Outcome,
    Policy,
)
from mandate.engine.digests import canonical
from mandate.engine.errors import BadInput, BadPolicy, CouldNotDecide, NotAnAnswer, OpaUnavailable
from mandate.engine.input.registered import Artifact, ArtifactFile
from mandate.engine.opa.client import OpaClient
from mandate.engine.opa.judge import OpaJudge
from mandate.engine.opa.local import LocalJudge
from mandate.engine.opa.process import LocalOpa
from tests.engine.http.peers import Peer, Script, read_request, response, saying, saying_once

from .answers import GOOD, REVISION, document
from .conftest import POLICIES, Bundled, OpaServer

POLICY = Policy(revision=REVISION, bundle_sha256="0" * 64)

PASSED = Finding.model_validate_json(json.dumps(GOOD["result"]["findings"][0]))
ALLOW = Decision(
    outcome=Outcome.ALLOW,
    findings=(PASSED,),
    not_applicable=(NotApplicable(rule="drift.psi", reason="asked for monitoring only"),),
)


_clients: list[OpaClient] = []


@pytest.fixture(autouse=True)
def _closed_clients() -> Iterator[None]:
    yield
    while _clients:
        _clients.pop().close()


def client_at(url: str, *, timeout: float = 5.0) -> OpaClient:
    """A client that is closed when the test ends."""
    _clients.append(OpaClient(url, timeout=timeout))
    return _clients[-1]


def judge_at(url: str, *, timeout: float = 5.0, policy: Policy = POLICY, **settings: Any) -> OpaJudge:
    return OpaJudge(client_at(url, timeout=timeout), policy, **settings)


def judged(peer: Callable[[Script], Peer], answer: Any) -> Judgement:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return judge_at(peer(saying(response(body))).url).judge(document("staging"))


# Real OPAs ---------------------------------------------------------------------------------------


def test_an_allow_is_the_whole_decision_and_who_made_it(opa: Path, bundle: Path, policy: Policy) -> None:
    with LocalJudge(LocalOpa(opa, bundle, bundle_sha256=policy.bundle_sha256), policy, timeout=5) as judge:
        assert judge.policy == policy
        assert judge.judge(document("staging")) == Judgement(
            decision=ALLOW, policy=policy, opa_version="1.22.2"
        )


def test_a_denial_carries_its_findings(opa: Path, bundle: Path, policy: Policy) -> None:
    with LocalJudge(LocalOpa(opa, bundle), policy, timeout=5) as judge:
        assert judge.judge(document("production")).decision == Decision(
            outcome=Outcome.DENY,
            findings=(
                Finding(
                    **{
                        **PASSED.model_dump(),
                        "outcome": FindingOutcome.VIOLATION,
                        "measured": 0.7,
                        "message": "Accuracy is too low",
                        "title": "Minimum",
                        "solution": "Train longer",
                        "severity": "high",
                        "controls": ("EU-AI-Act-15",),
                        "collections": ("credit",),
                        "effective_on": "2026-01-01T00:00:00Z",
                    }
                ),
            ),
        )


def test_one_judge_serves_many_threads(opa: Path, bundle: Path, policy: Policy) -> None:
    answers: dict[str, list[Outcome]] = {"staging": [], "production": []}
    with LocalJudge(LocalOpa(opa, bundle), policy, timeout=10) as judge:

        def ask(environment: str) -> None:
            for _ in range(25):
                answers[environment].append(judge.judge(document(environment)).decision.outcome)

        threads = [threading.Thread(target=ask, args=(name,)) for name in answers for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == {"staging": [Outcome.ALLOW] * 100, "production": [Outcome.DENY] * 100}


def question(environment: str) -> bytes:
    return canonical(document(environment).model_dump(mode="json"))


def test_many_inputs_are_judged_as_each_of_them(opa: Path, bundle: Path, policy: Policy) -> None:
    environments = [*("staging", "production", "nowhere") * 20, "staging"]
    with LocalOpa(opa, bundle, batches=True) as running:
        judge = judge_at(running.url, policy=policy, beside=running.beside)
        assert judge.decisions([question(each) for each in environments]) == tuple(
            judge.judge(document(each)).decision for each in environments
        )


def test_of_many_inputs_of_which_one_is_an_error_none_is_judged(
    opa: Path, bundle: Path, policy: Policy
) -> None:
    with LocalOpa(opa, bundle, batches=True) as running:
        judge = judge_at(running.url, policy=policy, beside=running.beside)
        with pytest.raises(NotAnAnswer, match="status 500 instead of a decision"):
            judge.decisions([question("staging"), question("builtin error")])


def test_an_input_without_a_decision_leaves_many_without(opa: Path, bundled: Bundled) -> None:
    rego = (
        'package mandate.main\n\ndecision := {"outcome": "deny"} if input.request.environment == "staging"\n'
    )
    with LocalOpa(opa, bundled(rego), batches=True) as running:
        judge = judge_at(running.url, beside=running.beside)
        with pytest.raises(NotAnAnswer, match="has not one decision for each input"):
            judge.decisions([question("staging"), b"{}"])


@pytest.mark.parametrize("nonsense", [None, 1, [], {}, GOOD["result"] | {"outcome": "yes"}])
def test_what_is_no_decision_among_many_is_told_apart(peer: Callable[[Script], Peer], nonsense: Any) -> None:
    answer = GOOD | {"result": {"decisions": [GOOD["result"], nonsense]}}
    judge = judge_at(peer(saying(response(json.dumps(answer).encode()))).url)
    assert judge.decisions([b"{}", b"{}"]) == (ALLOW, None)


@pytest.mark.parametrize("decisions", [None, {}, [], [GOOD["result"]]])
def test_many_inputs_have_as_many_decisions(peer: Callable[[Script], Peer], decisions: Any) -> None:
    answer = GOOD | {"result": {"decisions": decisions}}
    judge = judge_at(peer(saying(response(json.dumps(answer).encode()))).url)
    with pytest.raises(NotAnAnswer, match="has not one decision for each input"):
        judge.decisions([b"{}", b"{}"])


def test_other_policies_judge_many_inputs_as_little_as_one(opa: Path, bundled: Bundled) -> None:
    with LocalOpa(opa, bundled(revision="sha256:01d"), batches=True) as running:
        judge = judge_at(running.url, beside=running.beside)
        with pytest.raises(NotAnAnswer, match="other policies answered"):
            judge.decisions([question("staging")] * 2)


def test_a_sidecar_with_only_the_policies_is_accepted(opa_server: OpaServer, policy: Policy) -> None:
    judgement = judge_at(opa_server(), policy=policy).judge(document("staging"))
    assert judgement == Judgement(decision=ALLOW, policy=policy, opa_version="1.22.2")


def test_a_bundle_of_another_revision_is_never_an_allow(opa_server: OpaServer, bundled: Bundled) -> None:
    url = opa_server(bundles={"mandate": bundled(revision="sha256:01d")})
    with pytest.raises(NotAnAnswer) as refused:
        judge_at(url).judge(document("staging"))
    assert refused.value.what == (
        'other policies answered: OPA holds "mandate" in revision "sha256:01d", '
        'expected "mandate" in revision "sha256:5f1c"'
    )


def test_the_policies_under_another_name_are_refused(opa_server: OpaServer, bundle: Path) -> None:
    url = opa_server(bundles={"theirs": bundle})
    with pytest.raises(NotAnAnswer, match='holds "theirs" in revision'):
        judge_at(url).judge(document("staging"))
    assert judge_at(url, bundle="theirs").judge(document("staging")).decision == ALLOW


def test_a_further_bundle_is_refused_unless_it_is_expected(
    opa_server: OpaServer, bundle: Path, bundled: Bundled
) -> None:
    other = bundled("package other\n\nx := 1\n", revision="7", root="other")
    url = opa_server(bundles={"mandate": bundle, "other": other})
    with pytest.raises(NotAnAnswer, match='"other" in revision "7"'):
        judge_at(url).judge(document("staging"))
    with pytest.raises(NotAnAnswer, match="other policies answered"):
        judge_at(url, beside={"other": "8"}).judge(document("staging"))
    assert judge_at(url, beside={"other": "7"}).judge(document("staging")).decision == ALLOW


def test_undefined_result_is_never_an_allow(opa_server: OpaServer, bundled: Bundled) -> None:
    url = opa_server(bundles={"mandate": bundled("package mandate.main\n\ndecision := input.nothing\n")})
    with pytest.raises(NotAnAnswer, match="its answer has no result"):
        judge_at(url).judge(document("staging"))


def test_an_opa_without_policies_is_never_an_allow(opa_server: OpaServer) -> None:
    with pytest.raises(NotAnAnswer, match="its answer has no result"):
        judge_at(opa_server(bundles={})).judge(document("staging"))


def test_an_error_in_a_builtin_is_an_error_and_not_undefined(opa_server: OpaServer) -> None:
    with pytest.raises(NotAnAnswer, match=r"status 500 instead of a decision: .*eval_builtin_error"):
        judge_at(opa_server()).judge(document("builtin error"))


def test_an_old_refused_opa_is_never_an_allow(
    opa_server: OpaServer, opa_1_20_0: Path, bundled: Bundled
) -> None:
    # Built by the good OPA, loaded by the bad one: it answers, and with an allow.
    url = opa_server(program=opa_1_20_0, bundles={"mandate": bundled(POLICIES)})
    answer = client_at(url).ask("mandate/main/decision", b'{"request":{"environment":"staging"}}')
    assert (answer.opa_version, answer.result["outcome"]) == ("1.20.0", "allow")
    with pytest.raises(OpaUnavailable) as refused:
        judge_at(url).judge(document("staging"))
    assert refused.value.what == (
        "OPA 1.20.0 is refused: compares numbers wrongly: it panics when a decimal zero meets a fraction "
        "(https://github.com/open-policy-agent/opa/issues/9098)"
    )


def _threads_of(pid: int) -> Iterator[Path]:
    return Path(f"/proc/{pid}/task").glob("*/status")


def test_an_opa_that_is_stopped_is_unavailable_in_time(opa: Path, bundle: Path, policy: Policy) -> None:
    with LocalOpa(opa, bundle) as running:
        judge = judge_at(running.url, timeout=1, policy=policy, beside=running.beside)
        assert judge.judge(document("staging")).decision == ALLOW
        os.kill(running.pid, signal.SIGSTOP)
        while any("(stopped)" not in thread.read_text() for thread in _threads_of(running.pid)):
            time.sleep(0.001)
        start = time.monotonic()
        with pytest.raises(OpaUnavailable, match=r"no answer within 1 s"):
            judge.judge(document("staging"))
        assert time.monotonic() - start < 20
        os.kill(running.pid, signal.SIGCONT)
        # The late answer must not be taken for the answer to the next question.
        assert judge.judge(document("production")).decision.outcome is Outcome.DENY


def test_an_opa_that_is_slow_is_unavailable_in_time(opa: Path, bundle: Path, policy: Policy) -> None:
    with LocalOpa(opa, bundle) as running, pytest.raises(OpaUnavailable, match=r"no answer within 0\.3 s"):
        judge_at(running.url, timeout=0.3, policy=policy, beside=running.beside).judge(document("slow"))


def test_an_opa_killed_in_the_middle_is_unavailable(opa: Path, bundle: Path, policy: Policy) -> None:
    with LocalOpa(opa, bundle) as running:
        judge = judge_at(running.url, timeout=30, policy=policy, beside=running.beside)
        killer = threading.Timer(0.3, os.kill, (running.pid, signal.SIGKILL))
        killer.start()
        with pytest.raises(OpaUnavailable, match="it closed the connection before it had answered"):
            judge.judge(document("slow"))
        killer.join()
        with pytest.raises(OpaUnavailable, match=r"OPA cannot be asked: connection re(fused|set)"):
            judge.judge(document("staging"))


def test_a_missing_opa_is_said_when_it_is_asked(tmp_path: Path, bundle: Path, policy: Policy) -> None:
    with (
        LocalJudge(LocalOpa(tmp_path / "opa", bundle), policy, timeout=5) as judge,
        pytest.raises(OpaUnavailable, match="No such file or directory"),
    ):
        judge.judge(document("staging"))


# Answers that a real OPA never gives ---------------------------------------------------------------


def test_the_good_answer_of_these_tests_is_an_allow(peer: Callable[[Script], Peer]) -> None:
    assert judged(peer, GOOD) == Judgement(decision=ALLOW, policy=POLICY, opa_version="1.22.2")


def replaced(path: str, value: Any) -> dict[str, Any]:
    """The good answer with one value replaced; `...` removes it."""
    answer = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    node: Any = answer
    for name in parents:
        node = node[int(name)] if isinstance(node, list) else node[name]
    key: Any = int(last) if isinstance(node, list) else last
    if value is ...:
        del node[key]
    else:
        node[key] = value
    return answer


BAD = [
    ("result", ...),
    ("result", None),
    ("result", True),
    ("result", []),
    ("result", {}),
    ("result", {"allow": True}),
    ("result.outcome", ...),
    ("result.outcome", "ALLOW"),
    ("result.outcome", True),
    ("result.reasons", ["but"]),
    ("result.reasons", "none"),
    ("result.findings", []),
    ("result.findings", ...),
    ("result.findings", {}),
    ("result.findings.0.outcome", "violation"),
    ("result.findings.0.outcome", "no_verdict"),
    ("result.findings.0.outcome", "warning"),
    ("result.findings.0.outcome", "waived"),
    ("result.findings.0.level", "may"),
    ("result.findings.0.measured", None),
    ("result.findings.0.comparison", "no verdict"),
    ("result.findings.0.n", -1),
    ("result.findings.0.n", "100"),
    ("result.findings.0.n", 100.5),
    ("result.findings.0.rule", ""),
    ("result.findings.0.waiver", {"id": "W-1"}),
    ("result.findings.0.measured", [[[[[[[[[[0.9]]]]]]]]]]),
    ("result.findings.0.unknown", 1),
    ("result.unknown", 1),
    ("provenance", ...),
    ("provenance", []),
    ("provenance.version", ...),
    ("provenance.version", None),
    ("provenance.version", 1.22),
    ("provenance.version", "1.22.2-dev"),
    ("provenance.version", "1.22.2\n"),
    ("provenance.version", "1.22.0"),
    ("provenance.version", "2.0.0"),
    ("provenance.bundles", ...),
    ("provenance.bundles", {}),
    ("provenance.bundles", [REVISION]),
    ("provenance.bundles.mandate", REVISION),
    ("provenance.bundles.mandate.revision", ""),
    ("provenance.bundles.mandate.revision", REVISION + " "),
    ("provenance.bundles.other", {"revision": REVISION}),
    ("provenance.revision", REVISION),
]


@pytest.mark.parametrize(("path", "value"), BAD, ids=[f"{path}={value!r:.30}" for path, value in BAD])
def test_an_answer_with_one_thing_wrong_is_not_an_answer(
    peer: Callable[[Script], Peer], path: str, value: Any
) -> None:
    with pytest.raises(CouldNotDecide) as refused:
        judged(peer, replaced(path, value))
    assert str(refused.value).isprintable()


def test_a_result_names_what_is_wrong_and_not_the_value(peer: Callable[[Script], Peer]) -> None:
    with pytest.raises(NotAnAnswer) as refused:
        judged(peer, replaced("result.findings.0.n", "Jane Doe"))
    assert refused.value.what == (
        'OPA\'s result is not a decision: "findings.0.n": "Input should be a valid integer"'
    )


def test_policies_without_a_revision_are_refused() -> None:
    with pytest.raises(BadPolicy, match="no revision"):
        judge_at("http://localhost", policy=Policy(revision="", bundle_sha256="0" * 64))


def test_a_document_without_canonical_json_is_a_bad_input() -> None:
    file = ArtifactFile(path="model.bin", sha256="0" * 64, size=2**60)
    endless = document("staging").model_copy(update={"artifact": Artifact.of([file])})
    with pytest.raises(BadInput, match="has no canonical JSON"):
        judge_at("http://localhost").judge(endless)


def test_what_is_sent_is_the_canonical_document(peer: Callable[[Script], Peer]) -> None:
    received: list[bytes] = []

    def script(connection: Any, _number: int) -> None:
        received.append(read_request(connection))
        connection.sendall(response(json.dumps(GOOD).encode()))

    judge_at(peer(script).url).judge(document("staging"))
    head, _, body = received[0].partition(b"\r\n\r\n")
    assert head.startswith(
        b"POST /v1/data/mandate/main/decision?strict-builtin-errors=true&provenance=true HTTP/1.1\r\n"
    )
    assert body == b'{"input":' + canonical(document("staging").model_dump(mode="json")) + b"}"


# For all answers ---------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


class Stage:
    """One peer whose answer is replaced for each example."""

    def __init__(self) -> None:
        self.body = b""

    def __call__(self, connection: Any, number: int) -> None:
        while read_request(connection):
            connection.sendall(self.body)


@pytest.fixture
def stage(peer: Callable[[Script], Peer]) -> tuple[Stage, OpaJudge]:
    stage = Stage()
    return stage, judge_at(peer(stage).url, timeout=2)


FOR_ALL = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def outcome_of(stage: tuple[Stage, OpaJudge], sent: bytes) -> Judgement | None:
    """What the judge makes of these bytes; `None` if it refuses them as it should."""
    played, judge = stage
    played.body = sent
    try:
        return judge.judge(document("staging"))
    except CouldNotDecide as refused:
        return None if str(refused).isprintable() else pytest.fail("an unprintable message")


@FOR_ALL
@given(body=st.binary(max_size=400))
def test_arbitrary_bytes_are_never_an_answer(stage: tuple[Stage, OpaJudge], body: bytes) -> None:
    assert outcome_of(stage, response(body)) is None


@FOR_ALL
@given(raw=st.binary(min_size=1, max_size=400))
def test_arbitrary_bytes_instead_of_http_are_never_an_answer(raw: bytes) -> None:
    with Peer(saying_once(raw)) as rude, pytest.raises(CouldNotDecide):
        judge_at(rude.url, timeout=2).judge(document("staging"))


@FOR_ALL
@given(result=JSON)
def test_an_arbitrary_result_is_never_a_decision(stage: tuple[Stage, OpaJudge], result: Any) -> None:
    assert outcome_of(stage, response(json.dumps({**GOOD, "result": result}).encode())) is None


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


@FOR_ALL
@given(place=st.sampled_from(places(GOOD)), value=JSON)
def test_a_good_answer_with_anything_replaced_keeps_its_meaning_or_is_refused(
    stage: tuple[Stage, OpaJudge], place: tuple[Any, ...], value: Any
) -> None:
    answer: Any = copy.deepcopy(GOOD)
    node: Any = answer
    for key in place[:-1]:
        node = node[key]
    if place:
        node[place[-1]] = value
    else:
        answer = value
    judgement = outcome_of(stage, response(json.dumps(answer).encode()))
    if judgement is not None:
        # Nothing was bent: what was judged is what was said, to the letter.
        said = Decision.model_validate_json(json.dumps(answer["result"]))
        assert judgement == Judgement(decision=said, policy=POLICY, opa_version="1.22.2")
        assert all(not finding.outcome.blocks for finding in said.findings)
        assert said.passed
