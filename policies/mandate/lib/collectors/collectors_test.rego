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
