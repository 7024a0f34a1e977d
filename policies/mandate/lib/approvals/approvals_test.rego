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

test_a_person_is_one_however_it_is_written if {
	approvals.person(" Ada@Bank.example\n") == "ada@bank.example"
	approvals.person("ÉMILE") == "émile"
}

test_nobody_is_no_person[note] if {
	some index, identity in ["", "  ", null, 7, ["ada"]]
	note := sprintf("%d", [index])
	not approvals.person(identity)
}
