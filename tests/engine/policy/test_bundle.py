from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mandate.engine.digests import document_sha256, file_sha256
from mandate.engine.errors import BadConfiguration, BadPolicy, OpaUnavailable
from mandate.engine.policy import bundle
from mandate.engine.policy.scope import Scope
from mandate.engine.policy.sources import read

from .conftest import FILES, RULE, write

NO_OPA = Path("/nowhere/opa")


def test_the_compiled_form_is_that_of_its_number(library: Path, opa: Path, store: Path) -> None:
    """Whoever changes what the small library compiles to, and not the library, must raise FORMAT."""
    compiled = bundle.compile([library], opa=opa, store=store)
    assert (compiled.revision, document_sha256(compiled.data)) == (
        "sha256:d88ae3172b119792c0309d2e4eae3b075caebd976496b75d06993e21fc4de44a",
        "63f55eec525c5ff8c535e7fcdbac6ff4f9b7cea123b39adc70a1935b36e47def",
    )


def test_a_bundle_holds_rego_and_data_but_no_tests(library: Path, opa: Path, store: Path) -> None:
    compiled = bundle.compile([library], opa=opa, store=store)
    with tarfile.open(compiled.path) as archive:
        assert archive.getnames() == [
            "data.json",
            ".manifest",
            "mandate/main/main.rego",
            "mandate/rules/fairness/parity/parity.rego",
            "sources.json",
        ]
        manifest = archive.extractfile(".manifest")
        assert manifest is not None
        assert json.load(manifest) == {"revision": compiled.revision, "roots": ["mandate"], "rego_version": 1}


def test_what_a_bundle_says_of_its_policies(library: Path, opa: Path, store: Path) -> None:
    compiled = bundle.compile([library], opa=opa, store=store)
    assert compiled.path == store / f"{compiled.revision.removeprefix('sha256:')}.tar.gz"
    assert compiled.sha256 == file_sha256(compiled.path)
    assert compiled.scope == Scope(("development", "staging", "production"), ("low", "limited", "high"))
    assert compiled.selection == {
        "include": {"default": {"value": ["*"], "set_at": "selection.yaml:2"}},
        "exclude": {"default": {"value": [], "set_at": "selection.yaml:4"}},
    }
    assert compiled.catalogue == {
        "fairness.parity": {
            "title": "Groups are selected at similar rates",
            "description": "The difference of two groups' selection rates.",
            "failure_msg": "The difference is too large",
            "solution": "Mitigate the model",
            "severity": "high",
            "collections": ["credit"],
            "controls": ["EU-AI-Act-10"],
            "effective_on": "2026-01-01T00:00:00Z",
            "depends_on": ["fairness"],
            "actions": ["promote", "deploy"],
            "environments": ["production"],
            "waivable": True,
            "thresholds": ["fairness.minimum.*", "fairness.parity"],
            "defined_at": "mandate/rules/fairness/parity/parity.rego:18",
        }
    }
    assert compiled.data["scope"]["families"] == {}
    assert compiled.data["waivers"] == []
    assert compiled.thresholds == {
        "fairness": {
            "parity": {
                "default": {"value": 0.05, "set_at": "thresholds/fairness.yaml:3"},
                "environments": {"staging": {"value": 0.1, "set_at": "thresholds/fairness.yaml:4"}},
                "tiers": {"low": {"value": 0.2, "set_at": "thresholds/fairness.yaml:5"}},
                "tiers_in_environments": {
                    "production": {"high": {"value": 0.04, "set_at": "thresholds/fairness.yaml:6"}}
                },
                "models": {"credit": {"value": 0.03, "set_at": "thresholds/fairness.yaml:8"}},
            },
            "minimum": {"accuracy": {"default": {"value": 0.8, "set_at": "thresholds/fairness.yaml:10"}}},
        }
    }


def test_a_rule_without_environments_is_for_all_of_them(tmp_path: Path, opa: Path, store: Path) -> None:
    rule = RULE.replace("#   environments: [production]\n", "")
    root = write(tmp_path / "root", {**FILES, "mandate/rules/fairness/parity/parity.rego": rule})
    compiled = bundle.compile([root], opa=opa, store=store)
    assert compiled.catalogue["fairness.parity"]["environments"] == ["development", "staging", "production"]


def test_an_organisation_adds_rules_and_overrides_leaves(
    library: Path, tmp_path: Path, opa: Path, store: Path
) -> None:
    acme = RULE.replace("mandate.rules.fairness.parity", "mandate.rules.acme.parity")
    bank = write(
        tmp_path / "bank",
        {
            "mandate/rules/acme/parity/parity.rego": acme,
            "thresholds/fairness.yaml": "parity: {models: {credit: 0.02}}\n",
            "selection.yaml": "exclude:\n  default: [acme.parity]\n",
        },
    )
    alone = bundle.compile([library], opa=opa, store=store)
    both = bundle.compile([library, bank], opa=opa, store=store)
    assert list(both.catalogue) == ["acme.parity", "fairness.parity"]
    assert both.catalogue["acme.parity"]["defined_at"].startswith("organisation/mandate/rules/acme/")
    assert both.thresholds["fairness"]["parity"] == {
        **alone.thresholds["fairness"]["parity"],
        "models": {"credit": {"value": 0.02, "set_at": "organisation/thresholds/fairness.yaml:1"}},
    }
    assert both.selection["exclude"] == {
        "default": {"value": ["acme.parity"], "set_at": "organisation/selection.yaml:2"}
    }
    assert alone.path.exists(), "past bundles are kept"
    assert bundle.past(alone.revision, store=store) == alone


