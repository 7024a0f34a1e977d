# METADATA
# title: No group is selected at less than four fifths of another's rate
# description: |
#   The ratio of the lowest to the highest selection rate of an attribute's groups, as Fairlearn defines
#   `demographic_parity_ratio` (between groups); the disparate impact ratio. Every attribute and intersection that was
#   measured is judged, and so is every one that must be measured. With fewer than two groups there is no ratio.
# custom:
#   failure_msg: A group is selected too rarely beside another
#   solution: >-
#     Mitigate the model for the attribute, for example with Fairlearn's reductions, or find out why the groups
#     differ, then measure again.
#   severity: high
#   collections: [fairness]
#   controls:
#     - 29 CFR 1607.4(D)
#     - NYC Local Law 144, 6 RCNY 5-300 ff.
#     - EU AI Act 10(2)(f)
#     - NIST AI RMF MEASURE 2.11
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [fairness]
#   actions: [promote, deploy]
#   waivable: true
#   thresholds:
#     fairness.required_attributes: {type: array, tightens: up, items: {type: string, minLength: 1}}
#     fairness.disparate_impact_ratio: {type: number, tightens: up, exclusiveMinimum: 0, maximum: 1}
package mandate.rules.fairness.disparate_impact

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.fairness as settings

terms contains attribute.name if some attribute in input.fairness.attributes

terms contains name if some name in thresholds.of(settings.required_attributes).value

must contains check.at_least(attribute.name, facts.share("fairness", metric), bound) if {
	bound := thresholds.of(settings.disparate_impact_ratio)
	some attribute in input.fairness.attributes
	attribute.groups[1]
	some metric in attribute.metrics
	metric.name == "demographic_parity_ratio"
}

# With one group there is nothing to compare. This check never holds: one that held for two groups would count as a
# verdict where the figure is absent.
must contains check.at_least(attribute.name, groups, thresholds.fixed(2)) if {
	some attribute in input.fairness.attributes
	not attribute.groups[1]
	groups := facts.quantity("fairness", count([group | some group in attribute.groups]), "groups")
}
