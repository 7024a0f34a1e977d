package custom.regal.rules.mandate["compare-in-library_test"]

import data.custom.regal.rules.mandate["compare-in-library"] as rule

said(policy) := {violation.description | some violation in found} if {
	found := rule.report with input as regal.parse_module("policy.rego", policy)
}

policy(expression) := sprintf("package mandate.rules.fruit.ripe\n\nx if %s\n", [expression])

refused(order) := {sprintf("%s compares whatever it is given, null too → use check.at_most or check.at_least", [order])}

test_each_order_is_refused[operator] if {
	some operator in ["<", "<=", ">", ">="]
	said(policy(sprintf("input.x %s 3", [operator]))) == refused(operator)
}

test_an_order_that_is_called_is_refused if said(policy("lte(input.x, 3)")) == refused("<=")

test_an_order_in_the_depth_is_refused if {
	said(policy("count([y | some y in input.ys; y > 3]) == 1")) == refused(">")
}

test_equality_is_no_order[operator] if {
	some operator in ["==", "!="]
	said(policy(sprintf("input.x %s 3", [operator]))) == set()
}

test_an_organisations_library_is_no_way_around[name] if {
	some name in ["lib.ours", "lib.check.ours", "main.ours", "ours"]
	said(sprintf("package mandate.%s\n\nx if input.x < 3\n", [name])) == refused("<")
}

test_the_librarys_own_few_and_tests_are_free[name] if {
	some name in ["lib.check", "lib.facts", "main", "rules.fruit.ripe_test", "lib.ours_test"]
	said(sprintf("package mandate.%s\n\nx if input.x < 3\n", [name])) == set()
}
