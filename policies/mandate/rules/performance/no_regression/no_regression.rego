# METADATA
# title: The model is no worse than the one it replaces
# description: |
#   Each metric that `performance.regression_tolerance` names, against the baseline's on the same rows, less the
#   tolerance. For all of them higher is better. Where there is no baseline, the collector says so and why: then
#   there is nothing to regress from, which passes unless `performance.baseline_required` is set.
# custom:
#   failure_msg: The model is worse than the one that it would replace
#   solution: Improve the model until it is within the tolerance of the baseline, or keep the baseline in service.
#   severity: high
#   collections: [performance]
#   controls:
#     - NIST AI RMF MEASURE 2.3
#     - ISO/IEC 42001 A.6.2.4
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [performance]
#   actions: [promote, deploy]
#   waivable: true
#   thresholds:
#     performance.regression_tolerance.*: {type: number, tightens: down, minimum: 0, exclusiveMaximum: 1}
#     performance.baseline_required: {type: boolean, tightens: up}
package mandate.rules.performance.no_regression

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.performance as settings

terms contains name if some name, _ in settings.regression_tolerance

must contains check.at_least(name, facts.compared("performance", metric, baseline), bound) if {
	some name, setting in settings.regression_tolerance
	some metric in input.performance.metrics
	metric.name == name
	some baseline in input.performance.baseline.metrics
	baseline.name == name
	facts.share("performance", metric)
	facts.share("performance", baseline)
	bound := _less(baseline.value, thresholds.of(setting))
}

must contains check.one_of(name, facts.derived("performance", "without a baseline"), _accepted) if {
	input.performance.baseline.status == "none"
	some name, _ in settings.regression_tolerance
}

# The baseline's value less the tolerance. A value that is no number is no bound either, and nothing meets it.
_less(value, tolerance) := object.union(tolerance, {"value": value - tolerance.value}) if {
	is_number(value)
} else := object.union(tolerance, {"value": value})

_accepted := object.union(required, {"value": _states[required.value]}) if {
	required := thresholds.of(settings.baseline_required)
}

_states := {
	true: ["with a baseline"],
	false: ["with a baseline", "without a baseline"],
}
