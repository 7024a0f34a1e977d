package mandate.lib.waivers_test

import data.mandate.lib.waivers
import data.mandate.testing

# Of the input, for an artifact.
waiver := {
	"id": "w-2",
	"rule": "drift.psi:pirat",
	"subject_sha256": testing.good.subject.sha256,
	"approver": "dora@bank.example",
	"reason": "the branch was closed for a month",
	"reference": "MRM-120",
	"effective_on": "2026-11-20T09:30:00Z",
	"expires": "2026-12-20T09:30:00Z",
	"index": 7,
	"keyid": "SHA256:risk_officer",
	"revoked_by": null,
}

# Of the policies, for a version.
reviewed := object.union(object.remove(waiver, ["subject_sha256", "index", "keyid", "revoked_by"]), {
	"id": "organisation/waivers/credit.yaml:3",
	"subject": {"name": testing.good.subject.name, "version": testing.good.subject.version},
})

with_waivers(waivers, changes) := testing.changed(array.concat([testing.replaced("/waivers", waivers)], changes))

test_a_waiver_for_the_term_counts if {
	waivers.of("drift.psi", "pirat") == waiver with input as with_waivers([waiver], []) with data.mandate.people as testing.people
	waivers.of("drift.psi", "pirat") == reviewed with input as testing.good with data.mandate.waivers as [reviewed]
}

test_a_waiver_for_the_rule_counts_for_every_term if {
	whole := object.union(waiver, {"rule": "drift.psi"})
	waivers.of("drift.psi", "pirat") == whole with input as with_waivers([whole], []) with data.mandate.people as testing.people
}

test_of_several_the_first_by_id_is_named if {
	several := [waiver, object.union(waiver, {"id": "w-1", "rule": "drift.psi"}), object.union(waiver, {"id": "w-3"})]
	waivers.of("drift.psi", "pirat").id == "w-1" with input as with_waivers(several, [])
		with data.mandate.people as testing.people
}

changes_that_void := {
	"another rule": {"rule": "drift.missing_data:pirat"},
	"another term": {"rule": "drift.psi:income"},
	"a category": {"rule": "drift"},
	"everything": {"rule": "*"},
	"not yet": {"effective_on": "2026-11-20T09:30:01Z"},
	"since no instant": {"effective_on": null},
	"expired at this instant": {"expires": "2026-11-20T09:30:00Z"},
	"never to expire": {"expires": null},
	"expired in another time zone": {"expires": "2026-12-20T09:30:00+01:00"},
	"for too long": {"expires": "2027-02-18T09:30:01Z"},
}

test_what_does_not_count[note] if {
	some note, change in changes_that_void
	not waivers.of("drift.psi", "pirat") with input as with_waivers([object.union(waiver, change)], [])
		with data.mandate.people as testing.people
	not waivers.of("drift.psi", "pirat") with input as testing.good
		with data.mandate.waivers as [object.union(reviewed, change)]
}

test_a_waiver_may_last_as_long_as_is_allowed if {
	longest := object.union(waiver, {"expires": "2027-02-18T09:30:00Z"})
	waivers.of("drift.psi", "pirat") == longest with input as with_waivers([longest], [])
		with data.mandate.people as testing.people
}

test_where_nothing_says_how_long_none_counts if {
	reports := waivers.reports(set()) with input as with_waivers([waiver], [])
		with data.mandate.thresholds.waivers.longest_days as {}
	[report.warning | some report in reports] == ["It does not count: nothing says how long a waiver may last."]
}

test_a_waiver_is_for_its_subject_alone[note] if {
	some note, subject in {
		"another artifact": {"sha256": crypto.sha256("another artifact")},
		"no artifact": {"sha256": null},
		"another model": {"name": "churn", "version": testing.good.subject.version},
		"another version": {"name": testing.good.subject.name, "version": "41"},
		"every version": {"name": testing.good.subject.name},
		"every model": {"version": testing.good.subject.version},
		"nothing": {},
	}
	about := object.union(object.remove(reviewed, ["subject"]), {"subject": subject})
	not waivers.of("drift.psi", "pirat") with input as testing.good with data.mandate.waivers as [about]
	waivers.reports(set()) == [] with input as testing.good with data.mandate.waivers as [about]
}

test_only_waivers_that_mandate_read_are_believed[note] if {
	some note, change in {
		"reported": testing.replaced("/collection/9/origin", "reported"),
		"missing": testing.replaced("/collection/9", {"name": "waivers", "status": "missing", "reason": ""}),
		"not asked": testing.removed("/collection/9"),
	}
	not waivers.of("drift.psi", "pirat") with input as with_waivers([waiver], [change]) with data.mandate.people as testing.people
}

test_an_artifact_without_a_digest_has_no_waiver if {
	nameless := object.union(waiver, {"subject_sha256": null})
	changed := with_waivers([nameless], [testing.replaced("/subject/sha256", null)])
	not waivers.of("drift.psi", "pirat") with input as changed with data.mandate.people as testing.people
}

