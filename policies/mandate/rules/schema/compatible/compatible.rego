# METADATA
# title: The data have the columns that the model takes
# description: |
#   The current batch's columns and types against the inputs of the model's signature, in MLflow's type names. A column
#   that the signature does not require may be absent. A column that it does not have is a difference, too, unless
#   `schema.extra_columns` names it. A model without a signature has nothing to be compatible with, and no verdict.
# custom:
#   failure_msg: The data do not have the columns that the model takes
#   solution: Bring the batch into the form of the signature, or log the model with the signature that it has by now.
#   severity: high
#   collections: [essential, schema]
#   controls:
#     - ISO/IEC 42001 A.6.2.5
#     - ISO/IEC 42001 A.7.4
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [data_schema]
#   actions: [promote, deploy, monitor]
#   waivable: true
#   thresholds:
#     schema.extra_columns: {type: array, tightens: down, items: {type: string, minLength: 1}}
package mandate.rules.schema.compatible

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds
import data.mandate.thresholds.schema as settings

terms contains column.name if some column in input.data_schema.signature

terms contains column.name if {
	input.data_schema.signature[0]
	some column in input.data_schema.current
}

must contains _check(column, facts.derived("data_schema", current.type)) if {
	some column in input.data_schema.signature
	some current in _found[column.name]
}

must contains _check(column, facts.derived("data_schema", "not in the data")) if {
	some column in input.data_schema.signature
	not _found[column.name]
}

must contains check.one_of(current.name, facts.derived("data_schema", _extra(current.name)), bound) if {
	some current in input.data_schema.current
	not current.name in _expected
	bound := object.union(_allowed, {"value": ["in the signature", "a named extra column"]})
}

_found[column.name] contains column if some column in input.data_schema.current

_expected contains column.name if some column in input.data_schema.signature

_check(column, found) := check.one_of(column.name, found, thresholds.fixed([column.type, "not in the data"])) if {
	column.required == false
} else := check.equals(column.name, found, thresholds.fixed(column.type))

_extra(name) := "a named extra column" if {
	name in _allowed.value
} else := "not in the signature"

_allowed := thresholds.of(settings.extra_columns)
