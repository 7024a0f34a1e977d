# METADATA
# title: No column is gone or has lost its values
# description: |
#   Every column of the reference is in the current data, and its share of nulls rose by no more than the bound. Drift
#   tests look at the values that are there, so neither would show in them.
# custom:
#   failure_msg: A column is gone, or more of its values are missing
#   solution: Repair the source of the column, then collect again.
#   severity: high
#   collections: [drift, essential]
#   controls:
#     - EU AI Act 10(3)
#     - EU AI Act 72
#     - ISO/IEC 42001 A.7.4
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [drift]
#   actions: [promote, deploy, monitor]
#   waivable: true
#   thresholds:
#     drift.null_rate_increase: {type: number, tightens: down, minimum: 0, exclusiveMaximum: 1}
package mandate.rules.drift.missing_data

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.drift as settings

terms contains column.name if {
	some column in input.drift.columns
	column.in_reference
}

must contains check.equals(column.name, facts.derived("drift", "gone"), thresholds.fixed("there")) if {
	some column in input.drift.columns
	column.in_reference
	not column.in_current == true
}

must contains check.at_most(column.name, facts.within("drift", column.null_rate_increase, -1, 1), bound) if {
	bound := thresholds.of(settings.null_rate_increase)
	some column in input.drift.columns
	column.in_reference
}
