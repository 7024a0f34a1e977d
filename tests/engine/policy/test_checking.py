from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mandate.engine.errors import BadPolicy
from mandate.engine.policy.checking import check
from mandate.engine.policy.formatting import rewrite
from mandate.engine.policy.problems import Level, Problem

from .conftest import FILES, MAIN, RULE, write

NOW = datetime(2026, 11, 20, tzinfo=UTC)

SCHEMA = json.dumps({"type": "object", "properties": {"x": {"type": "number"}}})
REGAL = """rules:
  default: {level: ignore}
  style:
    todo-comment: {level: error}
"""
CHECK = """# METADATA
# description: The package is called bank → Call it otherwise
package custom.regal.rules.mandate.no_bank

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


def found(*roots: Path, opa: Path, regal: Path | None = None, tests: bool = False) -> list[Problem]:
    """Without the one that Regal is missing where it is."""
    problems = check(roots, opa=opa, regal=regal, now=NOW, tests=tests)
    return [problem for problem in problems if problem.id != "regal/missing"]


def test_clean_policies_have_no_problem(clean: Path, opa: Path, regal: Path) -> None:
    assert check([clean], opa=opa, regal=regal, now=NOW, tests=False) == ()


def test_without_regal_there_is_a_warning(clean: Path, opa: Path) -> None:
    (warning,) = check([clean], opa=opa, regal=None, now=NOW, tests=False)
    assert warning == Problem(
        "regal",
        "missing",
        Level.WARNING,
        "",
        "regal is not installed, so its rules and Mandate's own are not checked",
        "Run `mandate opa install --regal`",
    )


def test_a_field_that_the_input_does_not_have_is_found(clean: Path, opa: Path) -> None:
    file = "mandate/rules/fairness/parity/parity.rego"
    write(clean, {file: RULE.replace("input.x", "input.y")})
    assert found(clean, opa=opa) == [
        Problem(
            "opa-check",
            "rego_type_error",
            Level.ERROR,
            f"{file}:22",
            "undefined ref: input.y (rego_type_error)",
            "Known here: x",
        )
    ]


def test_a_schema_that_metadata_names_is_held_too(clean: Path, opa: Path) -> None:
    named = "# METADATA\n# scope: subpackages\n# schemas:\n#   - input: schema.input\npackage mandate\n"
    write(clean, {"mandate/schema.rego": named, "mandate/main/main.rego": MAIN.replace('"small"', "input.y")})
    assert [(problem.tool, problem.where) for problem in found(clean, opa=opa)] == [
        ("opa-check", "mandate/main/main.rego:3")
    ]


def test_every_typo_in_a_threshold_file_is_found(clean: Path, opa: Path) -> None:
    text = FILES["thresholds/fairness.yaml"].replace("staging", "stagging").replace("low: 0.2", "lwo: 0.2")
    write(clean, {"thresholds/fairness.yaml": text})
    assert found(clean, opa=opa) == [
        Problem(
            "compiler",
            "thresholds",
            Level.ERROR,
            "thresholds/fairness.yaml:4",
            "there is no environment 'stagging'",
            "Write staging",
        ),
        Problem(
            "compiler",
            "thresholds",
            Level.ERROR,
            "thresholds/fairness.yaml:5",
            "there is no risk tier 'lwo'",
            "Write low",
        ),
    ]


def test_a_rule_over_data_is_found(clean: Path, opa: Path) -> None:
    write(clean, {"mandate/a.rego": "package mandate\n\nscope.risk_tiers := []\n"})
    problems = [(problem.id, problem.where) for problem in found(clean, opa=opa)]
    assert ("compiler/rego_compile_error", "mandate/a.rego:3") in problems


def test_another_format_is_found_and_rewritten(clean: Path, tmp_path: Path, opa: Path) -> None:
    bank = write(tmp_path / "bank", {"mandate/lib/bank/bank.rego": "package mandate.lib.bank\none   := 1"})
    write(clean, {"checks/a.rego": "package custom.a\none   := 1"})
    assert found(clean, bank, opa=opa) == [
        Problem(
            "opa-fmt",
            "format",
            Level.ERROR,
            file,
            "it is not in OPA's format",
            "Run `mandate policy check --fix`",
        )
        for file in ("checks/a.rego", "organisation/mandate/lib/bank/bank.rego")
    ]
    rewrite([clean, bank], opa=opa)
    assert (bank / "mandate/lib/bank/bank.rego").read_text() == "package mandate.lib.bank\n\none := 1\n"
    assert found(clean, bank, opa=opa) == []


def test_what_regal_mends_by_itself_is_mended_and_no_file_is_moved(
    clean: Path, tmp_path: Path, opa: Path, regal: Path
) -> None:
    written = 'package mandate.lib.other\n\n#no space\none = regex.match("a\\\\d", "x")\n'
    bank = write(tmp_path / "bank", {"mandate/lib/bank/bank.rego": written})
    (clean / ".regal/config.yaml").unlink()
    rewrite([clean, bank], opa=opa, regal=regal)
    assert (bank / "mandate/lib/bank/bank.rego").read_text() == (
        'package mandate.lib.other\n\n# no space\none := regex.match(`a\\d`, "x")\n'
    )


def test_rego_that_cannot_be_parsed_is_not_rewritten(clean: Path, opa: Path) -> None:
    write(clean, {"mandate/lib/bank/bank.rego": "package mandate.lib.bank\n\none := {\n"})
    with pytest.raises(BadPolicy) as raised:
        rewrite([clean], opa=opa)
    assert raised.value.where.startswith("mandate/lib/bank/bank.rego:")


def test_rego_that_cannot_be_parsed_is_one_problem_and_the_other_files_have_theirs(
    clean: Path, opa: Path, regal: Path
) -> None:
    write(
        clean,
        {
            "mandate/lib/a/a.rego": "package mandate.lib.a\n\none := {\n",
            "mandate/lib/b/b.rego": "package mandate.lib.b\n\none := {{\n",
            "mandate/lib/c/c.rego": "package mandate.lib.c\n\n# TODO: more\none   := 1\n",
        },
    )
    assert [(problem.id, problem.where) for problem in found(clean, opa=opa, regal=regal)] == [
        ("opa-check/rego_parse_error", "mandate/lib/a/a.rego:4"),
        ("opa-check/rego_parse_error", "mandate/lib/b/b.rego:4"),
        ("opa-fmt/format", "mandate/lib/c/c.rego"),
        ("regal/style/todo-comment", "mandate/lib/c/c.rego:3"),
    ]


def test_checks_that_cannot_be_parsed_are_found(clean: Path, opa: Path) -> None:
    write(clean, {"checks/a.rego": "package custom.a\none := {"})
    assert [problem.id for problem in found(clean, opa=opa)] == ["opa-fmt/rego_parse_error"]


def test_regal_that_cannot_run_is_found(clean: Path, opa: Path, regal: Path) -> None:
    write(clean, {".regal/config.yaml": "rules: ["})
    (problem,) = found(clean, opa=opa, regal=regal)
    assert (problem.id, problem.next_step) == ("regal/policy", "Correct .regal/config.yaml")
    assert problem.what.startswith("regal could not run: ")


def test_regal_finds_and_its_own_checks_are_run(clean: Path, opa: Path, regal: Path) -> None:
    write(
        clean,
        {
            "mandate/lib/bank/bank.rego": "package mandate.lib.bank\n\n# TODO: more\none := 1\n",
            "checks/no_bank/no_bank.rego": f"{CHECK}\n# TODO: more\n",
            "checks/no_bank/no_bank_test.rego": (
                "package custom.regal.rules.mandate.no_bank_test\n\ntest_it if 1 == 2\n"
            ),
        },
    )
    page = "See https://docs.styra.com/regal/rules/style/todo-comment"
    assert found(clean, opa=opa, regal=regal) == [
        Problem(
            "regal",
            "style/todo-comment",
            Level.ERROR,
            "checks/no_bank/no_bank.rego:12",
            "Avoid TODO comments",
            page,
        ),
        Problem(
            "regal-test",
            "failed",
            Level.ERROR,
            "checks/no_bank/no_bank_test.rego",
            "the test custom.regal.rules.mandate.no_bank_test.test_it failed",
            "Run `regal test checks` in the library",
        ),
        Problem(
            "regal",
            "mandate/no_bank",
            Level.ERROR,
            "mandate/lib/bank/bank.rego:1",
            "The package is called bank",
            "Call it otherwise",
        ),
        Problem(
            "regal",
            "style/todo-comment",
            Level.ERROR,
            "mandate/lib/bank/bank.rego:3",
            "Avoid TODO comments",
            page,
        ),
    ]


def test_checks_whose_tests_do_not_compile_are_found(clean: Path, opa: Path, regal: Path) -> None:
    test = "package custom.regal.rules.mandate.no_bank_test\n\ntest_it if nothing.here\n"
    write(clean, {"checks/no_bank/no_bank.rego": CHECK, "checks/no_bank/no_bank_test.rego": test})
    problems = found(clean, opa=opa, regal=regal)
    assert ("regal-test/failed", "checks") in [(problem.id, problem.where) for problem in problems]


def test_tests_that_fail_are_skipped_or_run_too_little_are_found(clean: Path, opa: Path) -> None:
    assert [(problem.id, problem.where, problem.what) for problem in found(clean, opa=opa, tests=True)] == [
        ("opa-test/coverage", "mandate/main/main.rego:3", "no test runs line 3, 5, 6, 7, 8, 9")
    ]
    write(
        clean,
        {
            "mandate/main/main_test.rego": (
                "package mandate.main_test\n\ntest_f if 1 == 2\n\ntodo_test_g if true\n"
            )
        },
    )
    assert [problem for problem in found(clean, opa=opa, tests=True) if problem.tool == "opa-test"] == [
        Problem(
            "opa-test",
            "failed",
            Level.ERROR,
            "mandate/main/main_test.rego:3",
            "the test main_test.test_f failed",
            "See `mandate policy test main_test.test_f`",
        ),
        Problem(
            "opa-test",
            "skipped",
            Level.ERROR,
            "mandate/main/main_test.rego:5",
            "the test main_test.todo_test_g is skipped",
            "See `mandate policy test main_test.todo_test_g`",
        ),
    ]


def test_an_organisations_rego_without_tests_is_not_covered(clean: Path, tmp_path: Path, opa: Path) -> None:
    bank = write(tmp_path / "bank", {"mandate/lib/bank/bank.rego": "package mandate.lib.bank\n\none := 1\n"})
    assert [problem.where for problem in found(clean, bank, opa=opa, tests=True)] == [
        "mandate/main/main.rego:3",
        "organisation/mandate/lib/bank/bank.rego:3",
    ]


def test_strict_makes_errors_of_warnings(clean: Path, opa: Path) -> None:
    (problem,) = check([clean], opa=opa, regal=None, now=NOW, tests=False, strict=True)
    assert (problem.id, problem.level) == ("regal/missing", Level.ERROR)


def test_what_cannot_be_read_is_found(tmp_path: Path, opa: Path) -> None:
    assert found(tmp_path / "nowhere", opa=opa) == [
        Problem(
            "compiler",
            "policy",
            Level.ERROR,
            str(tmp_path / "nowhere"),
            "there is no such folder",
            "Create it, or correct its path",
        )
    ]
