# METADATA
# title: Every group is large enough to be judged
# description: |
#   The rows of every group of every attribute and intersection that was measured. Every group carries weight: the
#   difference and the ratio are taken between the extreme groups, and the smallest groups are the most likely to
#   be extreme by chance alone. So none of them is left out.
# custom:
#   failure_msg: A group has too few rows for its rates to mean anything
#   solution: Evaluate on more rows of the group, or merge groups that may be judged together.
#   severity: high
#   collections: [fairness]
#   controls:
#     - EU AI Act 10(3)
#     - NIST AI RMF MEASURE 2.11
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [fairness]
#   actions: [promote, deploy]
#   waivable: true
#   thresholds:
#     fairness.minimum_group_size: {type: integer, tightens: up, minimum: 1, unit: rows}
#     fairness.advisable_group_size: {type: integer, tightens: up, minimum: 1, unit: rows}
package mandate.rules.fairness.group_size

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.term
import data.mandate.lib.thresholds
import data.mandate.thresholds.fairness as settings

terms contains term.of([attribute.name, group.name]) if {
	some attribute in input.fairness.attributes
	some group in attribute.groups
}

# An attribute without groups has to be seen, too.
terms contains attribute.name if {
	some attribute in input.fairness.attributes
	not attribute.groups[0]
}

must contains check.at_least(term.of([attribute.name, group.name]), rows, bound) if {
	bound := thresholds.of(settings.minimum_group_size)
	some attribute in input.fairness.attributes
	some group in attribute.groups
	rows := facts.quantity("fairness", group.size, "rows")
}

should contains check.at_least(term.of([attribute.name, group.name]), rows, bound) if {
	bound := thresholds.of(settings.advisable_group_size)
	some attribute in input.fairness.attributes
	some group in attribute.groups
	rows := facts.quantity("fairness", group.size, "rows")
}
