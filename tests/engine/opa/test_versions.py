"""Which versions may judge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate import share
from mandate.engine.opa.versions import known, pinned, refusal

CHANGELOG = "https://github.com/open-policy-agent/opa/blob/v1.22.2/CHANGELOG.md#1221"
ADVISORY = "https://github.com/open-policy-agent/opa/security/advisories/GHSA-g2pf-6v5v-qcc8"
INDEXER = "its rule indexer leaves out rules with `in`, so that a rule that holds is not evaluated"
BYPASS = "the signature check of bundles can be side-stepped (GHSA-g2pf-6v5v-qcc8)"


@pytest.mark.parametrize("version", ["1.22.1", "1.22.2", "1.23.0", "1.100.0"])
def test_good_versions_are_not_refused(version: str) -> None:
    assert refusal(version) is None


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (
            "1.20.0",
            "OPA 1.20.0 is refused: compares numbers wrongly: it panics when a decimal zero meets a fraction "
            "(https://github.com/open-policy-agent/opa/issues/9098)",
        ),
        ("1.21.0", f"OPA 1.21.0 is refused: {INDEXER} ({CHANGELOG})"),
        ("1.21.4", f"OPA 1.21.4 is refused: {INDEXER} ({CHANGELOG})"),
        ("1.22.0", f"OPA 1.22.0 is refused: {INDEXER} ({CHANGELOG})"),
        ("1.20.2", f"OPA 1.20.2 is refused: {BYPASS} ({ADVISORY})"),
        ("0.70.0", f"OPA 0.70.0 is refused: {BYPASS} ({ADVISORY})"),
        ("2.0.0", "OPA 2.0.0 is not known: Mandate was not tried on 2.0.0 or later"),
        ("1.23.0-dev", '"1.23.0-dev" is not a release of OPA'),
        ("1.22.2-rc.1", '"1.22.2-rc.1" is not a release of OPA'),
        ("v1.22.2", '"v1.22.2" is not a release of OPA'),
        ("1.22.2\n", '"1.22.2" is not a release of OPA'),
        ("1.22.02", '"1.22.02" is not a release of OPA'),
        ("1.22", '"1.22" is not a release of OPA'),
        ("", '"" is not a release of OPA'),
        ("١.22.2", '"\\u0661.22.2" is not a release of OPA'),
        ("\x1b[31m", '"\\x1b[31m" is not a release of OPA'),
    ],
)
def test_other_versions_are_refused_with_the_reason(version: str, reason: str) -> None:
    assert refusal(version) == reason


@given(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 9)))
def test_only_what_is_from_the_minimum_to_the_next_major_version_may_judge(
    release: tuple[int, int, int],
) -> None:
    accepted = refusal(".".join(map(str, release))) is None
    assert accepted is ((1, 22, 1) <= release < (2, 0, 0))


@given(st.text())
def test_any_text_is_judged_without_an_error(version: str) -> None:
    reason = refusal(version)
    assert reason is None or reason.isprintable()


def test_the_pinned_opa_may_judge() -> None:
    assert refusal(pinned("opa")) is None


@pytest.mark.parametrize(("tool", "folder"), [("opa", "."), ("regal", "regal")])
def test_the_modules_pin_the_same_versions(tool: str, folder: str) -> None:
    go_mod = (share.opa() / folder / "go.mod").read_text(encoding="utf-8").splitlines()
    package = known()[tool]["module"]
    assert f"tool {package}" in go_mod
    assert f"{package} v{pinned(tool)}" in " ".join(go_mod).replace("// indirect", "")
