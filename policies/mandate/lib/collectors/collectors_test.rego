package mandate.lib.collectors_test

import data.mandate.lib.collectors

collection := [
	{"name": "fairness", "status": "collected", "origin": "measured"},
	{"name": "drift", "status": "missing", "reason": "not configured"},
	{"name": "twice", "status": "missing", "reason": "not configured"},
	{"name": "twice", "status": "collected", "origin": "measured"},
	{"name": "same", "status": "collected", "origin": "measured"},
	{"name": "same", "status": "collected", "origin": "measured"},
]

test_an_entry_is_found_by_its_name if {
	collectors.entry("drift").status == collection[1].status with input as {"collection": collection}
}

test_two_entries_that_disagree_are_none if {
	not collectors.entry("twice") with input as {"collection": collection}
}

test_the_same_entry_twice_is_one if {
	collectors.collected("same").origin == collection[4].origin with input as {"collection": collection}
}

test_only_what_was_collected_is_collected[name] if {
	some name in ["drift", "twice", "unheard of"]
	not collectors.collected(name) with input as {"collection": collection}
}

test_without_a_collection_nothing_is_collected if {
	not collectors.collected("fairness") with input as {}
}

reused(name, collected_at) := {
	"name": name,
	"status": "collected",
	"origin": "measured",
	"collected_at": collected_at,
	"reused": {"entry": "0199", "index": 7, "keyid": "SHA256:x"},
}

question(entries) := {
	"request": {"environment": "staging", "time": "2026-11-20T09:30:00Z"},
	"subject": {"name": "credit", "risk_tier": "low"},
	"collection": entries,
}

minutes := {
	"fairness": {"default": {"value": 0, "set_at": "x:1"}, "environments": {"staging": {"value": 10, "set_at": "x:2"}}},
	"drift": {"default": {"value": 0, "set_at": "x:3"}},
}

test_facts_of_an_earlier_question_count_while_they_are_fresh[note] if {
	some note, case in {
		"fresh": {"name": "fairness", "at": "2026-11-20T09:20:00Z", "counts": true},
		"stale by a second": {"name": "fairness", "at": "2026-11-20T09:19:59Z", "counts": false},
		"of days ago": {"name": "fairness", "at": "2026-11-01T09:20:00Z", "counts": false},
		"yet to come": {"name": "fairness", "at": "2026-11-20T09:31:00Z", "counts": false},
		"no instant": {"name": "fairness", "at": "yesterday", "counts": false},
		"no time": {"name": "fairness", "at": null, "counts": false},
		"where they are collected anew": {"name": "drift", "at": "2026-11-20T09:29:59Z", "counts": false},
		"where nothing says how long": {"name": "performance", "at": "2026-11-20T09:29:59Z", "counts": false},
	}
	document := question([reused(case.name, case.at)])
	found := [one | one := collectors.collected(case.name)] with input as document with data.mandate.thresholds.evidence.fresh_minutes as minutes
	count(found) == {true: 1, false: 0}[case.counts]
}

test_facts_that_were_collected_for_this_question_are_not_asked_how_old_they_are if {
	entry := object.remove(reused("drift", "2020-01-01T00:00:00Z"), ["reused"])
	collectors.collected("drift") == entry with input as question([entry]) with data.mandate.thresholds.evidence.fresh_minutes as minutes
}
