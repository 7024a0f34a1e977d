# METADATA
# title: It is known what the model was made from
# description: |
#   Every field that `provenance.required_fields` names is in the model's seed record. What is null, empty text or an
#   empty list is absent; `false` and 0 are not.
# custom:
#   failure_msg: The seed record is incomplete
#   solution: Train through the pipeline that writes the seed record, or add the field to what it writes.
#   severity: high
#   collections: [essential, provenance]
#   controls:
#     - EU AI Act 10(2)(b)
#     - EU AI Act 11(1) with Annex IV(2)
#     - ISO/IEC 42001 A.7.5
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [provenance]
#   actions: [promote, deploy]
#   waivable: true
#   thresholds:
#     provenance.required_fields:
#       type: array
#       tightens: up
#       minItems: 1
#       items:
#         type: string
#         enum:
#           - run_id
#           - data.version
#           - data.sha256
#           - data.source
#           - data.as_of
#           - code.repository
#           - code.git_commit
#           - code.path
#           - code.dirty
#           - hyperparameters
#           - environment.container_image_digest
#           - environment.lock_file_sha256
#           - environment.python
#           - output.model_sha256
package mandate.rules.provenance.complete

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.provenance as settings

terms contains field if some field in thresholds.of(settings.required_fields).value

must contains check.present(field, facts.derived("provenance", value)) if {
	is_object(input.provenance)
	some field in thresholds.of(settings.required_fields).value
	value := object.get(input.provenance, split(field, "."), null)
}
