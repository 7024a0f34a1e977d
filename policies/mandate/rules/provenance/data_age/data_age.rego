# METADATA
# title: The training data are recent
# description: |
#   Days from the instant that the training data describe (`as_of`) to the request. Data from the future are a mistake
#   in the record.
# custom:
#   failure_msg: The training data are not recent
#   solution: Retrain on current data.
#   severity: medium
#   collections: [provenance]
#   controls:
#     - EU AI Act 10(3)
#     - ISO/IEC 42001 A.7.4
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [provenance]
#   actions: [promote, deploy]
#   waivable: true
#   thresholds:
#     provenance.data_age_days: {type: number, tightens: down, exclusiveMinimum: 0, maximum: 3660, unit: days}
package mandate.rules.provenance.data_age

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.provenance as settings

terms := {"data.as_of"}

must contains check.at_most("data.as_of", _age, thresholds.of(settings.data_age_days))

must contains check.at_least("data.as_of", _age, thresholds.fixed(0))

_age := facts.age("provenance", input.provenance.data.as_of)
