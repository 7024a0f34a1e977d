package custom.regal.rules.mandate["rule-shape_test"]

import data.custom.regal.rules.mandate["rule-shape"] as rule

said(policy) := found if {
	report := rule.report with input as regal.parse_module("ripe.rego", policy)
	found := {violation.description | some violation in report}
}

test_a_rule_of_the_right_shape_is_clean[level] if {
	some level in ["must", "should"]
	said(sprintf("package mandate.rules.fruit.ripe\n\nterms := {\"red\"}\n\n%s contains x if x := 1\n", [level])) == set()
}

test_what_is_no_rule_is_left_alone[name] if {
	some name in ["mandate.lib.fruit", "mandate.main", "mandate.rules.fruit.ripe_test"]
	said(sprintf("package %s\n\nx := 1\n", [name])) == set()
}

test_a_rule_without_its_parts_is_named if {
	said("package mandate.rules.fruit.ripe\n\nx := 1\n") == {
		"a rule says what it must judge → define terms",
		"a rule judges → define must, or should if it only warns",
	}
}

test_a_rule_elsewhere_is_named if {
	said("package mandate.rules.fruit.apples.ripe\n\nterms := {1}\n\nmust contains 1\n") == {
		"a rule has an id → name its package mandate.rules.<category>.<rule>, as its folder",
	}
}
