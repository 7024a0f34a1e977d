# METADATA
# description: |
#   A rule refers to no other rule, and to nothing that would hold all of them. What two rules need is in the library.
package custom.regal.rules.mandate["stands-alone"]

import data.regal.result

_path := [part.value | some part in input["package"].path]

_is_rule if {
	array.slice(_path, 0, 3) == ["data", "mandate", "rules"]
	not endswith(_path[count(_path) - 1], "_test")
}

# The parts of a reference up to the first that is not fixed.
_fixed(reference) := array.slice(parts, 0, min(array.concat(loose, [count(parts)]))) if {
	parts := [part.value | some part in reference.value]
	loose := [at | some at, part in reference.value; at > 0; part.type != "string"]
}

report contains violation if {
	_is_rule
	some part in ["imports", "rules"]
	walk(input[part], [_, reference])
	reference.type == "ref"
	fixed := _fixed(reference)
	fixed[0] == "data"
	_reaches_rules(fixed)
	violation := result.fail(rego.metadata.chain(), object.union(
		result.location(reference),
		{"description": "a rule does not reach another rule → put what both need into a library, data.mandate.lib.…"},
	))
}

_reaches_rules(fixed) if array.slice(fixed, 0, 3) == ["data", "mandate", "rules"]

_reaches_rules(fixed) if fixed in [["data"], ["data", "mandate"]]
