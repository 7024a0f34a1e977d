from __future__ import annotations

import json
import logging

import pytest

from mandate.engine.cli import logs


@pytest.fixture(autouse=True)
def as_before() -> object:
    logger = logging.getLogger("mandate")
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


def test_a_machine_gets_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logging.getLogger("mandate.engine.gate").info("decided", extra={"outcome": "deny\n", "index": 3})
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert said.pop("time").endswith("+00:00")
    assert said == {
        "level": "info",
        "logger": "mandate.engine.gate",
        "message": "decided",
        "outcome": "deny\n",
        "index": 3,
    }


def test_a_person_gets_warnings_that_cannot_act_on_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    logs.configure()
    logger = logging.getLogger("mandate.engine.collecting")
    logger.info("nothing of note")
    logger.warning("the collector %s failed", "dri\x1b[31mft\n")
    assert capsys.readouterr().err == "warning: the collector dri\\x1b[31mft\\n failed\n"


def test_a_person_is_told_where_the_service_answers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    named = ("uvicorn", "")
    before = [(logger, logger.handlers[:], logger.level) for logger in map(logging.getLogger, named)]
    try:
        logs.serve(dict)
        logging.getLogger("mandate.serving").info("answering at %s", "http://127.0.0.1:8080")
        logging.getLogger("mandate.engine.gate").info("decided")
    finally:
        logging.captureWarnings(capture=False)
        for logger, handlers, level in before:
            logger.handlers[:] = handlers
            logger.setLevel(level)
    assert capsys.readouterr().err == "info: answering at http://127.0.0.1:8080\n"


def test_what_uvicorn_says_to_terminals_is_not_said_to_machines(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    extra = {"color_message": "Started server process [\x1b[36m%d\x1b[0m]"}
    logging.getLogger("mandate").info("Started server process [%d]", 7, extra=extra)
    said = json.loads(capsys.readouterr().err)
    del said["time"]
    assert said == {"level": "info", "logger": "mandate", "message": "Started server process [7]"}
