package mandate.rules.approvals.signed_off_test

import data.mandate.rules.approvals.signed_off as rule
import data.mandate.testing

sha256 := testing.good.subject.sha256

approval(approver, role) := {
	"approver": approver,
	"role": role,
	"subject_sha256": sha256,
	"approved_at": "2026-11-19T10:00:00Z",
	"reference": "",
}

given(approvals) := [testing.replaced("/approvals", approvals)]

verdicts(owner, officer, people, independent) := {
	"model_owner": owner,
	"risk_officer": officer,
	"different people": people,
	"independent": independent,
}

carol := approval("carol", "model_owner")

dora := approval("dora", "risk_officer")

cases := {
	"one of each passes": {"changes": given([carol, dora]), "verdicts": verdicts("holds", "holds", "holds", "holds")},
	"one missing fails": {"changes": given([carol]), "verdicts": verdicts("holds", "fails", "fails", "holds")},
	"nobody fails": {"changes": given([]), "verdicts": verdicts("fails", "fails", "fails", "holds")},
	"one person in two roles fails": {
		"changes": given([carol, approval("carol", "risk_officer")]),
		"verdicts": verdicts("holds", "holds", "fails", "holds"),
	},
	"one person written in two ways is one": {
		"changes": given([carol, approval(" Carol\t", "risk_officer")]),
		"verdicts": verdicts("holds", "holds", "fails", "holds"),
	},
	"somebody with two roles leaves the other one to another": {
		"changes": given([carol, approval("carol", "risk_officer"), approval("erin", "model_owner")]),
		"verdicts": verdicts("holds", "holds", "holds", "holds"),
	},
	"approvals of another artifact do not count": {
		"changes": given([object.union(carol, {"subject_sha256": crypto.sha256("other")}), dora]),
		"verdicts": verdicts("fails", "holds", "fails", "holds"),
	},
	"approvals at this instant count": {
		"changes": given([object.union(carol, {"approved_at": "2026-11-20T09:30:00Z"}), dora]),
		"verdicts": verdicts("holds", "holds", "holds", "holds"),
	},
	"approvals from the future do not count": {
		"changes": given([object.union(carol, {"approved_at": "2026-11-20T09:30:01Z"}), dora]),
		"verdicts": verdicts("fails", "holds", "fails", "holds"),
	},
	"approvals of unknown time do not count": {
		"changes": given([object.union(carol, {"approved_at": "yesterday"}), dora]),
		"verdicts": verdicts("fails", "holds", "fails", "holds"),
	},
	"approvals by nobody do not count": {
		"changes": given([approval(" ", "model_owner"), approval(null, "model_owner"), dora]),
		"verdicts": verdicts("fails", "holds", "fails", "holds"),
	},
	"approvals in other roles do not count": {
		"changes": given([approval("carol", "Model_Owner"), dora]),
		"verdicts": verdicts("fails", "holds", "fails", "holds"),
	},
	"an artifact without a digest is not approved by one": {
		"changes": array.concat(
			given([object.union(carol, {"subject_sha256": null}), dora]),
			[testing.replaced("/subject/sha256", null)],
		),
		"verdicts": verdicts("fails", "fails", "fails", "holds"),
	},
	"an author who approves fails": {
		"changes": given([carol, approval("BOB@bank.example", "risk_officer")]),
		"verdicts": verdicts("holds", "holds", "holds", "fails"),
	},
	"the run's user who approves fails": {
		"changes": array.concat(given([carol, dora]), [testing.replaced("/model/source/user", "Dora ")]),
		"verdicts": verdicts("holds", "holds", "holds", "fails"),
	},
	"an author's approval in a role that is not required does not count against it": {
		"changes": given([carol, dora, approval("ada@bank.example", "data_scientist")]),
		"verdicts": verdicts("holds", "holds", "holds", "holds"),
	},
	"without known authors nobody is shown to be independent": {
		"changes": [testing.replaced("/developers", [])],
		"verdicts": verdicts("holds", "holds", "holds", "no verdict"),
	},
	"a run without a user has its other authors": {
		"changes": [testing.replaced("/model/source/user", null)],
		"verdicts": verdicts("holds", "holds", "holds", "holds"),
	},
	"approvals that are text have no verdict": {
		"changes": [testing.replaced("/approvals", "approved")],
		"verdicts": verdicts("no verdict", "no verdict", "no verdict", "holds"),
	},
	"authors that are text are nobody": {
		"changes": [testing.replaced("/developers", "ada@bank.example")],
		"verdicts": verdicts("holds", "holds", "holds", "no verdict"),
	},
	"approvals that nobody collected have no verdict": {
		"changes": [testing.replaced("/approvals", null), testing.removed("/collection/0")],
		"verdicts": verdicts("no verdict", "no verdict", "no verdict", "no verdict"),
	},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}

