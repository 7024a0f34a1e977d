package mandate.rules.schema.compatible_test

import data.mandate.rules.schema.compatible as rule
import data.mandate.testing

signature := [
	{"name": "income", "type": "double", "required": true},
	{"name": "region", "type": "string", "required": false},
]

batch := [
	{"name": "income", "type": "double", "nullable": false},
	{"name": "region", "type": "string", "nullable": true},
]

columns(current) := [
	testing.replaced("/data_schema/signature", signature),
	testing.replaced("/data_schema/current", current),
]

cases := {
	"the same columns pass": {"changes": columns(batch), "verdicts": {"income": "holds", "region": "holds"}},
	"the order does not matter": {
		"changes": columns(array.reverse(batch)),
		"verdicts": {"income": "holds", "region": "holds"},
	},
	"another type fails": {
		"changes": columns(json.patch(batch, [testing.replaced("/0/type", "long")])),
		"verdicts": {"income": "fails", "region": "holds"},
	},
	"another type of an optional column fails": {
		"changes": columns(json.patch(batch, [testing.replaced("/1/type", "long")])),
		"verdicts": {"income": "holds", "region": "fails"},
	},
	"a type that is null fails": {
		"changes": columns(json.patch(batch, [testing.replaced("/0/type", null)])),
		"verdicts": {"income": "fails", "region": "holds"},
	},
	"an absent column fails": {"changes": columns([batch[1]]), "verdicts": {"income": "fails", "region": "holds"}},
	"an absent optional column passes": {
		"changes": columns([batch[0]]),
		"verdicts": {"income": "holds", "region": "holds"},
	},
	"a column that the signature lacks fails": {
		"changes": columns(array.concat(batch, [{"name": "id", "type": "long", "nullable": false}])),
		"verdicts": {"income": "holds", "region": "holds", "id": "fails"},
	},
	"the worse of two columns of one name counts": {
		"changes": columns(array.concat(batch, [{"name": "income", "type": "string", "nullable": false}])),
		"verdicts": {"income": "fails", "region": "holds"},
	},
	"columns that are text fail": {"changes": columns("income"), "verdicts": {"income": "fails", "region": "holds"}},
	"a batch without columns fails": {"changes": columns([]), "verdicts": {"income": "fails", "region": "holds"}},
	"a model without a signature has no verdict": {
		"changes": [
			testing.replaced("/data_schema/signature", null),
			testing.replaced("/data_schema/current", []),
		],
		"verdicts": {"*": "no verdict"},
	},
	"no section has no verdict": {"changes": [testing.removed("/data_schema")], "verdicts": {"*": "no verdict"}},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}

test_a_model_without_a_signature_is_not_compatible_with_a_batch if {
	changes := array.concat(columns(batch), [testing.replaced("/data_schema/signature", null)])
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(changes)
	judged == {"*": "no verdict", "income": "fails", "region": "fails"}
}

test_an_extra_column_proves_nothing_without_a_signature if {
	changes := [
		testing.replaced("/data_schema/signature", null),
		testing.replaced("/data_schema/current", [{"name": "*", "type": "long", "nullable": false}]),
	]
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(changes)
		with data.mandate.thresholds.schema.extra_columns as {"default": {"value": ["*"], "set_at": "x"}}
	judged == {"*": "no verdict"}
}

test_an_extra_column_passes_where_a_setting_names_it if {
	extra := [{"name": "id", "type": "long", "nullable": false}]
	checks := rule.must with input as testing.changed(columns(array.concat(batch, extra)))
		with data.mandate.thresholds.schema.extra_columns as {"default": {"value": ["id"], "set_at": "x"}}
	{
		"term": "id",
		"measured": "a named extra column",
		"comparison": "one of",
		"bound": ["in the signature", "a named extra column"],
		"bound_set_at": "x",
		"origin": "measured",
		"collector": "data_schema",
		"n": null,
		"interval": null,
		"unit": null,
		"proven": true,
		"holds": true,
	} in checks
}
