from __future__ import annotations

import json
from pathlib import Path

import pytest

from mandate.engine.errors import BadPolicy
from mandate.engine.policy.checking import Problem, check, rewrite

from .conftest import FILES, MAIN, RULE, write

SCHEMA = json.dumps({"type": "object", "properties": {"x": {"type": "number"}}})
REGAL = """rules:
  default: {level: ignore}
  style:
    todo-comment: {level: error}
"""
CHECK = """# METADATA
# description: The package is not named so
package custom.regal.rules.naming.no_bank

import data.regal.result

report contains violation if {
	input["package"].path[3].value == "bank"
	violation := result.fail(rego.metadata.chain(), result.location(input["package"]))
}
"""


@pytest.fixture
def clean(library: Path, opa: Path) -> Path:
    """The small library in OPA's format, with a schema of the input and settings for Regal."""
    write(library, {"schemas/input.json": SCHEMA, ".regal/config.yaml": REGAL})
    rewrite([library], opa=opa)
    return library


def test_clean_policies_have_no_problem(clean: Path, opa: Path, regal: Path) -> None:
    assert check([clean], opa=opa, regal=regal) == ()


def test_a_field_that_the_input_does_not_have_is_found(clean: Path, opa: Path) -> None:
    file = "mandate/rules/fairness/parity/parity.rego"
    write(clean, {file: RULE.replace("input.x", "input.y")})
    assert check([clean], opa=opa, regal=None) == (
        Problem("opa check", f"{file}:22", "undefined ref: input.y (rego_type_error)", "Correct the policy"),
    )


def test_a_schema_that_metadata_names_is_held_too(clean: Path, opa: Path) -> None:
    named = "# METADATA\n# scope: subpackages\n# schemas:\n#   - input: schema.input\npackage mandate\n"
    write(clean, {"mandate/schema.rego": named, "mandate/main/main.rego": MAIN.replace('"small"', "input.y")})
    assert [(problem.tool, problem.where) for problem in check([clean], opa=opa, regal=None)] == [
        ("opa check", "mandate/main/main.rego:3")
    ]


def test_a_typo_in_a_threshold_is_found(clean: Path, opa: Path) -> None:
    write(
        clean, {"thresholds/fairness.yaml": FILES["thresholds/fairness.yaml"].replace("staging", "stagging")}
    )
    assert check([clean], opa=opa, regal=None) == (
        Problem(
            "compiler", "thresholds/fairness.yaml:4", "there is no environment 'stagging'", "Write staging"
        ),
    )


def test_another_format_is_found_and_rewritten(clean: Path, tmp_path: Path, opa: Path) -> None:
    bank = write(tmp_path / "bank", {"mandate/lib/bank/bank.rego": "package mandate.lib.bank\none   := 1"})
    assert check([clean, bank], opa=opa, regal=None) == (
        Problem(
            "opa fmt",
            "organisation/mandate/lib/bank/bank.rego",
            "it is not in OPA's format",
            "Run `mandate policy check --fix`",
        ),
    )
    rewrite([clean, bank], opa=opa)
    assert (bank / "mandate/lib/bank/bank.rego").read_text() == "package mandate.lib.bank\n\none := 1\n"
    assert check([clean, bank], opa=opa, regal=None) == ()


def test_rego_that_cannot_be_parsed_is_not_rewritten(clean: Path, opa: Path) -> None:
    write(clean, {"mandate/lib/bank/bank.rego": "package mandate.lib.bank\n\none := {\n"})
    with pytest.raises(BadPolicy) as raised:
        rewrite([clean], opa=opa)
    assert raised.value.where.startswith("mandate/lib/bank/bank.rego:")


def test_rego_that_cannot_be_parsed_is_a_problem_for_each_tool(clean: Path, opa: Path) -> None:
    write(clean, {"mandate/lib/bank/bank.rego": "package mandate.lib.bank\n\none := {\n"})
    problems = check([clean], opa=opa, regal=None)
    assert [problem.tool for problem in problems] == ["compiler", "opa check", "opa fmt"]
    assert {problem.where.partition(":")[0] for problem in problems} == {"mandate/lib/bank/bank.rego"}


def test_regal_that_cannot_run_is_an_error(clean: Path, opa: Path, regal: Path) -> None:
    write(clean, {".regal/config.yaml": "rules: ["})
    with pytest.raises(BadPolicy, match="regal could not run: "):
        check([clean], opa=opa, regal=regal)


def test_regal_finds_and_its_own_checks_are_run(clean: Path, opa: Path, regal: Path) -> None:
    write(
        clean,
        {
            "mandate/lib/bank/bank.rego": "package mandate.lib.bank\n\n# TODO: more\none := 1\n",
            "checks/no_bank/no_bank.rego": CHECK,
            "checks/no_bank/no_bank_test.rego": (
                "package custom.regal.rules.naming.no_bank_test\n\ntest_it if 1 == 2\n"
            ),
        },
    )
    *found, tests = check([clean], opa=opa, regal=regal)
    assert found == [
        Problem("regal", "mandate/lib/bank/bank.rego:1", "The package is not named so (naming/no_bank)"),
        Problem("regal", "mandate/lib/bank/bank.rego:3", "Avoid TODO comments (style/todo-comment)"),
    ]
    assert (tests.tool, tests.where) == ("regal test", "checks")
    assert "data.custom.regal.rules.naming.no_bank_test.test_it: FAIL" in tests.what
