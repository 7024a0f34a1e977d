package mandate.lib.approvals_test

import data.mandate.lib.approvals
import data.mandate.testing

elsewhere := {
	"approver": "erin",
	"role": "model_owner",
	"subject_sha256": crypto.sha256("another artifact"),
	"approved_at": "2026-11-01T00:00:00Z",
	"reference": "",
}

test_what_names_the_artifact_counts if {
	changed := testing.changed([testing.appended("/approvals", elsewhere)])
	approvals.given == {elsewhere} | {approval | some approval in testing.good.approvals} with input as changed
	approvals.counting == {approval | some approval in testing.good.approvals} with input as changed
}

test_what_is_yet_to_come_or_by_nobody_was_not_given[note] if {
	some note, change in {
		"to come": {"approved_at": "2026-11-20T09:30:00.001Z"},
		"at no time": {"approved_at": null},
		"by nobody": {"approver": ""},
	}
	changed := testing.changed([testing.replaced("/approvals", [object.union(elsewhere, change)])])
	approvals.given == set() with input as changed
}

test_without_a_digest_no_approval_counts if {
	changed := testing.changed([
		testing.replaced("/subject/sha256", null),
		testing.replaced("/approvals/0/subject_sha256", null),
	])
	approvals.counting == set() with input as changed
}

# What somebody signed: carol, shown one finding and one of a rule that depends on approvals.
seen := {
	"rule": "fairness.demographic_parity",
	"term": "sex",
	"level": "must",
	"outcome": "passed",
	"measured": 0.041,
	"comparison": "<=",
	"bound": 0.05,
}

rests := object.union(seen, {"rule": "approvals.signed_off", "term": "model_owner", "outcome": "violation", "measured": 0})

signed := {
	"approver": "Carol@bank.example",
	"role": "model_owner",
	"subject_sha256": testing.good.subject.sha256,
	"approved_at": "2026-11-19T10:00:00Z",
	"reference": "MRM-118",
	"entry": "019a0000-0000-7000-8000-000000000001",
	"index": 4,
	"keyid": "SHA256:model_owner",
	"decision": "019a0000-0000-7000-8000-000000000000",
	"shown": [seen, rests],
	"revoked_by": null,
}

found(findings) := {"findings": findings, "resting": {"approvals.signed_off"}, "ages": {["provenance.data_age", "as_of"]}}

really(changes) := testing.changed(array.concat([testing.replaced("/request/what_if", false)], changes))

given(approval) := really([testing.replaced("/approvals", [approval])])

test_what_is_signed_counts_while_the_same_is_found if {
	approvals.counting == {signed} with input as given(signed)
		with data.mandate.people as testing.people
		with approvals.basis as found([seen])
}

# Why it does not count: what is changed in it, in the people, or in what is found.
flaws := {
	"another artifact": {
		"approval": {"subject_sha256": crypto.sha256("another artifact")},
		"flaw": "it is for another artifact",
	},
	"nobody's signature": {"approval": {"entry": null}, "flaw": "nobody signed it"},
	"somebody unknown": {"approval": {"approver": "eve"}, "flaw": "the policies know no such person"},
	"another's key": {
		"approval": {"keyid": "SHA256:risk_officer"},
		"flaw": "it is signed by a key that is not theirs",
	},
	"a role of others": {
		"approval": {"role": "risk_officer"},
		"flaw": "the policies do not give them the role risk_officer",
	},
	"revoked": {
		"approval": {"revoked_by": "carol, in entry 9,"},
		"flaw": "carol, in entry 9, revoked it",
	},
	"nothing was shown": {"approval": {"shown": []}, "flaw": "nothing was found when it was given"},
	"only what rests on approvals was shown": {
		"approval": {"shown": [rests]},
		"flaw": "nothing was found when it was given",
	},
	"shown nothing that is a list": {"approval": {"shown": null}, "flaw": "nothing was found when it was given"},
	"nobody says what is found": {"basis": {}, "flaw": "nobody says what is found now"},
	"another figure": {
		"basis": found([object.union(seen, {"measured": 0.104, "outcome": "violation"})]),
		"flaw": concat("", [
			"since then, fairness.demographic_parity for sex was 0.041 (<= 0.05, passed) ",
			"and is 0.104 (<= 0.05, violation)",
		]),
	},
	"another bound": {
		"basis": found([object.union(seen, {"bound": 0.045})]),
		"flaw": "since then, fairness.demographic_parity for sex was 0.041 (<= 0.05, passed) and is 0.041 (<= 0.045, passed)",
	},
	"no longer judged": {
		"basis": found([]),
		"flaw": "since then, fairness.demographic_parity for sex was 0.041 (<= 0.05, passed) and is not judged",
	},
	"judged anew, and more than three of them": {
		"basis": found([object.union(seen, {"term": term}) | some term in ["a", "b", "c", "sex", "z"]]),
		"flaw": concat("", [
			"since then, fairness.demographic_parity for a was not judged and is 0.041 (<= 0.05, passed); ",
			"fairness.demographic_parity for b was not judged and is 0.041 (<= 0.05, passed); ",
			"fairness.demographic_parity for c was not judged and is 0.041 (<= 0.05, passed); ",
			"and 1 more findings changed",
		]),
	},
}

