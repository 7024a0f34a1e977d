# METADATA
# title: The model says what it takes and gives
# description: |
#   The registered version has a signature with at least one input and one output column.
# custom:
#   failure_msg: The model has no complete signature
#   solution: Log the model with a signature, for example by mlflow.models.infer_signature, and register that version.
#   severity: high
#   collections: [essential, registry]
#   controls:
#     - ISO/IEC 42001 A.6.2.5
#     - NIST AI RMF MAP 1.1
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [mlflow]
#   actions: [promote, deploy, monitor]
#   waivable: true
package mandate.rules.registry.signature

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds

terms := {"inputs", "outputs"}

must contains check.at_least(side, columns, thresholds.fixed(1)) if {
	is_object(input.model)
	some side in terms
	columns := facts.quantity("mlflow", count([column | some column in input.model.signature[side]]), "columns")
}
