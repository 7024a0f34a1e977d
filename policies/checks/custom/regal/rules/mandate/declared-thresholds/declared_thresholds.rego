# METADATA
# description: |
#   A package declares in its METADATA each threshold that it reads, and reads each that it declares. So the compiler
#   knows what a setting must be, and that none is missing.
package custom.regal.rules.mandate["declared-thresholds"]

import data.regal.result

_path := [part.value | some part in input["package"].path]

_is_policy if {
	array.slice(_path, 0, 2) == ["data", "mandate"]
	not endswith(_path[count(_path) - 1], "_test")
}

_declared contains trim_suffix(name, ".*") if {
	some annotation in input["package"].annotations
	annotation.scope == "package"
	some name, _ in annotation.custom.thresholds
}

# What is imported as data.mandate.thresholds.<file>, by the name that the module gives it.
_files[object.get(imported, "alias", path[3])] := path[3] if {
	some imported in input.imports
	path := [part.value | some part in imported.path.value]
	array.slice(path, 0, 3) == ["data", "mandate", "thresholds"]
}

_read[setting] contains reference if {
	walk(input.rules, [_, reference])
	reference.type == "ref"
	file := _files[reference.value[0].value]
	setting := concat(".", [file, reference.value[1].value])
}

report contains violation if {
	_is_policy
	some setting, references in _read
	not setting in _declared
	first := [reference | some reference in references][0]
	violation := result.fail(rego.metadata.chain(), object.union(
		result.location(first),
		{"description": sprintf(
			"METADATA does not declare the threshold %s, which is read here → add it to custom.thresholds",
			[setting],
		)},
	))
}

report contains violation if {
	_is_policy
	some setting in (_declared - object.keys(_read))
	violation := result.fail(rego.metadata.chain(), object.union(
		result.location(input["package"]),
		{"description": sprintf("METADATA declares the threshold %s, which nothing here reads → remove it", [setting])},
	))
}
