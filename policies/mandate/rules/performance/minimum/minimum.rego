# METADATA
# title: The model meets its agreed levels
# description: |
#   Each metric that `performance.minimum` names, on the hold-out, against the level that was agreed before the
#   evaluation. For all of them higher is better. A metric that is named and was not measured has no verdict.
# custom:
#   failure_msg: The model is below its agreed level
#   solution: >-
#     Improve the model, or have its owner agree on another level in thresholds/performance.yaml before the next
#     evaluation.
#   severity: high
#   collections: [essential, performance]
#   controls:
#     - EU AI Act 9(8)
#     - EU AI Act 15(1)
#     - NIST AI RMF MEASURE 2.3
#     - ISO/IEC 42001 A.6.2.4
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [performance]
#   actions: [promote, deploy]
#   waivable: true
#   thresholds:
#     performance.minimum.*: {type: number, tightens: up, exclusiveMinimum: 0, maximum: 1}
package mandate.rules.performance.minimum

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.performance as settings

terms contains name if some name, _ in settings.minimum

must contains check.at_least(name, facts.share("performance", metric), thresholds.of(setting)) if {
	some name, setting in settings.minimum
	some metric in input.performance.metrics
	metric.name == name
}
