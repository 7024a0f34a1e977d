# METADATA
# description: |
#   A rule compares order through data.mandate.lib.check only. In Rego `null <= 0.05` is true, and so is
#   `"NaN" >= 0.8`: the library demands numbers.
package custom.regal.rules.mandate["compare-in-library"]

import data.regal.result

_orders := {"gt", "gte", "lt", "lte"}

_path := [part.value | some part in input["package"].path]

_is_rule if {
	array.slice(_path, 0, 3) == ["data", "mandate", "rules"]
	not endswith(_path[count(_path) - 1], "_test")
}

report contains violation if {
	_is_rule
	walk(input.rules, [_, operator])
	operator.type == "ref"
	operator.value[0].value in _orders
	violation := result.fail(rego.metadata.chain(), object.union(
		result.location(operator),
		{"description": "a rule compares order through lib/check only"},
	))
}
