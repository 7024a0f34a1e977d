package mandate.rules.performance.minimum_test

import data.mandate.rules.performance.minimum as rule
import data.mandate.testing

value(measured) := [testing.replaced("/performance/metrics/0/value", measured)]

cases := {
	"at the level passes": {"changes": value(0.7), "verdicts": {"accuracy": "holds"}},
	"just below fails": {"changes": value(0.6999), "verdicts": {"accuracy": "fails"}},
	"null fails": {"changes": value(null), "verdicts": {"accuracy": "fails"}},
	"a string fails": {"changes": value("0.9"), "verdicts": {"accuracy": "fails"}},
	"NaN fails": {"changes": value("NaN"), "verdicts": {"accuracy": "fails"}},
	"a figure without a value has no verdict": {
		"changes": [testing.removed("/performance/metrics/0/value")],
		"verdicts": {"accuracy": "no verdict"},
	},
	"another metric is not that metric": {
		"changes": [testing.replaced("/performance/metrics/0/name", "recall")],
		"verdicts": {"accuracy": "no verdict"},
	},
	"no metrics have no verdict": {
		"changes": [testing.replaced("/performance/metrics", [])],
		"verdicts": {"accuracy": "no verdict"},
	},
	"no section has no verdict": {
		"changes": [testing.removed("/performance")],
		"verdicts": {"accuracy": "no verdict"},
	},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}

test_a_model_has_the_level_that_its_owner_agreed_to if {
	agreed := {"accuracy": {
		"default": {"value": 0.7, "set_at": "library"},
		"models": {"credit": {"value": 0.9, "set_at": "organisation"}},
	}}
	rule.must == {{
		"term": "accuracy",
		"measured": 0.889,
		"comparison": ">=",
		"bound": 0.9,
		"bound_set_at": "organisation",
		"origin": "measured",
		"collector": "performance",
		"n": 2380,
		"interval": {"lower": 0.8758, "upper": 0.901, "level": 0.95, "method": "Wilson score"},
		"unit": null,
		"proven": false,
		"holds": false,
	}} with input as testing.good with data.mandate.thresholds.performance.minimum as agreed
}
