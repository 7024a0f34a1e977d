package mandate.rules.drift.psi_test

import data.mandate.rules.drift.psi as rule
import data.mandate.testing

# One column is enough to see.
one(changes) := array.concat([testing.replaced("/drift/columns", [testing.good.drift.columns[0]])], changes)

psi(value) := testing.replaced("/drift/columns/0/psi/value", value)

share(value) := testing.replaced("/drift/drifted_share/value", value)

monitored := testing.replaced("/request/action", "monitor")

share_of_columns := "share of drifted columns"

verdicts(column, columns) := {"pirat": column, share_of_columns: columns}

cases := {
	"at the bound passes": {"changes": one([psi(0.25)]), "verdicts": verdicts("holds", "holds")},
	"just above fails": {"changes": one([psi(0.2501)]), "verdicts": verdicts("fails", "holds")},
	"in service at the bound passes": {"changes": one([psi(0.2), monitored]), "verdicts": verdicts("holds", "holds")},
	"in service just above fails": {"changes": one([psi(0.2001), monitored]), "verdicts": verdicts("fails", "holds")},
	"NaN fails": {"changes": one([psi("NaN")]), "verdicts": verdicts("fails", "holds")},
	"null fails": {"changes": one([psi(null)]), "verdicts": verdicts("fails", "holds")},
	"a string fails": {"changes": one([psi("0.1")]), "verdicts": verdicts("fails", "holds")},
	"a column that is not in both has no verdict": {
		"changes": one([testing.replaced("/drift/columns/0/psi", null)]),
		"verdicts": verdicts("no verdict", "holds"),
	},
	"a share at the bound passes": {"changes": one([share(0.05)]), "verdicts": verdicts("holds", "holds")},
	"a share just above fails": {"changes": one([share(0.0501)]), "verdicts": verdicts("holds", "fails")},
	"a share that is NaN fails": {"changes": one([share("NaN")]), "verdicts": verdicts("holds", "fails")},
	"a share that is absent has no verdict": {
		"changes": one([testing.removed("/drift/drifted_share")]),
		"verdicts": verdicts("holds", "no verdict"),
	},
	"data without columns have no verdict": {
		"changes": [testing.replaced("/drift/columns", [])],
		"verdicts": {"columns": "no verdict", share_of_columns: "holds"},
	},
	"no section has no verdict": {
		"changes": [testing.removed("/drift")],
		"verdicts": {"columns": "no verdict", share_of_columns: "no verdict"},
	},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}

test_every_column_is_judged if {
	count(rule.must) == count(testing.good.drift.columns) + 1 with input as testing.good
}

test_a_check_says_who_measured_what_and_what_the_bound_is if {
	checks := rule.must with input as testing.good
	{
		"term": "pirat",
		"measured": 0.031,
		"comparison": "<=",
		"bound": 0.25,
		"bound_set_at": "thresholds/drift.yaml:5",
		"origin": "measured",
		"collector": "drift",
		"n": 476,
		"interval": null,
		"unit": null,
		"proven": true,
		"holds": true,
	} in checks
}

# Otherwise the column's verdict would stand for the share's where the share is impossible.
test_a_column_with_the_name_of_another_term_is_refused[name] if {
	some name in ["share of drifted columns", "columns"]
	column := object.union(testing.good.drift.columns[0], {"name": name})
	changes := [testing.replaced("/drift/columns", [column]), share(2)]
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(changes)
	judged[name] == "fails"
}