# Why a waiver of the log does not count, by what is changed in it or in the people.
unsigned := {
	"somebody unknown": {
		"change": {"approver": "eve@bank.example"},
		"people": {},
		"flaw": "the policies know no such person",
	},
	"nobody": {"change": {"approver": " "}, "people": {}, "flaw": "the policies know no such person"},
	"another's key": {
		"change": {"keyid": "SHA256:model_owner"},
		"people": {},
		"flaw": "it is signed by a key that is not theirs",
	},
	"no key": {"change": {"keyid": null}, "people": {}, "flaw": "it is signed by a key that is not theirs"},
	"revoked": {
		"change": {"revoked_by": "dora@bank.example, in entry 9,"},
		"people": {},
		"flaw": "dora@bank.example, in entry 9, revoked it",
	},
	"another role": {
		"change": {},
		"people": {"dora@bank.example": {"roles": ["model_owner"]}},
		"flaw": "no role of its approver may waive",
	},
	"an author": {
		"change": {},
		"people": {"dora@bank.example": {"identities": ["bob@bank.example"]}},
		"flaw": "its approver is an author of the model",
	},
}

test_a_waiver_of_the_log_counts_by_who_signed_it[note] if {
	some note, case in unsigned
	changed := with_waivers([object.union(waiver, case.change)], [])
	changed_people := object.union(testing.people, case.people)
	not waivers.of("drift.psi", "pirat") with input as changed with data.mandate.people as changed_people
	reports := waivers.reports(set()) with input as changed with data.mandate.people as changed_people
	[report.warning | some report in reports] == [sprintf("It does not count: %s.", [case.flaw])]
}

test_a_reviewed_waiver_needs_no_signature if {
	waivers.of("drift.psi", "pirat") == reviewed with input as testing.good
		with data.mandate.waivers as [reviewed]
		with data.mandate.people as {}
}

# What is reported of a waiver, by what is changed in it and whether a violation needed it.
reports := {
	"in force and needed": {
		"change": {"expires": "2026-12-20T09:30:01Z"},
		"used": true,
		"status": "in force",
		"warning": null,
	},
	"about to expire": {
		"change": {},
		"used": true,
		"status": "in force",
		"warning": "It expires at 2026-12-20T09:30:00Z, and then this denies.",
	},
	"in force and not needed": {
		"change": {},
		"used": false,
		"status": "in force",
		"warning": "Nothing needs it: there is no such violation. Remove it.",
	},
	"in force for a rule that does not judge now": {
		"change": {"rule": "performance.minimum"},
		"action": "monitor",
		"used": false,
		"status": "in force",
		"warning": null,
	},
	"pending": {
		"change": {"effective_on": "2026-11-20T09:30:01Z"},
		"used": false,
		"status": "pending",
		"warning": "It counts from 2026-11-20T09:30:01Z.",
	},
	"expired": {
		"change": {"effective_on": "2026-11-01T00:00:00Z", "expires": "2026-11-20T09:30:00Z"},
		"used": false,
		"status": "expired",
		"warning": "It expired at 2026-11-20T09:30:00Z. Remove it, or decide anew.",
	},
	"too long": {
		"change": {"expires": "2027-02-18T09:30:01Z"},
		"used": false,
		"status": "void",
		"warning": "It does not count: it lasts longer than the 90 days that are allowed.",
	},
	"without an end": {
		"change": {"expires": null},
		"used": false,
		"status": "void",
		"warning": "It does not count: it has no instant from which, or until which, it holds.",
	},
	"of no rule": {
		"change": {"rule": "drift.pssi"},
		"used": false,
		"status": "void",
		"warning": "It does not count: there is no such rule.",
	},
	"of what cannot be waived": {
		"change": {"rule": "registry.digest"},
		"used": false,
		"status": "void",
		"warning": "It does not count: the rule cannot be waived.",
	},
}

test_reports[note] if {
	some note, case in reports
	changed := object.union(reviewed, case.change)
	used := {reviewed.id | case.used}
	request := testing.changed([testing.replaced("/request/action", object.get(case, "action", "promote"))])
	found := waivers.reports(used) with input as request with data.mandate.waivers as [changed]
	found == [{
		"id": reviewed.id,
		"rule": changed.rule,
		"approver": "dora@bank.example",
		"reference": "MRM-120",
		"expires": changed.expires,
		"status": case.status,
		"used": case.used,
		"warning": case.warning,
	}]
}

test_reports_are_in_the_order_of_ids if {
	found := waivers.reports(set()) with input as with_waivers([waiver, object.union(waiver, {"id": "a"})], [])
		with data.mandate.waivers as [reviewed]
	[report.id | some report in found] == ["a", reviewed.id, "w-2"]
}
