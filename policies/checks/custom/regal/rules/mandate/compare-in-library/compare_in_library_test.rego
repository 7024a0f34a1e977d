package custom.regal.rules.mandate["compare-in-library_test"]

import data.custom.regal.rules.mandate["compare-in-library"] as rule

said(policy) := {violation.description | some violation in found} if {
	found := rule.report with input as regal.parse_module("policy.rego", policy)
}

policy(expression) := sprintf("package mandate.rules.fruit.ripe\n\nx if %s\n", [expression])

test_each_order_is_refused[operator] if {
	some operator in ["<", "<=", ">", ">="]
	said(policy(sprintf("input.x %s 3", [operator]))) == {"a rule compares order through lib/check only"}
}

test_an_order_in_the_depth_is_refused if {
	said(policy("count([y | some y in input.ys; y > 3]) == 1")) == {"a rule compares order through lib/check only"}
}

test_equality_is_no_order[operator] if {
	some operator in ["==", "!="]
	said(policy(sprintf("input.x %s 3", [operator]))) == set()
}

test_only_rules_are_held_to_it[name] if {
	some name in ["lib.fruit", "main", "rules.fruit.ripe_test"]
	said(sprintf("package mandate.%s\n\nx if input.x < 3\n", [name])) == set()
}
