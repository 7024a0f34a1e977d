package mandate.rules.provenance.data_age_test

import data.mandate.rules.provenance.data_age as rule
import data.mandate.testing

# The request is of 2026-11-20T09:30:00Z.
as_of(instant) := [testing.replaced("/provenance/data/as_of", instant)]

cases := {
	"30 days pass": {"changes": as_of("2026-10-21T09:30:00Z"), "verdicts": {"data.as_of": "holds"}},
	"a second more fails": {"changes": as_of("2026-10-21T09:29:59Z"), "verdicts": {"data.as_of": "fails"}},
	"data of this instant pass": {"changes": as_of("2026-11-20T09:30:00Z"), "verdicts": {"data.as_of": "holds"}},
	"data from the future fail": {"changes": as_of("2026-11-20T09:30:01Z"), "verdicts": {"data.as_of": "fails"}},
	"another time zone has no verdict": {"changes": as_of("2026-11-20T09:30:00+02:00"), "verdicts": {"data.as_of": "no verdict"}},
	"a date has no verdict": {"changes": as_of("2026-11-01"), "verdicts": {"data.as_of": "no verdict"}},
	"a year that cannot be counted has no verdict": {"changes": as_of("0001-01-01T00:00:00Z"), "verdicts": {"data.as_of": "no verdict"}},
	"NaN has no verdict": {"changes": as_of("NaN"), "verdicts": {"data.as_of": "no verdict"}},
	"null has no verdict": {"changes": as_of(null), "verdicts": {"data.as_of": "no verdict"}},
	"an empty list has no verdict": {"changes": as_of([]), "verdicts": {"data.as_of": "no verdict"}},
	"data that are text have no verdict": {
		"changes": [testing.replaced("/provenance/data", "2026-11-01T00:00:00Z")],
		"verdicts": {"data.as_of": "no verdict"},
	},
	"a number has no verdict": {"changes": as_of(1795000000), "verdicts": {"data.as_of": "no verdict"}},
	"no record has no verdict": {"changes": [testing.replaced("/provenance", null)], "verdicts": {"data.as_of": "no verdict"}},
	"a request without a time has no verdict": {"changes": [testing.removed("/request/time")], "verdicts": {"data.as_of": "no verdict"}},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}

test_the_age_is_in_days if {
	checks := rule.must with input as testing.changed(as_of("2026-11-08T21:30:00Z"))
	{
		"term": "data.as_of",
		"measured": 11.5,
		"comparison": "<=",
		"bound": 30,
		"bound_set_at": "thresholds/provenance.yaml:20",
		"origin": "measured",
		"collector": "provenance",
		"n": null,
		"interval": null,
		"unit": "days",
		"ages": true,
		"proven": true,
		"holds": true,
	} in checks
}
