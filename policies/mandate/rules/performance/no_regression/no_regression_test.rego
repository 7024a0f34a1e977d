package mandate.rules.performance.no_regression_test

import data.mandate.rules.performance.no_regression as rule
import data.mandate.testing

values(measured, baseline) := [
	testing.replaced("/performance/metrics/0/value", measured),
	testing.replaced("/performance/baseline/metrics/0/value", baseline),
]

none := [testing.replaced("/performance/baseline", {"status": "none", "reason": "there is no champion"})]

cases := {
	"better passes": {"changes": values(0.9, 0.8), "verdicts": {"accuracy": "holds"}},
	"worse by the tolerance passes": {"changes": values(0.88, 0.89), "verdicts": {"accuracy": "holds"}},
	"worse by more fails": {"changes": values(0.8799, 0.89), "verdicts": {"accuracy": "fails"}},
	"NaN fails": {"changes": values("NaN", 0.89), "verdicts": {"accuracy": "fails"}},
	"null fails": {"changes": values(null, 0.89), "verdicts": {"accuracy": "fails"}},
	"a string fails": {"changes": values("0.9", 0.89), "verdicts": {"accuracy": "fails"}},
	"a baseline that is NaN fails": {"changes": values(0.9, "NaN"), "verdicts": {"accuracy": "fails"}},
	"two equal strings fail": {"changes": values("NaN", "NaN"), "verdicts": {"accuracy": "fails"}},
	"a metric that the baseline lacks has no verdict": {
		"changes": [testing.replaced("/performance/baseline/metrics", [])],
		"verdicts": {"accuracy": "no verdict"},
	},
	"a metric that was not measured has no verdict": {
		"changes": [testing.replaced("/performance/metrics", [])],
		"verdicts": {"accuracy": "no verdict"},
	},
	"nothing to regress from passes": {"changes": none, "verdicts": {"accuracy": "holds"}},
	"an absent baseline is not a stated one": {
		"changes": [testing.removed("/performance/baseline")],
		"verdicts": {"accuracy": "no verdict"},
	},
	"no section has no verdict": {
		"changes": [testing.removed("/performance")],
		"verdicts": {"accuracy": "no verdict"},
	},
	"a figure against a reported baseline counts as reported": {
		"changes": [testing.replaced("/performance/baseline/metrics/0/origin", "reported")],
		"verdicts": {"accuracy": "fails"},
	},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}

test_a_baseline_may_be_required if {
	rule.must == {{
		"term": "accuracy",
		"measured": "without a baseline",
		"comparison": "one of",
		"bound": ["with a baseline"],
		"bound_set_at": "x",
		"origin": "measured",
		"collector": "performance",
		"n": null,
		"interval": null,
		"unit": null,
		"proven": false,
		"holds": false,
	}} with input as testing.changed(none)
		with data.mandate.thresholds.performance.baseline_required as {"default": {"value": true, "set_at": "x"}}
}

test_the_bound_is_the_baseline_less_the_tolerance if {
	rule.must == {{
		"term": "accuracy",
		"measured": 0.889,
		"comparison": ">=",
		"bound": 0.886,
		"bound_set_at": "thresholds/performance.yaml:12",
		"origin": "measured",
		"collector": "performance",
		"n": 2380,
		"interval": {"lower": 0.8758, "upper": 0.901, "level": 0.95, "method": "Wilson score"},
		"unit": null,
		"proven": true,
		"holds": true,
	}} with input as testing.good
}
