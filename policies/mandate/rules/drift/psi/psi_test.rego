package mandate.rules.drift.psi_test

import data.mandate.rules.drift.psi as rule
import data.mandate.testing

# One column is enough to see.
one(changes) := array.concat([testing.replaced("/drift/columns", [testing.good.drift.columns[0]])], changes)

psi(value) := testing.replaced("/drift/columns/0/psi/value", value)

share(value) := testing.replaced("/drift/drifted_share/value", value)

monitored := testing.replaced("/request/action", "monitor")

share_of_columns := "share of drifted columns"

cases := {
	"at the bound passes": {"changes": [psi(0.25)], "pirat": "holds", "share": "holds"},
	"just above fails": {"changes": [psi(0.2501)], "pirat": "fails", "share": "holds"},
	"in service at the bound passes": {"changes": [psi(0.2), monitored], "pirat": "holds", "share": "holds"},
	"in service just above fails": {"changes": [psi(0.2001), monitored], "pirat": "fails", "share": "holds"},
	"NaN fails": {"changes": [psi("NaN")], "pirat": "fails", "share": "holds"},
	"null fails": {"changes": [psi(null)], "pirat": "fails", "share": "holds"},
	"a string fails": {"changes": [psi("0.1")], "pirat": "fails", "share": "holds"},
	"a column that is not in both has no verdict": {
		"changes": [testing.replaced("/drift/columns/0/psi", null)],
		"pirat": "no verdict",
		"share": "holds",
	},
	"a share at the bound passes": {"changes": [share(0.05)], "pirat": "holds", "share": "holds"},
	"a share just above fails": {"changes": [share(0.0501)], "pirat": "holds", "share": "fails"},
	"a share that is NaN fails": {"changes": [share("NaN")], "pirat": "holds", "share": "fails"},
	"a share that is absent has no verdict": {
		"changes": [testing.removed("/drift/drifted_share")],
		"pirat": "holds",
		"share": "no verdict",
	},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(one(case.changes))
	judged == {"pirat": case.pirat, share_of_columns: case.share}
}

test_data_without_columns_have_no_verdict if {
	changes := [testing.replaced("/drift/columns", [])]
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(changes)
	judged == {"columns": "no verdict", share_of_columns: "holds"}
}

test_without_a_section_there_is_no_verdict if {
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed([testing.removed("/drift")])
	judged == {"columns": "no verdict", share_of_columns: "no verdict"}
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
