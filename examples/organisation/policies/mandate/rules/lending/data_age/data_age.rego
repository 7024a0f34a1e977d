# METADATA
# title: The training data are recent for a lender
# description: |
#   How old the training data were when the request was made, by the date that the seed record says they are of. Takes
#   the place of the library's rule, whose month is shorter than the credit bureau's.
# custom:
#   failure_msg: The training data are too old
#   solution: Train again on the credit bureau's newest month.
#   severity: medium
#   collections: [lending, provenance]
#   controls:
#     - Harbour Bank credit policy 4.1
#     - EU AI Act 10(3)
#   effective_on: "2026-11-01T00:00:00Z"
#   depends_on: [provenance]
#   actions: [promote, deploy]
#   waivable: true
#   replaces:
#     rule: provenance.data_age
#     reason: The credit bureau closes its month two weeks late
#   thresholds:
#     lending.data_age_days: {type: number, exclusiveMinimum: 0, maximum: 366, tightens: down}
package mandate.rules.lending.data_age

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.lending as settings

terms := {"data.as_of"}

must contains check.at_most("data.as_of", _age, thresholds.of(settings.data_age_days))

# Data from the future are a mistake in the record.
must contains check.at_least("data.as_of", _age, thresholds.fixed(0))

_age := facts.age("provenance", input.provenance.data.as_of)
