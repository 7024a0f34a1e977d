package mandate.rules.fairness.demographic_parity_test

import data.mandate.rules.fairness.demographic_parity as rule
import data.mandate.testing

value(measured) := [testing.replaced("/fairness/attributes/0/metrics/0/value", measured)]

cases := {
	"at the bound passes": {"changes": value(0.05), "verdicts": {"afam": "holds", "single": "holds"}},
	"far on the good side passes": {"changes": value(0), "verdicts": {"afam": "holds", "single": "holds"}},
	"just beyond the bound fails": {"changes": value(0.0501), "verdicts": {"afam": "fails", "single": "holds"}},
	"below 0 it is no difference": {"changes": value(-0.01), "verdicts": {"afam": "no verdict", "single": "holds"}},
	"above 1 it is no difference": {"changes": value(1.01), "verdicts": {"afam": "no verdict", "single": "holds"}},
	"null fails": {"changes": value(null), "verdicts": {"afam": "fails", "single": "holds"}},
	"a string fails": {"changes": value("0.05"), "verdicts": {"afam": "fails", "single": "holds"}},
	"NaN fails": {"changes": value("NaN"), "verdicts": {"afam": "fails", "single": "holds"}},
	"infinity fails": {"changes": value("Infinity"), "verdicts": {"afam": "fails", "single": "holds"}},
	"false fails": {"changes": value(false), "verdicts": {"afam": "fails", "single": "holds"}},
	"one group fails": {
		"changes": [testing.removed("/fairness/attributes/0/groups/1")],
		"verdicts": {"afam": "fails", "single": "holds"},
	},
	"groups that are text fail": {
		"changes": [testing.replaced("/fairness/attributes/0/groups", "NaN")],
		"verdicts": {"afam": "fails", "single": "holds"},
	},
	"no groups fail": {
		"changes": [testing.replaced("/fairness/attributes/0/groups", [])],
		"verdicts": {"afam": "fails", "single": "holds"},
	},
	"two groups without a figure have no verdict": {
		"changes": [testing.replaced("/fairness/attributes/0/metrics", [])],
		"verdicts": {"afam": "no verdict", "single": "holds"},
	},
	"a number outside of 0 to 1 is no figure": {
		"changes": value(-0.0001),
		"verdicts": {"afam": "no verdict", "single": "holds"},
	},
	"a number above 1 is no figure": {"changes": value(1.0001), "verdicts": {"afam": "no verdict", "single": "holds"}},
	"the worse of two figures counts": {
		"changes": [testing.appended("/fairness/attributes/0/metrics", {
			"name": "demographic_parity_difference",
			"value": 0.0501,
			"sample_size": 2380,
			"origin": "measured",
		})],
		"verdicts": {"afam": "fails", "single": "holds"},
	},
	"no attributes have no verdict": {
		"changes": [testing.replaced("/fairness/attributes", [])],
		"verdicts": {"*": "no verdict"},
	},
	"no section has no verdict": {"changes": [testing.replaced("/fairness", null)], "verdicts": {"*": "no verdict"}},
	"what nobody collected has no verdict": {
		"changes": [testing.replaced("/collection", [])],
		"verdicts": {"afam": "no verdict", "single": "no verdict"},
	},
	"a reported figure fails in production": {
		"changes": [testing.replaced("/fairness/attributes/0/metrics/0/origin", "reported")],
		"verdicts": {"afam": "fails", "single": "holds"},
	},
	"a reported figure passes in staging": {
		"changes": [
			testing.replaced("/fairness/attributes/0/metrics/0/origin", "reported"),
			testing.replaced("/request/environment", "staging"),
		],
		"verdicts": {"afam": "holds", "single": "holds"},
	},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}

test_a_required_attribute_that_was_not_measured_has_no_verdict if {
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.good
		with data.mandate.thresholds.fairness.required_attributes as {"default": {"value": ["sex", "afam"], "set_at": "x"}}
	judged == {"afam": "holds", "single": "holds", "sex": "no verdict"}
}

test_a_check_says_who_measured_what_and_what_the_bound_is if {
	rule.must == {
		{
			"term": "afam",
			"measured": 0.024,
			"comparison": "<=",
			"bound": 0.05,
			"bound_set_at": "thresholds/fairness.yaml:9",
			"origin": "measured",
			"collector": "fairness",
			"n": 2380,
			"interval": {"lower": 0.003, "upper": 0.045, "level": 0.95, "method": "Newcombe"},
			"unit": null,
			"proven": true,
			"holds": true,
		},
	} with input as testing.changed([testing.removed("/fairness/attributes/1")])
}
