package mandate.rules.lending.equalized_odds_test

import data.mandate.rules.lending.equalized_odds as rule
import data.mandate.testing

# In the good input, the third metric of the first attribute.
value(measured) := [testing.replaced("/fairness/attributes/0/metrics/2/value", measured)]

cases := {
	"at the bound passes": {"changes": value(0.08), "verdicts": {"afam": "holds", "single": "holds"}},
	"just beyond the bound fails": {"changes": value(0.0801), "verdicts": {"afam": "fails", "single": "holds"}},
	"null fails": {"changes": value(null), "verdicts": {"afam": "fails", "single": "holds"}},
	"a string fails": {"changes": value("0.05"), "verdicts": {"afam": "fails", "single": "holds"}},
	"NaN fails": {"changes": value("NaN"), "verdicts": {"afam": "fails", "single": "holds"}},
	"a number below 0 is no difference": {"changes": value(-0.01), "verdicts": {"afam": "no verdict", "single": "holds"}},
	"without the figure there is no verdict": {
		"changes": [testing.removed("/fairness/attributes/0/metrics/2")],
		"verdicts": {"afam": "no verdict", "single": "holds"},
	},
	"no metrics have no verdict": {
		"changes": [testing.replaced("/fairness/attributes/0/metrics", [])],
		"verdicts": {"afam": "no verdict", "single": "holds"},
	},
	"no attributes have no verdict": {
		"changes": [testing.replaced("/fairness/attributes", [])],
		"verdicts": {"*": "no verdict"},
	},
	"no section has no verdict": {"changes": [testing.removed("/fairness")], "verdicts": {"*": "no verdict"}},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}
