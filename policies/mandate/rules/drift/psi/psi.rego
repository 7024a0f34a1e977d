# METADATA
# title: The data are distributed as the model knows them
# description: |
#   The population stability index of every column, and the share of columns that drifted. While a model is in service
#   (the action `monitor`) the bound is tighter. A column that is not both in the reference and in the current data
#   has no index, and no verdict.
# custom:
#   failure_msg: The data have drifted
#   solution: >-
#     Find out what changed at the source of the column. Retrain on data that have the new distribution if it is to
#     stay.
#   severity: high
#   collections: [drift, essential]
#   controls:
#     - EU AI Act 72
#     - NIST AI RMF MEASURE 2.4
#     - ISO/IEC 42001 A.6.2.6
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [drift]
#   actions: [promote, deploy, monitor]
#   waivable: true
#   thresholds:
#     drift.population_stability_index: {type: number, tightens: down, minimum: 0, maximum: 1}
#     drift.population_stability_index_in_service: {type: number, tightens: down, minimum: 0, maximum: 1}
#     drift.drifted_share: {type: number, tightens: down, minimum: 0, exclusiveMaximum: 1}
package mandate.rules.drift.psi

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.drift as settings

terms contains "share of drifted columns"

terms contains column.name if some column in input.drift.columns

# Data without columns are not data that did not drift.
terms contains "columns" if not input.drift.columns[0]

must contains check.at_most(column.name, facts.within("drift", column.psi, 0, 1000), _bound) if {
	some column in input.drift.columns
}

must contains check.at_most("share of drifted columns", share, bound) if {
	share := facts.share("drift", input.drift.drifted_share)
	bound := thresholds.of(settings.drifted_share)
}

# A column of the same name as another term would be judged in its place.
must contains check.equals(column.name, facts.derived("drift", "a reserved name"), thresholds.fixed("another name")) if {
	some column in input.drift.columns
	column.name in {"share of drifted columns", "columns"}
}

_bound := thresholds.of(settings.population_stability_index_in_service) if {
	input.request.action == "monitor"
} else := thresholds.of(settings.population_stability_index)