two_owners := {
	"a": {"default": {"value": 2, "set_at": "x:1"}},
	"b": {"default": {"value": 1, "set_at": "x:2"}},
	"c": {"default": {"value": 1, "set_at": "x:3"}},
}

crowds := {
	"four people fill four places": {"people": {"a": ["p", "q"], "b": ["r"], "c": ["s"]}, "filled": 4},
	"the one with all roles fills one": {"people": {"a": ["p", "q"], "b": ["p"], "c": ["p"]}, "filled": 2},
	"two roles that share one person fill one": {"people": {"a": ["p", "q", "t"], "b": ["r"], "c": ["r"]}, "filled": 3},
	"an order of filling that fails is not taken": {
		"people": {"a": ["p", "q", "r", "s"], "b": ["p", "r"], "c": ["p"]},
		"filled": 4,
	},
	"more people than places fill the places": {"people": {"a": ["p", "q", "t", "u"], "b": ["r"], "c": ["s"]}, "filled": 4},
	"nobody fills none": {"people": {}, "filled": 0},
}

test_each_person_fills_one_place[note] if {
	some note, crowd in crowds
	approvals := [approval(person, role) |
		some role, people in crowd.people
		some person in people
	]
	checks := rule.must with input as testing.changed(given(approvals)) with data.mandate.thresholds.approvals.required as two_owners
	{
		"term": "different people",
		"measured": crowd.filled,
		"comparison": ">=",
		"bound": 4,
		"bound_set_at": null,
		"origin": "measured",
		"collector": "approvals",
		"n": null,
		"interval": null,
		"unit": "places filled by different people",
		"proven": crowd.filled == 4,
		"holds": crowd.filled == 4,
	} in checks
}

test_an_author_who_approves_is_named if {
	checks := rule.must with input as testing.changed(given([approval("Bob@Bank.example", "risk_officer")]))
	{
		"term": "independent",
		"measured": ["bob@bank.example"],
		"comparison": "==",
		"bound": [],
		"bound_set_at": null,
		"origin": "measured",
		"collector": "approvals",
		"n": null,
		"interval": null,
		"unit": null,
		"proven": false,
		"holds": false,
	} in checks
}

signed := object.union(approval("carol", "model_owner"), {
	"entry": "019a0000-0000-7000-8000-000000000001",
	"index": 4,
	"keyid": "SHA256:carol",
	"shown": [finding],
	"revoked_by": null,
})

finding := {
	"rule": "fairness.demographic_parity",
	"term": "sex",
	"level": "must",
	"outcome": "passed",
	"measured": 0.04,
	"comparison": "<=",
	"bound": 0.05,
}

people := {"carol": {
	"keys": {"SHA256:carol": "ssh-ed25519 AAAA"},
	"roles": ["model_owner"],
	"identities": ["carol@home.example"],
}}

basis := {"findings": [finding], "resting": set(), "ages": set()}

test_a_signed_approval_counts_while_its_findings_hold if {
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(given([signed, dora]))
		with data.mandate.people as people
		with data.mandate.lib.approvals.basis as basis
	judged == verdicts("holds", "holds", "holds", "holds")
}

test_where_one_no_longer_counts_the_check_says_why if {
	checks := rule.must with input as testing.changed(given([signed, dora]))
		with data.mandate.people as people
		with data.mandate.lib.approvals.basis as object.union(basis, {"findings": []})
	{check.why | some check in checks; check.term == "model_owner"} == {concat("", [
		"The approval by carol of 2026-11-19T10:00:00Z (entry 4) does not count: since then, ",
		"fairness.demographic_parity for sex was 0.04 (<= 0.05, passed) and is not judged.",
	])}
}

test_an_author_is_found_by_any_name_that_the_policies_know if {
	changes := array.concat(given([signed, dora]), [testing.replaced("/model/source/user", "carol@home.example")])
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(changes)
		with data.mandate.people as people
		with data.mandate.lib.approvals.basis as basis
	judged == verdicts("holds", "holds", "holds", "fails")
}

test_a_role_with_the_name_of_another_term_is_refused[name] if {
	some name in ["independent", "different people"]
	required := {name: {"default": {"value": 0, "set_at": "x:1"}}}
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed([testing.replaced("/developers", [])])
		with data.mandate.thresholds.approvals.required as required
	judged[name] == "fails"
}
