package mandate.rules.drift.missing_data_test

import data.mandate.rules.drift.missing_data as rule
import data.mandate.testing

one(changes) := array.concat([testing.replaced("/drift/columns", [testing.good.drift.columns[0]])], changes)

increase(value) := testing.replaced("/drift/columns/0/null_rate_increase/value", value)

gone := [
	testing.replaced("/drift/columns/0/in_current", false),
	testing.replaced("/drift/columns/0/null_rate_increase", null),
]

cases := {
	"a rise of the bound passes": {"changes": one([increase(0.05)]), "verdicts": {"pirat": "holds"}},
	"a fall passes": {"changes": one([increase(-0.3)]), "verdicts": {"pirat": "holds"}},
	"a larger rise fails": {"changes": one([increase(0.0501)]), "verdicts": {"pirat": "fails"}},
	"NaN fails": {"changes": one([increase("NaN")]), "verdicts": {"pirat": "fails"}},
	"null fails": {"changes": one([increase(null)]), "verdicts": {"pirat": "fails"}},
	"a string fails": {"changes": one([increase("0")]), "verdicts": {"pirat": "fails"}},
	"a column that is gone fails": {"changes": one(gone), "verdicts": {"pirat": "fails"}},
	"a column that nobody says is there fails": {
		"changes": one([testing.removed("/drift/columns/0/in_current")]),
		"verdicts": {"pirat": "fails"},
	},
	"a column of which nobody knows whether it is there fails": {
		"changes": one([testing.replaced("/drift/columns/0/in_current", null)]),
		"verdicts": {"pirat": "fails"},
	},
	"a column whose nulls were not counted has no verdict": {
		"changes": one([testing.replaced("/drift/columns/0/null_rate_increase", null)]),
		"verdicts": {"pirat": "no verdict"},
	},
	"a column that is new is not missing, and proves nothing": {
		"changes": one([testing.replaced("/drift/columns/0/in_reference", false)]),
		"verdicts": {"*": "no verdict"},
	},
	"no columns have no verdict": {
		"changes": [testing.replaced("/drift/columns", [])],
		"verdicts": {"*": "no verdict"},
	},
	"no section has no verdict": {"changes": [testing.removed("/drift")], "verdicts": {"*": "no verdict"}},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}

test_a_column_that_is_gone_is_called_so if {
	rule.must == {{
		"term": "pirat",
		"measured": "gone",
		"comparison": "==",
		"bound": "there",
		"bound_set_at": null,
		"origin": "measured",
		"collector": "drift",
		"n": null,
		"interval": null,
		"unit": null,
		"proven": false,
		"holds": false,
	}} with input as testing.changed(one(gone))
}
