package mandate.rules.lending.data_age_test

import data.mandate.rules.lending.data_age as rule
import data.mandate.testing

# The request is of 2026-11-20T09:30:00Z.
as_of(instant) := [testing.replaced("/provenance/data/as_of", instant)]

cases := {
	"45 days pass": {"changes": as_of("2026-10-06T09:30:00Z"), "verdicts": {"data.as_of": "holds"}},
	"a second more fails": {"changes": as_of("2026-10-06T09:29:59Z"), "verdicts": {"data.as_of": "fails"}},
	"data of this instant pass": {"changes": as_of("2026-11-20T09:30:00Z"), "verdicts": {"data.as_of": "holds"}},
	"data from the future fail": {"changes": as_of("2026-11-20T09:30:01Z"), "verdicts": {"data.as_of": "fails"}},
	"null has no verdict": {"changes": as_of(null), "verdicts": {"data.as_of": "no verdict"}},
	"a date without a time has no verdict": {"changes": as_of("2026-11-01"), "verdicts": {"data.as_of": "no verdict"}},
	"an empty list has no verdict": {"changes": as_of([]), "verdicts": {"data.as_of": "no verdict"}},
	"text in place of the data has no verdict": {
		"changes": [testing.replaced("/provenance/data", "of November")],
		"verdicts": {"data.as_of": "no verdict"},
	},
	"no section has no verdict": {
		"changes": [testing.removed("/provenance")],
		"verdicts": {"data.as_of": "no verdict"},
	},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}