def test_an_organisation_has_environments_of_its_own(
    library: Path, tmp_path: Path, opa: Path, store: Path
) -> None:
    """What the library says of an environment that the organisation does not have, is of no effect."""
    bank = write(
        tmp_path / "bank",
        {
            "scope.yaml": "environments: [test, live]\nrisk_tiers: [none, all]\n",
            "thresholds/fairness.yaml": "parity: {environments: {live: 0.02}}\n",
        },
    )
    compiled = bundle.compile([library, bank], opa=opa, store=store)
    assert (compiled.scope.environments, compiled.scope.risk_tiers) == (("test", "live"), ("none", "all"))
    assert compiled.thresholds["fairness"]["parity"]["environments"].keys() == {"staging", "live"}
    misspelt = {"thresholds/fairness.yaml": "parity: {environments: {life: 0.02}}\n"}
    with pytest.raises(BadPolicy) as raised:
        bundle.compile([library, write(bank, misspelt)], opa=opa, store=store)
    assert (raised.value.what, raised.value.next_step) == ("there is no environment 'life'", "Write live")


REPLACING = RULE.replace("mandate.rules.fairness.parity", "mandate.rules.acme.odds").replace(
    "#   waivable: true",
    "#   waivable: true\n#   replaces: {rule: fairness.parity, reason: The board said so}",
)


def test_an_organisation_replaces_a_rule_with_a_reason(
    library: Path, tmp_path: Path, opa: Path, store: Path
) -> None:
    bank = write(tmp_path / "bank", {"mandate/rules/acme/odds/odds.rego": REPLACING})
    compiled = bundle.compile([library, bank], opa=opa, store=store)
    assert compiled.catalogue["acme.odds"]["replaces"] == {
        "rule": "fairness.parity",
        "reason": "The board said so",
    }


def test_what_cannot_be_waived_is_replaced_by_what_cannot(
    library: Path, tmp_path: Path, opa: Path, store: Path
) -> None:
    strict = RULE.replace("#   waivable: true", "#   waivable: false")
    write(library, {"mandate/rules/fairness/parity/parity.rego": strict})
    bank = write(tmp_path / "bank", {"mandate/rules/acme/odds/odds.rego": REPLACING})
    with pytest.raises(BadPolicy) as raised:
        bundle.compile([library, bank], opa=opa, store=store)
    assert (raised.value.what, raised.value.where) == (
        "the rule acme.odds can be waived, and fairness.parity, which it replaces, cannot",
        "organisation/mandate/rules/acme/odds/odds.rego:14",
    )
    write(bank, {"mandate/rules/acme/odds/odds.rego": REPLACING.replace("waivable: true", "waivable: false")})
    bundle.compile([library, bank], opa=opa, store=store)


def test_no_two_rules_replace_the_same_one(library: Path, tmp_path: Path, opa: Path, store: Path) -> None:
    bank = write(
        tmp_path / "bank",
        {
            "mandate/rules/acme/odds/odds.rego": REPLACING,
            "mandate/rules/acme/rates/rates.rego": REPLACING.replace("acme.odds", "acme.rates"),
        },
    )
    with pytest.raises(BadPolicy) as raised:
        bundle.compile([library, bank], opa=opa, store=store)
    assert (raised.value.what, raised.value.where) == (
        "the rule fairness.parity is replaced by acme.odds and by acme.rates",
        "organisation/mandate/rules/acme/rates/rates.rego:15",
    )


def test_a_fault_of_the_organisation_is_placed_in_its_folder(
    library: Path, tmp_path: Path, opa: Path, store: Path
) -> None:
    bank = write(
        tmp_path / "bank", {"mandate/lib/bank/bank.rego": "package mandate.lib.bank\n\none := two\n"}
    )
    with pytest.raises(BadPolicy) as raised:
        bundle.compile([library, bank], opa=opa, store=store)
    assert raised.value.where == "organisation/mandate/lib/bank/bank.rego:3"


