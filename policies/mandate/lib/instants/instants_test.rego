package mandate.lib.instants_test

import data.mandate.lib.instants

request := {"request": {"time": "2026-11-20T09:30:00.5Z"}}

come := ["2026-11-20T09:30:00.5Z", "2026-11-20T09:30:00Z", "2026-11-20T09:30:00.499999Z", "0001-01-01T00:00:00Z"]

to_come := ["2026-11-20T09:30:00.500001Z", "2026-11-20T09:30:01Z", "9999-12-31T23:59:59Z"]

no_instants := [
	"2026-11-20T09:30:00+00:00", "2026-11-20T09:30:00", "2026-11-20", "2026-11-20 09:30:00Z",
	"2026-11-20T09:30:00Z\n", " 2026-11-20T09:30:00Z", "", "NaN", null, true, 1795000000, ["2026-11-20T09:30:00Z"],
]

test_what_has_come[instant] if {
	some instant in come
	instants.has_come(instant) with input as request
	not instants.is_to_come(instant) with input as request
}

# Whoever writes more zeros writes the same instant: neither a rule's nor a waiver's last one moves by it.
test_zeros_at_the_end_of_a_fraction_change_nothing[note] if {
	some now, same in {
		"2026-11-20T09:30:00.5Z": ["2026-11-20T09:30:00.50Z", "2026-11-20T09:30:00.500000000Z"],
		"2026-11-20T09:30:00Z": ["2026-11-20T09:30:00.0Z", "2026-11-20T09:30:00.000000000Z"],
	}
	some instant in same
	note := sprintf("%s at %s", [instant, now])
	instants.has_come(instant) with input as {"request": {"time": now}}
	not instants.is_to_come(instant) with input as {"request": {"time": now}}
}

test_what_is_to_come[instant] if {
	some instant in to_come
	instants.is_to_come(instant) with input as request
	not instants.has_come(instant) with input as request
}

test_what_is_no_instant_neither_has_come_nor_is_to_come[note] if {
	some index, text in no_instants
	note := sprintf("%d", [index])
	not instants.has_come(text) with input as request
	not instants.is_to_come(text) with input as request
	not instants.days_since(text) with input as request
}

test_without_a_time_of_the_request_nothing_has_come_or_is_to_come if {
	not instants.now with input as {}
	not instants.has_come("0001-01-01T00:00:00Z") with input as {}
	not instants.is_to_come("9999-12-31T23:59:59Z") with input as {}
}

test_days_are_counted if {
	instants.days_since("2026-11-19T09:30:00.5Z") == 1 with input as request
	instants.days_since("2026-11-21T21:30:00.5Z") == -1.5 with input as request
}

test_days_between_two_instants if {
	instants.days_between("2026-01-01T00:00:00Z", "2026-04-01T12:00:00Z") == 90.5
	not instants.days_between("2026-01-01T00:00:00Z", null)
	not instants.days_between("2026-01-01", "2026-04-01T12:00:00Z")
}

test_years_that_cannot_be_counted_have_no_days[year] if {
	some year in ["0001", "1699", "2200", "9999"]
	not instants.days_since(concat("", [year, "-01-01T00:00:00Z"])) with input as request
}
