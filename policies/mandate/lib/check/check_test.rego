package mandate.lib.check_test

import data.mandate.lib.check
import data.mandate.lib.thresholds

production := {"request": {"environment": "production"}}

fact(value) := {
	"measured": value,
	"origin": "measured",
	"n": 90,
	"interval": null,
	"collector": "fairness",
	"unit": null,
}

# Whatever is not a number, however Rego would order it beside one.
no_numbers := [null, true, false, "", "0.5", "NaN", "Infinity", "-Infinity", [], [0.5], {}, {"value": 0.5}]

test_a_check_is_the_fact_beside_the_bound if {
	check.at_most("afam", fact(0.04), {"value": 0.05, "set_at": "x:4"}) == {
		"term": "afam",
		"measured": 0.04,
		"comparison": "<=",
		"bound": 0.05,
		"bound_set_at": "x:4",
		"origin": "measured",
		"collector": "fairness",
		"n": 90,
		"interval": null,
		"unit": null,
		"proven": true,
		"holds": true,
	} with input as production
}

test_comparisons[note] if {
	some note, case in {
		"at most, below": {"check": check.at_most("x", fact(0.49), thresholds.fixed(0.5)), "proven": true},
		"at most, on it": {"check": check.at_most("x", fact(0.5), thresholds.fixed(0.5)), "proven": true},
		"at most, above": {"check": check.at_most("x", fact(0.51), thresholds.fixed(0.5)), "proven": false},
		"at least, below": {"check": check.at_least("x", fact(0.49), thresholds.fixed(0.5)), "proven": false},
		"at least, on it": {"check": check.at_least("x", fact(0.5), thresholds.fixed(0.5)), "proven": true},
		"at least, above": {"check": check.at_least("x", fact(0.51), thresholds.fixed(0.5)), "proven": true},
		"equals": {"check": check.equals("x", fact("a"), thresholds.fixed("a")), "proven": true},
		"equals, false": {"check": check.equals("x", fact(false), thresholds.fixed(false)), "proven": true},
		"equals, zero is not false": {"check": check.equals("x", fact(0), thresholds.fixed(false)), "proven": false},
		"equals, another": {"check": check.equals("x", fact("a"), thresholds.fixed("b")), "proven": false},
		"equals, another type": {"check": check.equals("x", fact("1"), thresholds.fixed(1)), "proven": false},
		"equals, null": {"check": check.equals("x", fact(null), thresholds.fixed(null)), "proven": false},
		"equals, empty": {"check": check.equals("x", fact(""), thresholds.fixed("")), "proven": false},
		"one of": {"check": check.one_of("x", fact("a"), thresholds.fixed(["b", "a"])), "proven": true},
		"one of, none": {"check": check.one_of("x", fact("a"), thresholds.fixed(["b"])), "proven": false},
		"one of, empty": {"check": check.one_of("x", fact("a"), thresholds.fixed([])), "proven": false},
		"one of, null": {"check": check.one_of("x", fact(null), thresholds.fixed([null])), "proven": false},
		"one of, empty text": {"check": check.one_of("x", fact(""), thresholds.fixed([""])), "proven": false},
		"one of, no list": {"check": check.one_of("x", fact("a"), thresholds.fixed({"k": "a"})), "proven": false},
		"includes": {"check": check.includes("x", fact(["a", "b"]), thresholds.fixed(["b"])), "proven": true},
		"includes, not all": {"check": check.includes("x", fact(["a"]), thresholds.fixed(["a", "b"])), "proven": false},
		"includes, nothing asked": {"check": check.includes("x", fact(["a"]), thresholds.fixed([])), "proven": false},
		"includes, null": {"check": check.includes("x", fact([null]), thresholds.fixed([null])), "proven": false},
		"includes, no list": {"check": check.includes("x", fact("ab"), thresholds.fixed(["a"])), "proven": false},
		"includes, no list asked": {"check": check.includes("x", fact(["a"]), thresholds.fixed("a")), "proven": false},
		"present": {"check": check.present("x", fact("a")), "proven": true},
		"present, false": {"check": check.present("x", fact(false)), "proven": true},
		"present, zero": {"check": check.present("x", fact(0)), "proven": true},
		"present, null": {"check": check.present("x", fact(null)), "proven": false},
		"present, empty text": {"check": check.present("x", fact("")), "proven": false},
		"present, blank text": {"check": check.present("x", fact(" \t")), "proven": false},
		"present, empty list": {"check": check.present("x", fact([])), "proven": false},
		"present, empty object": {"check": check.present("x", fact({})), "proven": false},
	} with input as production
	case.check.proven == case.proven
	case.check.holds == case.proven
}

test_what_is_no_number_is_never_within_a_bound[note] if {
	some index, value in no_numbers
	note := sprintf("%d", [index])
	not check.at_most("x", fact(value), thresholds.fixed(0.5)).holds with input as production
	not check.at_least("x", fact(value), thresholds.fixed(0.5)).holds with input as production
	not check.at_most("x", fact(0.5), thresholds.fixed(value)).holds with input as production
	not check.at_least("x", fact(0.5), thresholds.fixed(value)).holds with input as production
	not check.at_most("x", fact(value), thresholds.fixed(value)).holds with input as production
	not check.at_least("x", fact(value), thresholds.fixed(value)).holds with input as production
}

origins := {
	"measured in production": {"origin": "measured", "environment": "production", "holds": true},
	"reported in production": {"origin": "reported", "environment": "production", "holds": false},
	"measured in staging": {"origin": "measured", "environment": "staging", "holds": true},
	"reported in staging": {"origin": "reported", "environment": "staging", "holds": true},
	"unheard of in staging": {"origin": "unheard of", "environment": "staging", "holds": false},
	"null in staging": {"origin": null, "environment": "staging", "holds": false},
	"measured in an unknown environment": {"origin": "measured", "environment": "unheard of", "holds": false},
}

test_what_is_proven_holds_only_from_an_accepted_origin[note] if {
	some note, case in origins
	checked := check.at_most("x", object.union(fact(0), {"origin": case.origin}), thresholds.fixed(1)) with input as {"request": {"environment": case.environment}}
	checked.proven == true
	checked.holds == case.holds
}

test_without_a_fact_or_a_bound_there_is_no_check if {
	not check.at_most("x", null, thresholds.fixed(1)) with input as production
	not check.at_most("x", fact(1), null) with input as production
	not check.present("x", {}) with input as production
}
