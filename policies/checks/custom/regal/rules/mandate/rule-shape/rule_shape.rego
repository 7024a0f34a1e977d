# METADATA
# description: What every rule of Mandate has in common. It says what it must judge, and judges it.
package custom.regal.rules.mandate["rule-shape"]

import data.regal.result

_path := [part.value | some part in input["package"].path]

_is_rule if {
	array.slice(_path, 0, 3) == ["data", "mandate", "rules"]
	not endswith(_path[count(_path) - 1], "_test")
}

_names contains rule.head.ref[0].value if some rule in input.rules

report contains _at_package("a rule has an id → name its package mandate.rules.<category>.<rule>, as its folder") if {
	_is_rule
	count(_path) != 5
}

report contains _at_package("a rule says what it must judge → define terms") if {
	_is_rule
	not "terms" in _names
}

report contains _at_package("a rule judges → define must, or should if it only warns") if {
	_is_rule
	_names & {"must", "should"} == set()
}

_at_package(description) := result.fail(rego.metadata.chain(), object.union(
	result.location(input["package"]),
	{"description": description},
))