test_what_is_signed_does_not_count_otherwise[note] if {
	some note, case in flaws
	approval := object.union(signed, object.get(case, "approval", {}))
	basis := object.get(case, "basis", found([seen]))
	flaw := approvals.flaw(approval) with input as given(approval)
		with data.mandate.people as testing.people
		with approvals.basis as basis
	flaw == case.flaw
	approvals.counting == set() with input as given(approval)
		with data.mandate.people as testing.people
		with approvals.basis as basis
}

test_alone_the_library_does_not_know_what_is_found if {
	flaw := approvals.flaw(signed) with input as given(signed) with data.mandate.people as testing.people
	flaw == "nobody says what is found now"
	ageless := approvals.flaw(signed) with input as given(signed)
		with data.mandate.people as testing.people
		with approvals.basis as {"findings": [seen]}
	ageless == concat("", [
		"since then, approvals.signed_off for model_owner was 0 (<= 0.05, violation) and is not judged",
	])
}

# What is no change: a waiver, what a waiver is for, an age that grew, a number that was written down as a double.
test_what_does_not_change_the_findings[note] if {
	some note, case in {
		"a violation that was waived since": {"was": {"outcome": "violation"}, "is": {"outcome": "waived"}},
		"a waiver that ended": {"was": {"outcome": "waived"}, "is": {"outcome": "violation"}},
		"an age": {
			"was": {"rule": "provenance.data_age", "term": "as_of", "measured": 11.5},
			"is": {"rule": "provenance.data_age", "term": "as_of", "measured": 12.25},
		},
		"a number of more digits": {"was": {"measured": 0.3333333333333333}, "is": {"measured": 0.33333333333333333333}},
		"what else a finding says": {"was": {}, "is": {"message": "more", "n": 7}},
	}
	approval := object.union(signed, {"shown": [object.union(seen, case.was)]})
	approvals.counting == {approval} with input as given(approval)
		with data.mandate.people as testing.people
		with approvals.basis as found([object.union(seen, case.is)])
}

test_an_age_that_no_longer_passes_is_a_change if {
	was := object.union(seen, {"rule": "provenance.data_age", "term": "as_of", "measured": 29, "bound": 30})
	approval := object.union(signed, {"shown": [was]})
	flaw := approvals.flaw(approval) with input as given(approval)
		with data.mandate.people as testing.people
		with approvals.basis as found([object.union(was, {"measured": 31, "outcome": "violation"})])
	flaw == concat("", [
		"since then, provenance.data_age for as_of was its age (<= 30, passed) ",
		"and is its age (<= 30, violation)",
	])
}

unsigned := object.remove(signed, ["entry", "index", "keyid", "decision", "shown", "revoked_by"])

test_what_nobody_signed_counts_for_a_what_if_and_where_claims_do if {
	approvals.counting == {unsigned} with input as testing.changed([testing.replaced("/approvals", [unsigned])])
	claimed := really([
		testing.replaced("/approvals", [unsigned]),
		testing.replaced("/collection/0/origin", "reported"),
	])
	approvals.counting == {unsigned} with input as claimed
	approvals.counting == set() with input as given(unsigned)
}

test_the_newest_that_do_not_count_are_named if {
	days := ["2026-11-16T00:00:00Z", "2026-11-18T00:00:00Z", "2026-11-17T00:00:00Z", "2026-11-15T00:00:00Z", "2026-11-14T00:00:00Z"]
	several := [object.union(unsigned, {"approved_at": day}) | some day in days]
	indexed := object.union(signed, {"index": 12, "revoked_by": "carol, in entry 13,"})
	said := approvals.uncounted("model_owner") with input as really([testing.replaced("/approvals", [indexed, several[0]])])
		with data.mandate.people as testing.people
		with approvals.basis as found([seen])
	said == concat(" ", [
		"The approval by Carol@bank.example of 2026-11-19T10:00:00Z (entry 12) does not count: carol, in entry 13, revoked it.",
		"The approval by Carol@bank.example of 2026-11-16T00:00:00Z does not count: nobody signed it.",
	])
	many := approvals.uncounted("model_owner") with input as really([testing.replaced("/approvals", several)])
	many == concat(" ", [
		"The approval by Carol@bank.example of 2026-11-18T00:00:00Z does not count: nobody signed it.",
		"The approval by Carol@bank.example of 2026-11-17T00:00:00Z does not count: nobody signed it.",
		"The approval by Carol@bank.example of 2026-11-16T00:00:00Z does not count: nobody signed it.",
		"Nor do 2 others.",
	])
	approvals.uncounted("risk_officer") == "" with input as given(unsigned)
}
