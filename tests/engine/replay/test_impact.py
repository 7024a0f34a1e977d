"""`mandate policy impact`: which recorded decisions flip under changed policies, on real ledgers and OPAs."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from mandate.engine import cli
from mandate.engine.replay.impact import Examined
from mandate.engine.replay.journal import Journal
from mandate.engine.replay.summary import COUNTS
from tests.organisation import FIRST, GOOD, Organisation, Ran, with_value
from tests.recording import changed, statement, writing

from .conftest import ACCURACY, LOOSER, PARITY, TIGHTER, about

Fairness = Callable[[str], None]


def impact(organisation: Organisation, *arguments: str) -> Ran:
    return organisation.mandate("policy", "impact", "--output", "json", *arguments)


def counts(ran: Ran) -> dict[str, int]:
    """Those that are not 0."""
    assert list(ran.json["counts"]) == list(COUNTS)
    return {name: count for name, count in ran.json["counts"].items() if count}


def flips(ran: Ran) -> list[tuple[int, str, str]]:
    """Which decision, as it was and as it would be."""
    return [(flip["index"] - FIRST, flip["before"], flip["after"]) for flip in ran.json["flips"]]


def test_the_policies_that_judged_flip_nothing(organisation: Organisation) -> None:
    ran = impact(organisation)
    assert (ran.exit_code, counts(ran)) == (0, {"same": 6, "never_answered": 1})
    assert (ran.json["complete"], ran.json["judged"], ran.json["flips"]) == (True, 6, [])
    assert ran.json["base"] == {
        "label": "as recorded",
        "revision": None,
        "opa": {"version": None, "sha256": None},
        "notes": [],
    }
    assert ran.json["changed"]["opa"]["version"] == "1.22.2"
    text = organisation.mandate("policy", "impact").out
    assert "No decision flips." in text
    assert "1 decision left out: undecided when recorded, because no answer of an OPA counted." in text


def test_nothing_is_recorded_and_nothing_stays(organisation: Organisation, fairness: Fairness) -> None:
    before = organisation.decisions()
    fairness(LOOSER)
    impact(organisation)
    assert organisation.decisions() == before
    assert [*(organisation.folder / ".mandate/impact").iterdir()] == []


def test_a_looser_bound_flips_denials_to_allows(organisation: Organisation, fairness: Fairness) -> None:
    fairness(LOOSER)
    ran = impact(organisation)
    assert ran.exit_code == 1
    assert counts(ran) == {"deny_to_allow": 2, "other_findings": 3, "same": 1, "never_answered": 1}
    assert flips(ran) == [(1, "deny", "allow"), (3, "deny", "allow")]
    flip = ran.json["flips"][0]
    entry = organisation.decisions()[1]
    assert (flip["id"], flip["recorded_at"], flip["expected"]) == (entry["id"], entry["recorded_at"], None)
    assert flip["subject"] == {"name": "credit", "version": "2", "uri": "models:/credit/2"}
    assert flip["request"] == {"action": "promote", "environment": "production"}
    assert flip["owners"] == ["carol@bank.example"]
    (change,) = [change for change in flip["changes"] if change["block"]]
    assert (change["rule"], change["term"], change["block"]) == (
        "fairness.demographic_parity",
        "afam",
        "vanished",
    )
    (before,), (after,) = change["before"], change["after"]
    assert (before["outcome"], before["bound"]) == ("violation", 0.05)
    assert "passes at ≤ 0.05" in before["message"]
    assert (after["outcome"], after["bound"], after["bound_set_at"]) == (
        "passed",
        0.07,
        "organisation/thresholds/fairness.yaml:1",
    )
    assert ran.json["unexpected"] == 2
    assert ran.json["by_model"] == [
        {"name": "credit", "counts": {"deny_to_allow": 1}},
        {"name": "mortgage", "counts": {"deny_to_allow": 1}},
    ]
    assert ran.json["by_owner"] == [{"name": "carol@bank.example", "counts": {"deny_to_allow": 2}}]


def test_a_tighter_bound_flips_allows_to_denials(organisation: Organisation, fairness: Fairness) -> None:
    fairness(TIGHTER)
    ran = impact(organisation)
    assert (ran.exit_code, flips(ran)) == (0, [(0, "allow", "deny")])
    (change,) = [change for change in ran.json["flips"][0]["changes"] if change["block"]]
    assert (change["block"], change["after"][0]["bound"]) == ("appeared", 0.022)
    text = organisation.mandate("policy", "impact").out
    assert "1 allowed before, denied now" in text
    assert "+ Selection rates differ too much between groups: afam measured 0.024" in text
    assert "[organisation/thresholds/fairness.yaml:1]" in text


def test_flips_in_both_directions_are_told_the_loud_one_first(
    organisation: Organisation, fairness: Fairness
) -> None:
    fairness(LOOSER)
    (organisation.folder / "policies/thresholds/performance.yaml").write_text(
        "minimum: {accuracy: {models: {credit: 0.95}}}\n"
    )
    assert organisation.check(with_value(GOOD, ACCURACY, 0.96)).exit_code == 0
    ran = impact(organisation)
    assert (ran.exit_code, flips(ran)) == (1, [(0, "allow", "deny"), (3, "deny", "allow")])
    text = organisation.mandate("policy", "impact").out
    assert text.index("1 denied before, ALLOWED now") < text.index("1 allowed before, denied now")
    assert "  - Selection rates differ too much between groups: afam measured 0.065" in text
    assert "  + passes at ≤ 0.07 [organisation/thresholds/fairness.yaml:1]" in text
    assert " ".join(text.split("by model")[1].split()).startswith(
        "to allow allow to deny other mortgage 1 – – credit – 1 – by owner"
    )


def test_what_was_undecided_and_is_allowed_now_counts_as_newly_allowed(organisation: Organisation) -> None:
    (organisation.folder / "policies/selection.yaml").write_text("exclude: {default: [fairness]}\n")
    ran = impact(organisation)
    assert ran.exit_code == 1
    assert (5, "undecided", "allow") in flips(ran)
    assert ran.json["unexpected"] == len(ran.json["flips"]) == 4
    assert (
        ran.json["flips"][-1]["reasons"]["before"]
        == ["The collector fairness could not find out: the batch is gone"]
        or ran.json["flips"][-1]["reasons"]["before"]
    )
    text = organisation.mandate("policy", "impact").out
    assert "1 undecided before, ALLOWED now" in text
    assert "+ not judged: " in text


def test_a_waived_violation_and_one_that_only_warns_say_so(
    organisation: Organisation,
) -> None:
    (organisation.folder / "policies/waivers").mkdir()
    (organisation.folder / "policies/waivers/credit.yaml").write_text(
        """- rule: fairness.demographic_parity
  subject: {name: credit, version: "2"}
  reason: Known
  reference: RISK-1
  approver: rita@bank.example
  effective_on: 2026-01-01
  expires: 2026-03-01
