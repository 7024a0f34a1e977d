package mandate.rules.registry.signature_test

import data.mandate.rules.registry.signature as rule
import data.mandate.testing

cases := {
	"a whole signature passes": {"changes": [], "verdicts": {"inputs": "holds", "outputs": "holds"}},
	"no output fails": {
		"changes": [testing.replaced("/model/signature/outputs", [])],
		"verdicts": {"inputs": "holds", "outputs": "fails"},
	},
	"no input fails": {
		"changes": [testing.replaced("/model/signature/inputs", [])],
		"verdicts": {"inputs": "fails", "outputs": "holds"},
	},
	"a side that is text fails": {
		"changes": [testing.replaced("/model/signature/inputs", "NaN")],
		"verdicts": {"inputs": "fails", "outputs": "holds"},
	},
	"no signature fails": {
		"changes": [testing.replaced("/model/signature", null)],
		"verdicts": {"inputs": "fails", "outputs": "fails"},
	},
	"no model has no verdict": {
		"changes": [testing.replaced("/model", null)],
		"verdicts": {"inputs": "no verdict", "outputs": "no verdict"},
	},
	"a model that nobody looked up has no verdict": {
		"changes": [testing.replaced("/collection", [])],
		"verdicts": {"inputs": "no verdict", "outputs": "no verdict"},
	},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}

test_columns_are_counted if {
	checks := rule.must with input as testing.good
	{
		"term": "inputs",
		"measured": 8,
		"comparison": ">=",
		"bound": 1,
		"bound_set_at": null,
		"origin": "measured",
		"collector": "mlflow",
		"n": null,
		"interval": null,
		"unit": "columns",
		"proven": true,
		"holds": true,
	} in checks
}
