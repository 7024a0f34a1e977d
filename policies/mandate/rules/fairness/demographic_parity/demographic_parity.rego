# METADATA
# title: Groups are selected at similar rates
# description: |
#   The difference between the highest and the lowest selection rate of an attribute's groups, as Fairlearn defines
#   `demographic_parity_difference` (between groups). Every attribute and intersection that was measured is judged,
#   and so is every one that must be measured. With fewer than two groups there is no difference to judge.
# custom:
#   failure_msg: Selection rates differ too much between groups
#   solution: >-
#     Mitigate the model for the attribute, for example with Fairlearn's reductions, or find out why the groups
#     differ, then measure again.
#   severity: high
#   collections: [fairness]
#   controls:
#     - EU AI Act 10(2)(f)
#     - NIST AI RMF MEASURE 2.11
#     - ISO/IEC 42001 A.5.4
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [fairness]
#   actions: [promote, deploy]
#   waivable: true
#   thresholds:
#     fairness.required_attributes: {type: array, tightens: up, items: {type: string, minLength: 1}}
#     fairness.demographic_parity_difference: {type: number, tightens: down, minimum: 0, exclusiveMaximum: 1}
package mandate.rules.fairness.demographic_parity

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.fairness as settings

terms contains attribute.name if some attribute in input.fairness.attributes

terms contains name if some name in thresholds.of(settings.required_attributes).value

must contains check.at_most(attribute.name, facts.share("fairness", metric), bound) if {
	bound := thresholds.of(settings.demographic_parity_difference)
	some attribute in input.fairness.attributes
	attribute.groups[1]
	some metric in attribute.metrics
	metric.name == "demographic_parity_difference"
}

# With one group there is nothing to compare. This check never holds: one that held for two groups would count as a
# verdict where the figure is absent.
must contains check.at_least(attribute.name, groups, thresholds.fixed(2)) if {
	some attribute in input.fairness.attributes
	not attribute.groups[1]
	groups := facts.quantity("fairness", count([group | some group in attribute.groups]), "groups")
}
