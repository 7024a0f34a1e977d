package mandate.lib.facts_test

import data.mandate.lib.facts

collected(name, origin) := {"name": name, "status": "collected", "origin": origin}

document := {"collection": [
	collected("drift", "measured"),
	collected("fairness", "measured"),
	collected("claim", "reported"),
	{"name": "missing", "status": "missing", "reason": ""},
	{"name": "failed", "status": "failed", "reason": ""},
]}

interval := {"lower": 0.1, "upper": 0.2, "level": 0.95, "method": "Wilson score"}

stated := {"name": "rate", "value": 0.15, "sample_size": 90, "origin": "measured", "interval": interval}

test_a_figure_is_a_fact if {
	facts.figure("fairness", stated) == {
		"measured": 0.15,
		"origin": "measured",
		"n": 90,
		"interval": interval,
		"collector": "fairness",
		"unit": null,
	} with input as document
}

test_a_bare_figure_is_a_reported_fact if {
	facts.figure("fairness", {"value": 0.15}) == {
		"measured": 0.15,
		"origin": "reported",
		"n": null,
		"interval": null,
		"collector": "fairness",
		"unit": null,
	} with input as document
}

test_the_weakest_origin_holds[note] if {
	some note, case in {
		"a measured figure of a measured section": {"collector": "fairness", "origin": "measured", "is": "measured"},
		"a reported figure of a measured section": {"collector": "fairness", "origin": "reported", "is": "reported"},
		"a measured figure of a claim": {"collector": "claim", "origin": "measured", "is": "reported"},
		"a figure of a strange origin": {"collector": "fairness", "origin": "proven", "is": "reported"},
	}
	fact := facts.figure(case.collector, object.union(stated, {"origin": case.origin})) with input as document
	fact.origin == case.is
}

test_a_figure_is_as_weak_as_the_one_it_is_compared_with if {
	fact := facts.compared("fairness", stated, object.union(stated, {"value": 1, "origin": "reported"})) with input as document
	fact.measured == 0.15
	fact.origin == "reported"
}

test_what_was_not_collected_is_no_fact[name] if {
	some name in ["missing", "failed", "unheard of"]
	not facts.figure(name, stated) with input as document
	not facts.derived(name, 1) with input as document
	not facts.quantity(name, 1, "rows") with input as document
	not facts.joint(["fairness", name], 1) with input as document
	not facts.joint([name, "fairness"], 1) with input as document
}

test_a_figure_without_a_value_is_no_fact if {
	not facts.figure("fairness", {"name": "rate", "origin": "measured"}) with input as document
	not facts.figure("fairness", null) with input as document
}

test_a_figure_without_rows_is_no_fact if {
	nothing := object.union(stated, {"sample_size": 0})
	not facts.figure("fairness", nothing) with input as document
	not facts.share("fairness", nothing) with input as document
	not facts.compared("fairness", nothing, stated) with input as document
}

test_a_quantity_has_a_unit if {
	facts.quantity("fairness", 3, "rows") == {
		"measured": 3,
		"origin": "measured",
		"n": null,
		"interval": null,
		"collector": "fairness",
		"unit": "rows",
	} with input as document
}

test_a_fact_of_several_collectors_is_as_weak_as_the_weakest if {
	facts.joint(["drift", "fairness"], true).origin == "measured" with input as document
	facts.joint(["fairness", "claim"], true) == {
		"measured": true,
		"origin": "reported",
		"n": null,
		"interval": null,
		"collector": "fairness",
		"unit": null,
	} with input as document
}

test_a_set_becomes_a_list_in_order if {
	facts.derived("fairness", {"b", "a"}).measured == ["a", "b"] with input as document
}

test_an_age_is_in_days_and_moves_by_itself if {
	age := facts.age("provenance", "2026-11-08T21:30:00Z") with input as {"request": {"time": "2026-11-20T09:30:00Z"}, "collection": [{"name": "provenance", "status": "collected", "origin": "measured"}]}
	age == {
		"measured": 11.5,
		"origin": "measured",
		"n": null,
		"interval": null,
		"collector": "provenance",
		"unit": "days",
		"ages": true,
	}
}