def test_without_the_library_nothing_decides(tmp_path: Path, opa: Path, store: Path) -> None:
    files = {path: content for path, content in FILES.items() if "/main/" not in path}
    with pytest.raises(BadPolicy) as raised:
        bundle.compile([write(tmp_path / "root", files)], opa=opa, store=store)
    assert raised.value.what == "nothing defines data.mandate.main.decision"


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(sorted(FILES)))
def test_equal_sources_make_equal_bytes(
    order: list[str], opa: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("anywhere")
    write(folder / "1" / "here", FILES)
    write(folder / "2", {path: FILES[path] for path in order})
    one = bundle.compile([folder / "1" / "here"], opa=opa, store=folder / "store-1")
    other = bundle.compile([folder / "2"], opa=opa, store=folder / "store-2")
    assert (one.revision, one.path.read_bytes()) == (other.revision, other.path.read_bytes())


def test_a_kept_bundle_needs_no_opa(library: Path, opa: Path, store: Path) -> None:
    def nobody() -> Path:
        raise AssertionError("OPA was asked for")

    first = bundle.compile([library], opa=lambda: opa, store=store)
    assert bundle.compile([library], opa=nobody, store=store) == first


def test_without_opa_nothing_is_compiled(library: Path, store: Path) -> None:
    with pytest.raises(OpaUnavailable) as raised:
        bundle.compile([library], opa=NO_OPA, store=store)
    assert str(raised.value) == (
        "/nowhere/opa: it cannot be started: No such file or directory. Run `mandate doctor`."
    )


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a flipped bit": _flip,
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
    "no digest": lambda path: path.with_name(path.name + ".sha256").unlink(),
    "another digest": lambda path: path.with_name(path.name + ".sha256").write_text("0" * 64),
    "no text for a digest": lambda path: path.with_name(path.name + ".sha256").write_bytes(b"\xff"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_bundle_is_built_again_and_never_served(
    damage: str, library: Path, opa: Path, store: Path
) -> None:
    first = bundle.compile([library], opa=opa, store=store)
    content = first.path.read_bytes()
    DAMAGES[damage](first.path)
    with pytest.raises(OpaUnavailable):
        bundle.compile([library], opa=NO_OPA, store=store)
    with pytest.raises(BadPolicy, match="is not in the store, or is damaged"):
        bundle.past(first.revision, store=store)
    assert bundle.compile([library], opa=opa, store=store) == first
    assert first.path.read_bytes() == content


def test_a_bundle_that_changes_after_compiling_is_not_read(library: Path, opa: Path, store: Path) -> None:
    compiled = bundle.compile([library], opa=opa, store=store)
    _flip(compiled.path)
    with pytest.raises(BadPolicy) as raised:
        _ = compiled.catalogue
    assert raised.value.what == "the bundle was changed after it was compiled"
    compiled.path.unlink()
    with pytest.raises(BadPolicy) as raised:
        _ = compiled.catalogue
    assert raised.value.what == "the bundle cannot be read"
    with pytest.raises(BadPolicy) as raised:
        _ = compiled.sources
    assert raised.value.what == "the bundle cannot be read"


@pytest.mark.parametrize(
    "revision", ["", "sha256:", "sha256:../../etc/passwd", "sha256:" + "A" * 64, "0" * 63]
)
def test_a_revision_that_is_none_is_not_looked_for(revision: str, store: Path) -> None:
    with pytest.raises(BadPolicy, match="is not in the store, or is damaged"):
        bundle.past(revision, store=store)


def test_processes_may_compile_the_same_at_once(library: Path, opa: Path, store: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from mandate.engine.policy import bundle; "
        "root, opa, store = map(Path, sys.argv[1:]); print(bundle.compile([root], opa=opa, store=store))"
    )

    def compiled(_: int) -> str:
        command = [sys.executable, "-c", program, str(library), str(opa), str(store)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(compiled, range(4)))
    assert answers == {f"{bundle.compile([library], opa=NO_OPA, store=store)}\n"}
    assert sorted(path.name.partition(".")[2] for path in store.iterdir()) == ["tar.gz", "tar.gz.sha256"]


def test_the_bundle_that_another_process_kept_meanwhile_is_taken(
    library: Path, opa: Path, store: Path
) -> None:
    others: list[bundle.Bundle] = []

    def slow() -> Path:
        others.append(bundle.compile([library], opa=opa, store=store))
        return opa

    before = read([library]).revision
    mine = bundle.compile([library], opa=slow, store=store)
    assert [mine] == others
    assert mine.revision == before


def test_a_store_that_cannot_be_written_is_named(library: Path, opa: Path, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(BadConfiguration) as raised:
        bundle.compile([library], opa=opa, store=tmp_path / "store")
    assert raised.value.where == str(tmp_path / "store")


def test_a_kept_bundle_costs_no_heavy_import(library: Path, opa: Path, store: Path) -> None:
    bundle.compile([library], opa=opa, store=store)
    program = (
        "import sys; from pathlib import Path; from mandate.engine.policy import bundle; "
        "bundle.compile([Path(sys.argv[1])], opa=Path('/nowhere'), store=Path(sys.argv[2])); "
        "print(sorted({'ruamel', 'subprocess', 'tempfile', 'tarfile', 'pydantic'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, str(library), str(store)]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "[]\n"


def test_the_real_opa_decides_by_the_bundle(library: Path, opa: Path, store: Path) -> None:
    compiled = bundle.compile([library], opa=opa, store=store)
    command = [str(opa), "eval", "-b", str(compiled.path), "-I", "-f", "json", "data.mandate.main.decision"]
    ended = subprocess.run(command, input='{"x": 0.05}', check=True, capture_output=True, text=True)
    answer: Any = json.loads(ended.stdout)
    assert answer["result"][0]["expressions"][0]["value"]["findings"] == [{"term": "sex", "holds": True}]
