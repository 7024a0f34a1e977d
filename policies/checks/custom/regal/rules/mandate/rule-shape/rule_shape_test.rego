package custom.regal.rules.mandate["rule-shape_test"]

import data.custom.regal.rules.mandate["rule-shape"] as rule

good := `# METADATA
# title: Apples are ripe
# custom:
#   failure_msg: An apple is unripe
#   solution: Wait.
#   severity: low
#   collections: [fruit]
#   controls: [House rule 1]
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [fairness]
#   actions: [promote]
#   environments: ["*"]
#   waivable: true
#   thresholds: {}
package mandate.rules.fruit.ripe

import data.mandate.lib.check

terms := {"red"}

must contains check.at_least("red", {}, {})
`

said(policy) := found if {
	report := rule.report with input as regal.parse_module("ripe.rego", policy)
	found := {violation.description | some violation in report}
}

test_a_rule_of_the_right_shape_is_clean if said(good) == set()

test_what_is_no_rule_is_left_alone if said("package mandate.lib.fruit\n\nholds := {\"holds\": true}\n") == set()

test_a_rule_without_its_parts_is_named if {
	said("package mandate.rules.fruit.ripe\n\nx := 1\n") == {
		"a rule defines terms",
		"a rule defines must",
		"a rule has METADATA with custom annotations",
	}
}

changed := {
	"another folder": {
		"policy": replace(good, "rules.fruit.ripe", "rules.fruit.apples.ripe"),
		"says": {"a rule stands in mandate.rules.<category>.<rule>"},
	},
	"no solution": {
		"policy": replace(good, "#   solution: Wait.\n", ""),
		"says": {"METADATA lacks custom.solution"},
	},
	"an unknown severity": {
		"policy": replace(good, "severity: low", "severity: dire"),
		"says": {"custom.severity is one of critical, high, low, medium"},
	},
	"a waivable that is text": {
		"policy": replace(good, "waivable: true", "waivable: \"yes\""),
		"says": {"custom.waivable is true or false"},
	},
	"another rule": {
		"policy": replace(good, "import data.mandate.lib.check", "import data.mandate.lib.check\nimport data.mandate.rules.fruit.sweet"),
		"says": {"a rule does not refer to another rule"},
	},
	"a verdict by hand": {
		"policy": replace(good, "check.at_least(\"red\", {}, {})", "{\"term\": \"red\", \"holds\": true}"),
		"says": {"only lib/check says what holds"},
	},
}

test_each_fault_is_named[note] if {
	some note, case in changed
	said(case.policy) == case.says
}
