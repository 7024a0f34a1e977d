# METADATA
# description: |
#   Policies compare order through data.mandate.lib.check only, rules and an organisation's libraries alike. In Rego
#   `null <= 0.05` is true, and so is `"NaN" >= 0.8`: the library demands numbers. The library's own few packages that
#   compare what is known to be a number or an instant are named here.
package custom.regal.rules.mandate["compare-in-library"]

import data.regal.result

_orders := {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

# A later root cannot define any of these: the compiler refuses that.
_exempt := {
	"data.mandate.lib.approvals",
	"data.mandate.lib.check",
	"data.mandate.lib.facts",
	"data.mandate.lib.instants",
	"data.mandate.lib.term",
	"data.mandate.lib.waivers",
	"data.mandate.lib.wording",
	"data.mandate.main",
	"data.mandate.testing",
}

_path := [part.value | some part in input["package"].path]

_is_held if {
	array.slice(_path, 0, 2) == ["data", "mandate"]
	not concat(".", _path) in _exempt
	not endswith(_path[count(_path) - 1], "_test")
}

report contains violation if {
	_is_held
	walk(input.rules, [_, operator])
	operator.type == "ref"
	order := _orders[operator.value[0].value]
	violation := result.fail(rego.metadata.chain(), object.union(
		result.location(operator),
		{"description": sprintf("%s compares whatever it is given, null too → use check.at_most or check.at_least", [order])},
	))
}
