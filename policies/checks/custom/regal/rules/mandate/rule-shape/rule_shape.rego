# METADATA
# description: |
#   What every rule of Mandate has in common: it says what it must judge and judges it, all through the comparison
#   library, and refers to no other rule.
package custom.regal.rules.mandate["rule-shape"]

import data.regal.ast
import data.regal.result

_required := {"terms", "must"}

_annotated := {
	"actions",
	"collections",
	"controls",
	"depends_on",
	"effective_on",
	"failure_msg",
	"severity",
	"solution",
	"waivable",
}

_severities := {"low", "medium", "high", "critical"}

_path := [part.value | some part in input["package"].path]

_is_rule if {
	array.slice(_path, 0, 3) == ["data", "mandate", "rules"]
	not endswith(_path[count(_path) - 1], "_test")
}

_names contains rule.head.ref[0].value if some rule in input.rules

_custom := annotation.custom if {
	some annotation in input["package"].annotations
	annotation.scope == "package"
}

report contains _at_package("a rule stands in mandate.rules.<category>.<rule>") if {
	_is_rule
	count(_path) != 5
}

report contains _at_package(sprintf("a rule defines %s", [name])) if {
	_is_rule
	some name in (_required - _names)
}

report contains _at_package("a rule has METADATA with custom annotations") if {
	_is_rule
	not _custom
}

report contains _at_package(sprintf("METADATA lacks custom.%s", [key])) if {
	_is_rule
	some key in (_annotated - object.keys(_custom))
}

report contains _at_package(sprintf("custom.severity is one of %s", [concat(", ", sort(_severities))])) if {
	_is_rule
	not _custom.severity in _severities
}

report contains _at_package("custom.waivable is true or false") if {
	_is_rule
	not is_boolean(_custom.waivable)
}

report contains violation if {
	_is_rule
	some imported in input.imports
	[part.value | some part in array.slice(imported.path.value, 0, 3)] == ["data", "mandate", "rules"]
	violation := result.fail(rego.metadata.chain(), object.union(
		result.location(imported),
		{"description": "a rule does not refer to another rule"},
	))
}

# A check that says itself that it holds has not been judged by anybody.
report contains violation if {
	_is_rule
	walk(input.rules, [_, value])
	value.type == "object"
	some pair in value.value
	pair[0].value == "holds"
	violation := result.fail(rego.metadata.chain(), object.union(
		result.location(pair[0]),
		{"description": "only lib/check says what holds"},
	))
}

_at_package(description) := result.fail(rego.metadata.chain(), object.union(
	result.location(input["package"]),
	{"description": description},
))
