"""What the service says of itself: measurements, its log, and traces."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mandate.engine.service.access.roles import Role
from tests.organisation import GOOD, founded, good
from tests.served import children_of, decide, eventually, served
from tests.service import Serving, serving

Samples = Mapping[str, float]
JSON = {"Content-Type": "application/json"}


def samples(text: str) -> Samples:
    """Every sample by its name and labels: `mandate_turns{state=waiting}`."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def measured(service: Serving) -> Samples:
    return samples(service.call("GET", "/metrics", role=None).text)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service that has allowed, denied and only said what it would."""
    with serving(tmp_path_factory.mktemp("busy")) as running:
        assert running.decide(GOOD).json()["outcome"] == "allow"
        assert running.decide(GOOD, Idempotency_Key="once").json()["outcome"] == "allow"
        assert running.decide(GOOD, Idempotency_Key="once").json()["outcome"] == "allow"
        assert running.decide(good(performance=...)).json()["outcome"] == "deny"
        assert running.decide(GOOD, query="?dry_run=true").json()["what_if"] is True
        yield running


def test_decisions_are_counted_once_each_by_what_they_were(busy: Serving) -> None:
    found = {name: value for name, value in measured(busy).items() if "decisions_total" in name}
    what = "mandate_decisions_total{action=promote,environment=production,outcome=%s,what_if=%s}"
    assert found == {what % ("allow", "False"): 2, what % ("deny", "False"): 1, what % ("allow", "True"): 1}


def test_findings_are_counted_by_their_rule(busy: Serving) -> None:
    found = {name: value for name, value in measured(busy).items() if "findings_total" in name}
    assert found["mandate_findings_total{outcome=no_verdict,rule=performance.minimum}"] == 1
    assert all("passed" not in name for name in found)


def test_each_part_of_a_decision_is_timed(busy: Serving) -> None:
    found = measured(busy)
    counts = {stage: found[f"mandate_stage_seconds_count{{stage={stage}}}"] for stage in STAGES}
    assert counts == {"collect": 4, "opa": 4, "confirm": 3, "record": 4}
    assert all(found[f"mandate_stage_seconds_sum{{stage={stage}}}"] > 0 for stage in STAGES)


STAGES = ("collect", "opa", "confirm", "record")


def test_what_the_service_depends_on_is_measured(busy: Serving) -> None:
    eventually(lambda: "mandate_ready{part=ledger}" in measured(busy))
    found = measured(busy)
    assert found["mandate_ready{part=opa}"] == found["mandate_ready{part=ledger}"] == 1
    assert abs(found["mandate_opa_last_answer_timestamp_seconds"] - time.time()) < 60
    assert abs(found["mandate_policy_activated_timestamp_seconds"] - time.time()) < 60
    assert found["mandate_policy_release"] == 0
    assert found["mandate_ledger_entries"] == len(busy.organisation.entries())
    assert found["mandate_processes"] == 1
    assert (found["mandate_turns{state=running}"], found["mandate_turns{state=waiting}"]) == (0, 0)


def test_no_label_is_a_callers_to_choose(busy: Serving) -> None:
    before = len(measured(busy))
    for number in range(20):
        busy.call("GET", f"/nothing/{number}")
        busy.call("GET", f"/v1/decisions/{number}")
        busy.call("DELETE", f"/v1/decisions/{number}")
        busy.call("PROPFIND", "/v1/decisions")
        busy.call("POST", f"/v1/admission/{number}", json={})
        busy.decide(GOOD | {"request": {"environment": f"e{number}", "action": "promote"}})
    after = measured(busy)
    assert len(after) - before < 120
    assert not any(
        re.search(r"e?\d+[,}]", name) for name in after if "le=" not in name and "status" not in name
    )


def test_overload_is_counted(small: Serving) -> None:
    answer = small.call("POST", "/v1/decisions:batch", json={"questions": [{"input": GOOD}, {"input": GOOD}]})
    assert answer.status_code == 200
    with_two = small.call("POST", "/v1/decisions", content=b"{}", headers=JSON)
    assert with_two.status_code == 422
    assert measured(small)["mandate_turns_refused_total"] == sum(
        each.get("status") == 503 for each in answer.json()["answers"]
    )


def test_processes_on_one_socket_measure_together_and_one_that_is_killed_loses_nothing(
    tmp_path: Path,
) -> None:
    organisation = founded(tmp_path, trusting=True)
    allowed = "mandate_decisions_total{action=promote,environment=production,outcome=allow,what_if=False}"
    with served(organisation, "--workers", "2") as running:

        def found() -> Samples:
            with running.client() as client:
                return samples(client.get("/metrics").text)

        def ask() -> None:
            with running.client() as client:
                assert decide(client).json()["outcome"] == "allow"

        eventually(lambda: found().get("mandate_processes") == 2)
        for _ in range(12):
            ask()
        assert {found()[allowed] for _ in range(8)} == {12}
        killed, _ = children = children_of(running.process.pid)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: len(set(children_of(running.process.pid)) - {killed}) == 2)
        eventually(lambda: found().get("mandate_processes") == 2)
        for _ in range(6):
            ask()
        last = found()
        assert last[allowed] == 18
        assert last["mandate_ledger_entries"] == len(organisation.entries())
        assert last["mandate_stage_seconds_count{stage=opa}"] == 18
        assert len(children) == 2
        (folder,) = (Path(each) for each in measuring(running.process.pid))
        assert len({file.name.rpartition("_")[2] for file in folder.iterdir()}) == 2
        assert running.stop() == 0
        assert not folder.exists()


def measuring(pid: int) -> set[str]:
    """The folders in which the processes that a process started measure."""
    found = set()
    for child in children_of(pid):
        arguments = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
        found.add(arguments[arguments.index("--measured") + 1])
    return found


def lines(organisation_folder: Path) -> list[dict[str, Any]]:
    """The service's log: each line is an object."""
    return [json.loads(line) for line in (organisation_folder / "serve.log").read_text().splitlines()]


