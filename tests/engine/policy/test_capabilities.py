from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from mandate import share
from mandate.engine.errors import BadPolicy
from mandate.engine.policy.capabilities import FILE, REFUSED, current, rendered, restricted
from mandate.engine.strict_yaml import load_file


def test_the_file_is_what_opa_can_do_less_what_is_refused(opa: Path) -> None:
    able = current(opa)
    allowed = json.loads((share.opa() / FILE).read_text(encoding="utf-8"))
    assert allowed == restricted(able)
    assert {builtin["name"] for builtin in able["builtins"]} - {
        builtin["name"] for builtin in allowed["builtins"]
    } == set(REFUSED)
    assert allowed["allow_net"] == []


def test_regal_refuses_the_same_functions() -> None:
    settings = load_file(share.policies() / ".regal/config.yaml", BadPolicy).value
    assert settings["rules"]["custom"]["forbidden-function-call"]["forbidden-functions"] == sorted(REFUSED)


def test_the_file_is_what_the_module_prints(opa: Path) -> None:
    command = [sys.executable, "-m", "mandate.engine.policy.capabilities", str(opa)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed == (share.opa() / FILE).read_text(encoding="utf-8") == rendered(opa)


def test_all_that_opa_calls_nondeterministic_is_refused(opa: Path) -> None:
    loose = {builtin["name"] for builtin in current(opa)["builtins"] if builtin.get("nondeterministic")}
    assert loose == loose & set(REFUSED)
    assert {
        "http.send",
        "time.now_ns",
        "opa.runtime",
        "rand.intn",
        "uuid.rfc4122",
        "net.lookup_ip_addr",
    } <= loose
