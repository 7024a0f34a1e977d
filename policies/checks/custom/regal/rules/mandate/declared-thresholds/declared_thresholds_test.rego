package custom.regal.rules.mandate["declared-thresholds_test"]

import data.custom.regal.rules.mandate["declared-thresholds"] as rule

said(policy) := {violation.description | some violation in found} if {
	found := rule.report with input as regal.parse_module("policy.rego", policy)
}

policy(declared, name, expression) := concat("\n", [
	"# METADATA",
	"# custom:",
	sprintf("#   thresholds: {%s}", [declared]),
	sprintf("package %s", [name]),
	"",
	"import data.mandate.thresholds.fruit as settings",
	"import data.mandate.thresholds.nuts",
	"",
	sprintf("x := %s", [expression]),
	"",
])

rule_name := "mandate.rules.fruit.ripe"

fruit_and_nuts := `fruit.days: {type: number}, "nuts.shells.*": {type: number}`

test_what_is_declared_and_read_is_clean if {
	said(policy(fruit_and_nuts, rule_name, "[settings.days, nuts.shells[input.x]]")) == set()
}

test_what_is_read_and_not_declared_is_named if {
	said(policy(fruit_and_nuts, rule_name, "[settings.days, settings.hours, settings.hours.default, nuts.shells]")) == {
		"METADATA does not declare the threshold fruit.hours, which is read here → add it to custom.thresholds",
	}
}

test_what_is_declared_and_not_read_is_named if {
	said(policy(fruit_and_nuts, rule_name, "settings.days")) == {
		"METADATA declares the threshold nuts.shells, which nothing here reads → remove it",
	}
}

test_the_library_is_held_to_it_too if {
	said(policy("fruit.days: {type: number}", "mandate.lib.fruit", "1")) == {
		"METADATA declares the threshold fruit.days, which nothing here reads → remove it",
	}
}

test_tests_and_other_packages_are_left_alone[name] if {
	some name in ["mandate.rules.fruit.ripe_test", "orchard"]
	said(policy("", name, "settings.days")) == set()
}

test_without_metadata_everything_is_undeclared if {
	module := "package mandate.rules.fruit.ripe\n\nimport data.mandate.thresholds.fruit\n\nx := fruit.days\n"
	said(module) == {"METADATA does not declare the threshold fruit.days, which is read here → add it to custom.thresholds"}
}
