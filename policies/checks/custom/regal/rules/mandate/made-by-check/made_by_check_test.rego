package custom.regal.rules.mandate["made-by-check_test"]

import data.custom.regal.rules.mandate["made-by-check"] as rule

said(policy) := {violation.description | some violation in found} if {
	found := rule.report with input as regal.parse_module("policy.rego", policy)
}

policy(body) := sprintf("package mandate.rules.fruit.ripe\n\nimport data.mandate.lib.check\n\n%s\n", [body])

made := "only lib/check makes checks → yield what check.at_most and the like return, unchanged"

says := "only lib/check says what holds → use its functions"

good := {
	"yielded": `must contains check.at_least("red", {}, {}) if input.x`,
	"yielded by should": `should contains check.present("red", {})`,
	"by its whole name": `must contains data.mandate.lib.check.present("red", {})`,
	"assigned": `must contains one if one := check.present("red", {})`,
	"returned": `must contains _one("red")

_one(name) := check.present(name, {}) if {
	name == "red"
} else := check.equals(name, {}, {})`,
	"read": `x := [check.holds, check["proven"]]`,
	"no check": `x := {"is": "holds"}`,
}

test_what_lib_check_makes_is_clean[note] if {
	some note, body in good
	said(policy(body)) == set()
}

test_an_alias_of_lib_check_is_lib_check if {
	said("package mandate.rules.fruit.ripe\n\nimport data.mandate.lib.check as ours\n\nmust contains ours.present(1, 2)\n") == set()
}

bad := {
	"a literal": {"body": `must contains {"term": "red", "holds": true}`, "says": {made, says}},
	"a literal that proves itself": {"body": `should contains {"term": "red", "proven": true}`, "says": {made, says}},
	"a union": {
		"body": `must contains object.union(check.present("red", {}), {"holds": true})`,
		"says": {made, says},
	},
	"a patch": {
		"body": `must contains json.patch(check.present("red", {}), [{"op": "add", "path": "/holds", "value": true}])`,
		"says": {made, says},
	},
	"a patch by parts": {"body": `x := json.patch(y, [{"op": "add", "path": ["holds"], "value": true}])`, "says": {says}},
	"a key that is built": {"body": `must contains {key: true | some key in ["holds"]}`, "says": {made, says}},
	"a name": {"body": `must contains one if some one in input.checks`, "says": {made}},
	"an assignment": {"body": `must contains one if one := input.check`, "says": {made}},
	"a function that sometimes makes one": {
		"body": `must contains _one("red")

_one(name) := check.present(name, {}) if {
	name == "red"
} else := input.check`,
		"says": {made},
	},
	"a library of one's own": {"body": `must contains data.mandate.lib.ours.check("red")`, "says": {made}},
	"all at once": {
		"body": `must := {check.present("red", {})}`,
		"says": {"a rule yields its checks one by one → write must contains …, or should contains …"},
	},
}

test_a_check_by_hand_is_named[note] if {
	some note, case in bad
	said(policy(case.body)) == case.says
}

test_what_is_held_says_nothing_of_its_own[name] if {
	some name, expected in {
		"mandate.lib.ours": {says},
		"mandate.lib.check": set(),
		"mandate.main": set(),
		"mandate.rules.fruit.ripe_test": set(),
		"orchard": set(),
	}
	said(sprintf("package %s\n\nx := {\"holds\": true}\n", [name])) == expected
}