def test_every_line_of_the_log_about_a_decision_has_its_id_and_the_requests(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with served(organisation) as running, running.client() as client:
        named = {"X-Request-ID": "deploy-17", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
        answer = client.post("/v1/decisions", json={"input": GOOD}, headers=named)
        assert answer.headers["X-Request-ID"] == "deploy-17"
        questions = {"questions": [{"input": GOOD}, {"input": GOOD}]}
        client.post("/v1/decisions:batch", json=questions, headers={"X-Request-ID": "many"})
        assert running.stop() == 0
    said = lines(tmp_path)
    about = [line for line in said if line.get("request") == "deploy-17"]
    assert [(line["message"], line["decision"], line["outcome"], line["trace"]) for line in about] == [
        ("decided", answer.json()["id"], "allow", trace),
        ("answered", answer.json()["id"], "allow", trace),
    ]
    many = [line for line in said if line.get("request") == "many"]
    assert sorted(line["message"] for line in many) == ["answered", "decided", "decided"]
    assert [line["decisions"] for line in many if line["message"] == "answered"] == [2]
    assert "uvicorn.error" in {line["logger"] for line in said}


@pytest.mark.parametrize("sent", ["a b", "-", "a" * 101, "é", '"},{"level":"x'])
def test_a_request_id_that_could_be_anything_else_is_replaced(service: Serving, sent: str) -> None:
    answer = service.call("GET", "/healthz", headers={"X-Request-ID": sent.encode()})
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-ID"])


def test_an_internal_error_is_logged_with_its_traceback_in_one_line() -> None:
    import logging
    import sys

    from mandate.engine.cli.logs import JsonLines

    try:
        int("a\nb")
    except ValueError:
        record = logging.LogRecord("mandate", logging.ERROR, "", 0, "failed", None, sys.exc_info())
    line = JsonLines(lambda: {"request": "one"}).format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert (said["request"], said["message"]) == ("one", "failed")
    assert "ValueError: invalid literal" in said["exception"]


def test_a_caller_without_the_role_reads_no_measurements(tmp_path: Path) -> None:
    with serving(tmp_path, anonymous_probes=False) as running:
        statuses = {
            role: running.call("GET", "/metrics", role=role).status_code
            for role in (None, Role.DECIDER, Role.METRICS)
        }
    assert statuses == {None: 401, Role.DECIDER: 403, Role.METRICS: 200}
