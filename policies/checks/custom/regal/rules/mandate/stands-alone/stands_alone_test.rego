package custom.regal.rules.mandate["stands-alone_test"]

import data.custom.regal.rules.mandate["stands-alone"] as rule

said(policy) := {violation.description | some violation in found} if {
	found := rule.report with input as regal.parse_module("policy.rego", policy)
}

policy(expression) := sprintf("package mandate.rules.fruit.ripe\n\nx if %s\n", [expression])

test_a_reference_to_a_rule_is_refused[reference] if {
	some reference in [
		"data.mandate.rules.fruit.sweet.must",
		"data.mandate.rules[_]",
		"data.mandate[input.name].fruit",
		"data[input.name]",
		"some y in data.mandate.rules",
	]
	said(policy(reference)) == {"a rule does not reach another rule → put what both need into a library, data.mandate.lib.…"}
}

test_an_import_of_a_rule_is_refused if {
	imported := "package mandate.rules.fruit.ripe\n\nimport data.mandate.rules.fruit.sweet\n"
	said(imported) == {"a rule does not reach another rule → put what both need into a library, data.mandate.lib.…"}
}

test_the_library_and_the_settings_are_free[reference] if {
	some reference in ["data.mandate.lib.check.at_most", "data.mandate.thresholds.fruit[_]", "input.rules[_]", "x.data.y"]
	said(policy(reference)) == set()
}

test_main_reaches_every_rule if said("package mandate.main\n\nx := data.mandate.rules\n") == set()
