# METADATA
# title: The training code is in the bank's repository
# description: |
#   The seed record names the hosted repository that the training code came from. Announced: until it takes effect, a
#   model without it is warned of, so that teams can move their code.
# custom:
#   failure_msg: Nobody can read the code that trained the model
#   solution: Train from the hosted repository, so that the seed record names it.
#   severity: medium
#   collections: [lending, provenance]
#   controls:
#     - Harbour Bank credit policy 4.3
#   effective_on: "2027-07-01T00:00:00Z"
#   depends_on: [provenance]
#   actions: [promote]
#   waivable: true
package mandate.rules.lending.hosted_code

import data.mandate.lib.check
import data.mandate.lib.facts

terms := {"code.repository"}

must contains check.present("code.repository", facts.derived("provenance", input.provenance.code.repository))
