# METADATA
# title: Groups are served equally well
# description: |
#   The larger of two differences between an attribute's groups: of true positive rates, and of false positive rates, as
#   Fairlearn defines `equalized_odds_difference`. Every attribute and intersection that was measured is judged.
# custom:
#   failure_msg: The model is better for some groups than for others
#   solution: Find out for which group the model errs more, and mitigate it there, then measure again.
#   severity: high
#   collections: [fairness, lending]
#   controls:
#     - Harbour Bank credit policy 7.2
#     - EU AI Act 10(2)(f)
#   effective_on: "2026-11-01T00:00:00Z"
#   depends_on: [fairness]
#   actions: [promote, deploy]
#   waivable: true
#   thresholds:
#     lending.equalized_odds_difference: {type: number, minimum: 0, exclusiveMaximum: 1, tightens: down}
package mandate.rules.lending.equalized_odds

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.lending as settings

terms contains attribute.name if some attribute in input.fairness.attributes

must contains check.at_most(attribute.name, facts.share("fairness", metric), bound) if {
	some attribute in input.fairness.attributes
	some metric in attribute.metrics
	metric.name == "equalized_odds_difference"
	bound := thresholds.of(settings.equalized_odds_difference)
}
