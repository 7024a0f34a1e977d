package mandate.lib.waivers_test

import data.mandate.lib.waivers
import data.mandate.testing

waiver := {
	"id": "w-2",
	"rule": "drift.psi:pirat",
	"subject_sha256": testing.good.subject.sha256,
	"approver": "dora@bank.example",
	"reason": "the branch was closed for a month",
	"reference": "MRM-120",
	"effective_on": "2026-11-20T09:30:00Z",
	"expires": "2026-12-20T09:30:00Z",
}

with_waivers(waivers, changes) := testing.changed(array.concat([testing.replaced("/waivers", waivers)], changes))

test_a_waiver_for_the_term_counts if {
	waivers.of("drift.psi", "pirat") == waiver with input as with_waivers([waiver], [])
}

test_a_waiver_for_the_rule_counts_for_every_term if {
	whole := object.union(waiver, {"rule": "drift.psi"})
	waivers.of("drift.psi", "pirat") == whole with input as with_waivers([whole], [])
}

test_of_several_the_first_by_id_is_named if {
	several := [waiver, object.union(waiver, {"id": "w-1", "rule": "drift.psi"}), object.union(waiver, {"id": "w-3"})]
	waivers.of("drift.psi", "pirat").id == "w-1" with input as with_waivers(several, [])
}

test_what_does_not_count[note] if {
	some note, change in {
		"another rule": {"rule": "drift.missing_data:pirat"},
		"another term": {"rule": "drift.psi:income"},
		"a category": {"rule": "drift"},
		"everything": {"rule": "*"},
		"another artifact": {"subject_sha256": crypto.sha256("another artifact")},
		"not yet": {"effective_on": "2026-11-20T09:30:01Z"},
		"since no instant": {"effective_on": null},
		"expired at this instant": {"expires": "2026-11-20T09:30:00Z"},
		"never to expire": {"expires": null},
		"expired in another time zone": {"expires": "2026-12-20T09:30:00+01:00"},
	}
	not waivers.of("drift.psi", "pirat") with input as with_waivers([object.union(waiver, change)], [])
}

test_only_waivers_that_mandate_read_are_believed[note] if {
	some note, change in {
		"reported": testing.replaced("/collection/9/origin", "reported"),
		"missing": testing.replaced("/collection/9", {"name": "waivers", "status": "missing", "reason": ""}),
		"not asked": testing.removed("/collection/9"),
	}
	not waivers.of("drift.psi", "pirat") with input as with_waivers([waiver], [change])
}

test_an_artifact_without_a_digest_has_no_waiver if {
	nameless := object.union(waiver, {"subject_sha256": null})
	changed := with_waivers([nameless], [testing.replaced("/subject/sha256", null)])
	not waivers.of("drift.psi", "pirat") with input as changed
}
