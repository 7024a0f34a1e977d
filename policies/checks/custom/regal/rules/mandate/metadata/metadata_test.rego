package custom.regal.rules.mandate.metadata_test

import data.custom.regal.rules.mandate.metadata as rule

good := `# METADATA
# title: Apples are ripe
# description: An apple is red.
# custom:
#   failure_msg: An apple is unripe
#   solution: Wait.
#   severity: low
#   collections: [fruit]
#   controls: [House rule 1]
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [fairness]
#   actions: [promote]
#   environments: [production]
#   waivable: true
#   thresholds: {}
#   replaces: {rule: fruit.sweet, reason: Ours looks}
package mandate.rules.fruit.ripe
`

said(policy) := found if {
	report := rule.report with input as regal.parse_module("ripe.rego", policy)
	found := {violation.description | some violation in report}
}

test_complete_metadata_is_clean if said(good) == set()

test_what_is_optional_may_be_absent if {
	said(regex.replace(good, `#   (environments|thresholds|replaces): .*\n`, "")) == set()
}

test_what_is_no_rule_is_left_alone[name] if {
	some name in ["mandate.lib.fruit", "mandate.main", "mandate.rules.fruit.ripe_test"]
	said(sprintf("package %s\n", [name])) == set()
}

test_a_rule_without_metadata_is_named if {
	said("package mandate.rules.fruit.ripe\n") == {"a rule has METADATA → write it above the package"}
}

test_each_annotation_that_is_absent_is_named[key] if {
	some key in [
		"actions",
		"collections",
		"controls",
		"depends_on",
		"effective_on",
		"failure_msg",
		"severity",
		"solution",
		"waivable",
	]
	without := regex.replace(good, sprintf(`#   %s: .*\n`, [key]), "")
	said(without) == {sprintf("METADATA lacks custom.%s → add it", [key])}
}

changed := {
	"a title that is blank": {"old": "title: Apples are ripe", "new": "title: ' '", "says": "METADATA lacks title → add it as text"},
	"a name that is misspelt": {
		"old": "thresholds: {}",
		"new": "treshold: {}",
		"says": "METADATA has the unknown custom.treshold → correct its name, or remove it",
	},
	"a solution that is a list": {
		"old": "solution: Wait.",
		"new": "solution: [Wait.]",
		"says": "custom.solution is not text → write text",
	},
	"collections that are text": {
		"old": "[fruit]",
		"new": "fruit",
		"says": "custom.collections is not a list of different texts → write it as [text, …]",
	},
	"controls that are numbers": {
		"old": "[House rule 1]",
		"new": "[1]",
		"says": "custom.controls is not a list of different texts → write it as [text, …]",
	},
	"environments that stand twice": {
		"old": "[production]",
		"new": "[production, production]",
		"says": "custom.environments is not a list of different texts → write it as [text, …]",
	},
	"an unknown severity": {
		"old": "severity: low",
		"new": "severity: dire",
		"says": "custom.severity is unknown → write one of low, medium, high, critical",
	},
	"an unknown action": {
		"old": "[promote]",
		"new": "[promte]",
		"says": "there is no action promte → write some of deploy, monitor, promote",
	},
	"an unknown collector": {
		"old": "[fairness]",
		"new": "[fairnes]",
		"says": concat("", [
			"there is no collector fairnes → write some of approvals, data_schema, developers, documentation, drift, ",
			"fairness, mlflow, performance, provenance",
		]),
	},
	"a date without a time": {
		"old": "\"2026-01-01T00:00:00Z\"",
		"new": "\"2026-01-01\"",
		"says": "custom.effective_on is not an instant → write it in quotes, as \"2026-01-01T00:00:00Z\"",
	},
	"a day that there is not": {
		"old": "2026-01-01T",
		"new": "2026-02-30T",
		"says": "custom.effective_on is not an instant → write it in quotes, as \"2026-01-01T00:00:00Z\"",
	},
	"a waivable that is text": {
		"old": "waivable: true",
		"new": "waivable: \"yes\"",
		"says": "custom.waivable is not a boolean → write true or false",
	},
	"thresholds that are a list": {
		"old": "thresholds: {}",
		"new": "thresholds: []",
		"says": "custom.thresholds is not a mapping → write it as {name: {type: number}}",
	},
	"a replacement without a reason": {
		"old": ", reason: Ours looks",
		"new": "",
		"says": "custom.replaces is not complete → write it as {rule: category.rule, reason: text}",
	},
	"a replacement of nothing": {
		"old": "fruit.sweet",
		"new": "sweet",
		"says": "custom.replaces is not complete → write it as {rule: category.rule, reason: text}",
	},
}

test_each_fault_is_named[note] if {
	some note, case in changed
	said(replace(good, case.old, case.new)) == {case.says}
}