- rule: fairness.demographic_parity
  subject: {name: credit, version: "2"}
  reason: Known
  reference: RISK-1
  approver: rita@bank.example
  effective_on: {today}
  expires: {later}
""".replace("{today}", _day(-1)).replace("{later}", _day(30))
    )
    ran = impact(organisation)
    assert {index for index, _, after in flips(ran) if after == "allow"} == {1, 2}
    assert f"waived by rita@bank.example until {_day(30)}" in organisation.mandate("policy", "impact").out


def _day(distance: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + distance * 86400))


def test_expected_flips_are_no_failure_and_unused_expectations_are_told(
    organisation: Organisation, fairness: Fairness
) -> None:
    fairness(LOOSER)
    ids = [entry["id"] for entry in organisation.decisions()]
    expect = organisation.folder / "expect.yaml"
    expect.write_text(f"- {{decision: {ids[1]}, reason: RISK-12}}\n")
    ran = impact(organisation, "--expect", "expect.yaml")
    assert (ran.exit_code, ran.json["unexpected"], ran.json["unused"]) == (1, 1, [])
    assert [flip["expected"] for flip in ran.json["flips"]] == ["RISK-12", None]
    expect.write_text(json.dumps([{"decision": one, "reason": "RISK-12"} for one in ids[1:4]]))
    ran = impact(organisation, "--expect", "expect.yaml")
    assert (ran.exit_code, ran.json["unexpected"]) == (0, 0)
    assert ran.json["unused"] == [{"decision": ids[2], "reason": "RISK-12"}]
    shown = organisation.mandate("policy", "impact", "--expect", "expect.yaml")
    assert shown.exit_code == 0
    assert "0 flips to allow unexpected" in shown.out
    assert "expected: RISK-12" in shown.out
    assert f"Expected, but it did not flip: {ids[2]} (RISK-12)." in " ".join(shown.out.split())


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("decision: a\n", "expect.yaml:1: it is not a list of decisions"),
        ("- a\n", "expect.yaml:1: an entry does not have exactly the keys decision and reason"),
        ("\n- {decision: 01a2, reason: a}\n", "expect.yaml:2: it is not the whole id of a decision"),
        ("- {decision: ID, reason: ' '}\n", "expect.yaml:1: it gives no reason"),
        (
            "- {decision: ID, reason: a}\n- {decision: ID, reason: b}\n",
            "expect.yaml:2: 01a20f79-e51f-7814-a66f-6b8279a53c91 stands here twice",
        ),
        ("- {decision: ID, reason: [}\n", "expect.yaml:1"),
    ],
)
def test_a_broken_list_of_expectations_is_a_bad_request(
    organisation: Organisation, text: str, what: str
) -> None:
    text = text.replace("ID", "01a20f79-e51f-7814-a66f-6b8279a53c91")
    (organisation.folder / "expect.yaml").write_text(text)
    ran = organisation.mandate("policy", "impact", "--expect", "expect.yaml")
    assert ran.exit_code == 2
    assert what in ran.err


def test_an_empty_list_expects_nothing(organisation: Organisation) -> None:
    (organisation.folder / "expect.yaml").write_text("# nothing yet\n")
    assert impact(organisation, "--expect", "expect.yaml").exit_code == 0


def test_against_a_git_ref_both_sides_judge(organisation: Organisation, fairness: Fairness) -> None:
    git = ("git", "-C", str(organisation.folder), "-c", "user.name=a", "-c", "user.email=a@b")
    (organisation.folder / ".gitignore").write_text(".mandate\n")
    fairness(TIGHTER)
    subprocess.run([*git[:3], "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "tighter"], check=True)
    fairness(LOOSER)
    ran = impact(organisation, "--against", "main")
    # The first one was recorded as an allow, the last one without any answer; main denies both.
    assert (ran.exit_code, flips(ran)) == (
        1,
        [(index, "deny", "allow") for index in (0, 1, 3, 6)],
    )
    assert ran.json["counts"]["never_answered"] == 0
    assert ran.json["base"]["label"].startswith("main (")
    assert ran.json["base"]["revision"] != ran.json["changed"]["revision"]
    fairness(TIGHTER)
    ran = impact(organisation, "--against", "main")
    assert (ran.exit_code, counts(ran)) == (0, {"same": 7})


def test_against_a_revision_that_was_kept(organisation: Organisation, fairness: Fairness) -> None:
    (bundle,) = (organisation.folder / ".mandate/policies").glob("*.tar.gz")
    fairness(LOOSER)
    ran = impact(organisation, "--against", f"sha256:{bundle.name[:12]}")
    assert (ran.exit_code, flips(ran)) == (1, [(1, "deny", "allow"), (3, "deny", "allow")])
    assert ran.json["base"]["revision"] == f"sha256:{bundle.name.removesuffix('.tar.gz')}"


def test_against_what_nobody_knows_is_a_bad_request(organisation: Organisation) -> None:
    ran = organisation.mandate("policy", "impact", "--against", "no-such-ref")
    assert ran.exit_code == 2
    assert "there is no such revision of policies" in ran.err


def test_broken_policies_are_a_bad_request(organisation: Organisation, fairness: Fairness) -> None:
    fairness("demographic_parity_diference: {default: 0.07}\n")
    ran = organisation.mandate("policy", "impact")
    assert ran.exit_code == 2
    assert "organisation/thresholds/fairness.yaml:1" in ran.err


def test_decisions_are_chosen_by_model_by_time_and_from_the_end(organisation: Organisation) -> None:
    with writing(organisation.folder) as ledger:
        ledger.append(changed(statement(organisation.folder, FIRST + 1)))
    times = [entry["recorded_at"] for entry in organisation.decisions()]
    by_model = impact(organisation, "--model", "mortgage").json
    assert (by_model["judged"], by_model["selection"]["model"]) == (2, "mortgage")
    assert impact(organisation, "--last", "3").json["judged"] == 2  # one of them was never answered
    assert impact(organisation, "--last", "99").json["judged"] == 7
    assert impact(organisation, "--since", "2026-01-01").json["judged"] == 7
    assert impact(organisation, "--since", "2999-01-01").json["judged"] == 0
    second = times[-1][:19]
    later = sum(time >= f"{second}.000Z" for time in times) - (times[6] >= f"{second}.000Z")
    assert impact(organisation, "--since", f"{second}Z").json["judged"] == later


def test_a_damaged_entry_is_named_and_counted_and_the_others_are_judged(
    organisation: Organisation, fairness: Fairness
) -> None:
    fairness(TIGHTER)
    with sqlite3.connect(organisation.folder / ".mandate/ledger.db") as database:
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute("UPDATE entries SET outcome = 'allow' WHERE position IN (3, 4)")
    database.close()
    ran = impact(organisation)
    assert ran.exit_code == 3
    assert (ran.json["counts"]["damaged"], ran.json["judged"], flips(ran)) == (2, 4, [(0, "allow", "deny")])
    assert ran.json["damaged"] == [
        {
            "index": entry["index"],
            "id": entry["id"],
            "what": "the entry is not what was recorded: its columns do not say what is signed",
        }
        for entry in organisation.entries()[FIRST + 1 : FIRST + 3]
    ]
    with sqlite3.connect(organisation.folder / ".mandate/ledger.db") as database:
        database.execute("UPDATE entries SET kind = 'other' WHERE position > 4")
    database.close()
    text = organisation.mandate("policy", "impact").out
    assert "6 damaged entries, not judged" in text
    assert "… and 1 more: --output json lists all" in text
    assert "entry 3: the entry is not what was recorded" in text
    assert "| **damaged entries, not judged** | 6 |" in (
        organisation.mandate("policy", "impact", "--output", "markdown").out
    )


def test_another_opa_is_on_trial_whatever_its_version(organisation: Organisation, opa_1_20_0: Path) -> None:
    ran = impact(organisation, "--opa", str(opa_1_20_0))
    assert (ran.exit_code, counts(ran)) == (0, {"same": 7})
    assert (ran.json["base"]["opa"]["version"], ran.json["changed"]["opa"]["version"]) == ("1.22.2", "1.20.0")
    assert ran.json["base"]["revision"] == ran.json["changed"]["revision"]
    (note,) = ran.json["changed"]["notes"]
    assert note.startswith("OPA 1.20.0 is refused: compares numbers wrongly")
    assert note.endswith("here it is only on trial")


def test_an_opa_that_is_refused_judges_only_on_trial(organisation: Organisation, opa_1_20_0: Path) -> None:
    ran = organisation.mandate("policy", "impact", "--set", f"opa.binary={opa_1_20_0}")
    assert ran.exit_code == 3
    assert "OPA 1.20.0 is refused" in ran.err


def test_an_opa_that_answers_nonsense_or_dies_is_undecided_there(
    organisation: Organisation, ailing: Path
) -> None:
    """It answers nonsense about the third decision and dies of the fourth; the others it judges well."""
    ran = impact(organisation, "--opa", str(ailing))
    assert ran.exit_code == 3
    assert flips(ran) == [(2, "deny", "undecided"), (3, "deny", "undecided")]
    assert (ran.json["counts"]["same"], ran.json["unanswered"]) == (5, 2)
    reasons = [flip["reasons"]["after"][0] for flip in ran.json["flips"]]
    assert "OPA's result is not a decision" in reasons[0]
    assert "OPA at" in reasons[1]
    text = organisation.mandate("policy", "impact", "--opa", str(ailing)).out
    assert "2 decisions undecided because an OPA gave no answer, or none that counts." in text


def test_an_opa_that_never_stays_up_ends_the_run(organisation: Organisation, ailing: Path) -> None:
    with writing(organisation.folder) as ledger:
        for _ in range(12):
            ledger.append(statement(organisation.folder, FIRST + 3))
    ran = organisation.mandate("policy", "impact", "--opa", str(ailing))
    assert ran.exit_code == 3
    assert "OPA ended 20 times while it was asked" in ran.err


def test_names_from_outside_drive_neither_terminal_nor_markdown(
    organisation: Organisation, fairness: Fairness
) -> None:
    fairness(LOOSER)
    name = "\x1b[31m|@everyone <b>[x](http://e)`"
    assert organisation.check(about(name, with_value(GOOD, PARITY, 0.06))).exit_code == 0
    fairness(TIGHTER)
    text = organisation.mandate("policy", "impact").out
    assert "\x1b" not in text
    markdown = organisation.mandate("policy", "impact", "--output", "markdown").out
    assert "\\\\x1b\\[31m\\|&#64;everyone &lt;b\\>\\[x\\]\\(http\\://e\\)\\`" in markdown


def test_markdown_is_for_a_merge_request(organisation: Organisation, fairness: Fairness) -> None:
    fairness(LOOSER)
    ids = [entry["id"] for entry in organisation.decisions()]
    (organisation.folder / "expect.yaml").write_text(f"- {{decision: {ids[1]}, reason: RISK-12}}\n")
    ran = organisation.mandate("policy", "impact", "--output", "markdown", "--expect", "expect.yaml")
    assert ran.exit_code == 1
    lines = ran.out.splitlines()
    assert lines[:3] == [
        "## Impact on recorded decisions",
        "",
        "> **2 that were not allowed would be ALLOWED**, 1 of them not expected.",
    ]
    assert "| denied before, ALLOWED now | 2 |" in lines
    assert "### 2 denied before, ALLOWED now" in lines
    assert f"- **mortgage version 2  promote · production**, decision `{ids[3]}`" in lines
    assert f"- **credit version 2  promote · production**, decision `{ids[1]}`" in lines
    assert "  - expected: RISK\\-12" in lines
    assert "| by model | to allow | allow to deny | other |" in lines
    assert "| credit | 1 | 0 | 0 |" in lines
    assert "| carol&#64;bank\\.example | 2 | 0 | 0 |" in lines
    assert "passes at ≤ 0\\.07 \\[organisation/thresholds/fairness\\.yaml\\:1\\]" in ran.out


def test_many_flips_are_cut_for_people_and_whole_for_programs(
    organisation: Organisation, fairness: Fairness
) -> None:
    kind = statement(organisation.folder, FIRST + 1)
    with writing(organisation.folder) as ledger:
        for number in range(60):
            document = about(f"model-{number}", kind["predicate"]["input"])
            ledger.append(changed(kind, input=document | {"approvals": None if number % 2 else []}))
    fairness(LOOSER)
    # Their decisions are not those of their inputs, so that all rules have to be judged.
    ran = impact(organisation, "--whole")
    # Nobody approved these: they flip from one denial to another.
    assert len(ran.json["flips"]) == 2
    (organisation.folder / "policies/selection.yaml").write_text(
        "exclude: {default: [approvals, 'registry.digest:approved']}\n"
    )
    ran = impact(organisation)
    assert len(ran.json["flips"]) == 63
    assert len(ran.json["by_model"]) == 62
    assert ran.json["by_owner"][-1] == {"name": None, "counts": {"deny_to_allow": 61}}
    text = organisation.mandate("policy", "impact").out
    assert "… and 58 more: --output json lists all" in text
    assert "… and 47 more" in text
    assert "no owner on record" in text
    markdown = organisation.mandate("policy", "impact", "--output", "markdown").out
    assert "- … and 58 more" in markdown
    assert "| … and 12 more | | | |" in markdown


def test_many_causes_of_one_flip_are_cut(organisation: Organisation) -> None:
    (organisation.folder / "policies/selection.yaml").write_text("include: {default: [schema.compatible]}\n")
    text = " ".join(organisation.mandate("policy", "impact", "--model", "mortgage").out.split())
    assert "approvals.signed_off different people" in text
    assert "… and 1 cause more" in text


def test_a_person_who_waits_sees_how_far_it_is(organisation: Organisation) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    out, err = StringIO(), Terminal()
    with chdir(organisation.folder), redirect_stdout(out), redirect_stderr(err):
        assert cli.run(["policy", "impact", "--output", "json"]) == 0
    assert "judging" in err.getvalue()
    assert "9/9" in err.getvalue()
    assert json.loads(out.getvalue())["judged"] == 6


def test_an_interrupted_run_shows_what_it_found_and_is_gone_on_with(
    organisation: Organisation, fairness: Fairness
) -> None:
    """With a real process and a real Ctrl-C: the sum of both runs is what one run finds."""
    kinds = [statement(organisation.folder, FIRST + index) for index in (0, 1, 2, 5)]
    with writing(organisation.folder) as ledger:
        for number in range(1200):
            ledger.append(kinds[number % len(kinds)])
    fairness(LOOSER)
    command = [str(Path(sys.executable).with_name("mandate")), "policy", "impact", "--output", "json"]
    process = subprocess.Popen(
        command, cwd=organisation.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    journals = organisation.folder / ".mandate/impact"
    # Until it has come as far as a decision that flips: the first second may end before that.
    while not any('"deny_to_allow"' in journal.read_text() for journal in journals.glob("*.jsonl")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    first = json.loads(out)
    assert process.returncode == 130
    assert "interrupted after" in err
    assert "the same command goes on from there" in err
    assert first["complete"] is False
    assert 0 < first["entries"]["following"] < 1207
    assert len(first["flips"]) == first["counts"]["deny_to_allow"] > 0
    second = impact(organisation)
    assert f"going on from entry {first['entries']['following']}" in second.err
    whole = impact(organisation)
    assert "going on" not in whole.err
    # Each run, also one that is gone on with, has its first hundred flips tested.
    assert second.json | {"reached": None} == whole.json | {"reached": None}
    assert second.json["reached"]["decisions"] <= whole.json["reached"]["decisions"]
    assert (second.exit_code, whole.json["judged"]) == (1, 1206)
    assert second.json["flips"][: len(first["flips"])] == first["flips"]


def test_what_an_interrupted_run_found_is_shown_for_people_too(
    organisation: Organisation, fairness: Fairness, monkeypatch: pytest.MonkeyPatch
) -> None:
    fairness(LOOSER)
    add = Journal.add

    def interrupted(self: Journal, examined: Examined) -> None:
        add(self, examined)
        if examined.index == FIRST + 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Journal, "add", interrupted)
    shown = organisation.mandate("policy", "impact", "--output", "markdown")
    assert shown.exit_code == 130
    assert "3 decisions of bank\\.example/models judged anew, not all that was asked for." in shown.out
    assert "interrupted after 5 of 9 entries: the same command goes on from there" in shown.err
    monkeypatch.undo()
    expect = organisation.folder / "expect.yaml"
    expect.write_text(f"- {{decision: {organisation.decisions()[1]['id']}, reason: RISK-12}}\n")
    monkeypatch.setattr(Journal, "add", interrupted)
    text = organisation.mandate("policy", "impact", "--anew", "--expect", "expect.yaml").out
    assert "judged anew  3 decisions of bank.example/models, not all" in text


def test_other_policies_are_another_run(organisation: Organisation, fairness: Fairness) -> None:
    _interrupt(organisation)
    fairness(LOOSER)
    ran = impact(organisation)
    assert ("going on" in ran.err, ran.json["judged"]) == (False, 6)


def test_an_interrupted_run_is_begun_anew_on_demand(organisation: Organisation) -> None:
    _interrupt(organisation)
    assert "going on" not in impact(organisation, "--anew").err
    _interrupt(organisation)
    assert "going on from entry 2; --anew begins anew" in impact(organisation).err


def _interrupt(organisation: Organisation) -> None:
    """Leave a journal as a run leaves it that was interrupted after two entries."""

    def forget(self: Journal) -> None:
        """Not at its end."""

    patch = pytest.MonkeyPatch()
    with patch.context() as patched:
        patched.setattr(Journal, "forget", forget)
        impact(organisation)
    (journal,) = (organisation.folder / ".mandate/impact").glob("*.jsonl")
    heading = journal.read_text().splitlines()[0]
    how = {"by_reached": 2, "flips_by_reached": 0, "rules": []}
    mark = json.dumps({"following": 2, "counts": {"same": 2}, "unanswered": 0, **how})
    journal.write_text(f"{heading}\n{mark}\n")
    assert os.path.getsize(journal)  # noqa: PTH202
