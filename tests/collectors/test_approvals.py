from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from mandate.collectors.approvals import ApprovalsCollector, Log, Options, schema
from mandate.engine.errors import BadConfiguration, BadInput, MandateError, SourceMissing
from mandate.engine.input import Action, Approval
from mandate.engine.input.gathering import Gathered, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.collectors.conftest import Files

SCHEMA = Path(__file__).parents[2] / "schemas/approvals.v1.json"
TARGET = Target("credit", "2", "models:/credit/2", "run", Action.PROMOTE, "production")
APPROVALS = f"""\
- role: model_owner
  approver: " Mira@Bank.example"
  subject_sha256: {"a" * 64}
  approved_at: 2026-01-31T10:00:00+14:00
  reference: MODEL-1
- role: risk_officer
  approver: tomas@bank.example
  subject_sha256: {"b" * 64}
  approved_at: "2026-01-31t10:00:00.25z"
"""


def no_log() -> Log:
    raise AssertionError("the log was asked, and a file was named")


def collect(files: Files, location: str = "approvals.yaml") -> Gathered:
    return ApprovalsCollector(Options(file=location), files.sources(), no_log, what_if=True).collect(TARGET)


def test_a_file_that_nobody_signed_is_refused_where_something_is_decided(files: Files) -> None:
    files.write("approvals.yaml", APPROVALS)
    with pytest.raises(BadConfiguration) as error:
        ApprovalsCollector(Options(file="approvals.yaml"), files.sources(), no_log)
    assert str(error.value) == (
        "collectors.approvals.file: nobody signed the approvals in 'approvals.yaml', so they count for no "
        "decision. Remove it, and let people run `mandate approve`; or ask with --what-if."
    )


def section(files: Files, location: str = "approvals.yaml") -> tuple[Approval, ...]:
    adapter = TypeAdapter(tuple[Approval, ...])
    return adapter.validate_json(adapter.dump_json(collect(files, location).sections["approvals"]))


def test_each_approval_is_a_fact_whatever_it_approves(files: Files) -> None:
    sha256 = files.write("approvals.yaml", APPROVALS)
    assert collect(files) == Gathered(
        {
            "approvals": (
                Approval(
                    approver="mira@bank.example",
                    role="model_owner",
                    subject_sha256="a" * 64,
                    approved_at=datetime(2026, 1, 30, 20, tzinfo=UTC),
                    reference="MODEL-1",
                ),
                Approval(
                    approver="tomas@bank.example",
                    role="risk_officer",
                    subject_sha256="b" * 64,
                    approved_at=datetime(2026, 1, 31, 10, 0, 0, 250_000, tzinfo=UTC),
                ),
            )
        },
        "approvals.yaml",
        sha256,
    )


def test_json_says_the_same_as_yaml(files: Files) -> None:
    files.write("approvals.yaml", APPROVALS)
    files.write("approvals.json", json.dumps(files.sources().document("approvals.yaml").content))
    assert section(files, "approvals.json") == section(files)


def test_an_empty_list_is_no_approval_and_no_error(files: Files) -> None:
    files.write("approvals.yaml", "[]\n")
    assert section(files) == ()


def test_a_missing_file_is_missing_and_not_failed(files: Files) -> None:
    with pytest.raises(SourceMissing):
        collect(files)


def test_somebody_with_two_roles_may_approve_in_both(files: Files) -> None:
    files.write(
        "approvals.yaml", APPROVALS + APPROVALS.replace("model_owner", "auditor").split("- role: risk")[0]
    )
    assert [one.role for one in section(files)] == ["model_owner", "risk_officer", "auditor"]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("- role: risk_officer\n", "- {}\n- role: risk_officer\n", "'1.role': field required"),
        ("reference:", "referense:", "'0.referense': extra inputs are not permitted"),
        ("a" * 64, "A" * 64, "'0.subject_sha256'"),
        ("a" * 64, "a" * 63, "'0.subject_sha256'"),
        ("2026-01-31T10:00:00+14:00", "2026-01-31", "RFC 3339 instant with its offset"),
        ("2026-01-31T10:00:00+14:00", "2026-01-31T10:00:00", "RFC 3339 instant with its offset"),
        ("2026-01-31T10:00:00+14:00", "2026-02-30T10:00:00Z", "'0.approved_at'"),
        ("2026-01-31T10:00:00+14:00", "0001-01-01T00:00:00+14:00", "between the years 1 and 9999"),
        ('" Mira@Bank.example"', '" "', "an approver is blank"),
        ('" Mira@Bank.example"', "3", "'0.approver'"),
        ("  reference:", "  role: x\n  reference:", "already set"),
    ],
)
def test_a_list_with_a_fault_is_an_error_that_says_where(
    files: Files, old: str, new: str, complaint: str
) -> None:
    assert old in APPROVALS
    files.write("approvals.yaml", APPROVALS.replace(old, new, 1))
    with pytest.raises(BadInput, match=complaint) as refused:
        collect(files)
    assert refused.value.where.startswith("approvals.yaml")
    assert refused.value.next_step


@pytest.mark.parametrize("content", ["", "approvals: []\n", "text\n"])
def test_what_is_no_list_is_an_error(files: Files, content: str) -> None:
    files.write("approvals.yaml", content)
    with pytest.raises(BadInput, match="the document: input should be a valid list"):
        collect(files)


@pytest.mark.parametrize("again", ["MIRA@bank", "Mira\u200b@Bank", "\uff2dira@Bank"])
def test_one_person_does_not_approve_twice(files: Files, again: str) -> None:
    files.write("approvals.yaml", APPROVALS + APPROVALS.replace(" Mira@Bank", again))
    with pytest.raises(
        BadInput, match=r"'mira@bank.example' approves the same artifact twice as 'model_owner'"
    ):
        collect(files)


def test_options_name_a_file_if_anything() -> None:
    assert Options.model_validate({}) == Options()
    for wrong in ({"file": ""}, {"file": "x", "role": "y"}):
        with pytest.raises(ValidationError):
            Options.model_validate(wrong)


def test_the_published_schema_is_that_of_the_collector() -> None:
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    assert published == schema()


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.text(max_size=5), st.lists(st.text(), max_size=1)
)


def mostly(value: Any) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(value), VALUES)


@settings(max_examples=100, deadline=None)
@given(
    approvals=st.one_of(
        VALUES,
        st.lists(
            st.fixed_dictionaries(
                {
                    "role": mostly("model_owner"),
                    "approver": mostly("mira"),
                    "subject_sha256": mostly("a" * 64),
                    "approved_at": st.one_of(
                        mostly("2026-01-31T10:00:00Z"),
                        st.datetimes(timezones=st.timezones()).map(lambda time: time.isoformat()),
                    ),
                },
                optional={"reference": VALUES, "x": VALUES},
            ),
            max_size=3,
        ),
    )
)
def test_what_the_collector_takes_its_schema_takes(new_files: Callable[[], Files], approvals: Any) -> None:
    files = new_files()
    files.write("approvals.json", json.dumps(approvals))
    try:
        section(files, "approvals.json")
    except MandateError:
        return
    jsonschema.validate(approvals, schema())
