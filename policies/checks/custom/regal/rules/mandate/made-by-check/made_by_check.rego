# METADATA
# description: |
#   What a rule yields as a check is what data.mandate.lib.check returned, unchanged: a check that says itself that it
#   holds has been judged by nobody. It is written where it is yielded, assigned in the same body, or returned by a
#   function of the rule's own that returns nothing else. And `holds` and `proven` are written nowhere but there.
package custom.regal.rules.mandate["made-by-check"]

import data.regal.result

_says := {"holds", "proven", "/holds", "/proven"}

_path := [part.value | some part in input["package"].path]

_is_test if endswith(_path[count(_path) - 1], "_test")

_is_rule if {
	array.slice(_path, 0, 3) == ["data", "mandate", "rules"]
	not _is_test
}

# The library and what an organisation adds to it. Main takes checks apart, and so does what tests share.
_is_held if {
	array.slice(_path, 0, 3) in [["data", "mandate", "rules"], ["data", "mandate", "lib"]]
	_path != ["data", "mandate", "lib", "check"]
	not _is_test
}

report contains _at(rule.head, "a rule yields its checks one by one → write must contains …, or should contains …") if {
	_is_rule
	some rule in input.rules
	rule.head.ref[0].value in {"must", "should"}
	not rule.head.key
}

report contains _at(rule.head.key, "only lib/check makes checks → yield what check.at_most and the like return, unchanged") if {
	_is_rule
	some rule in input.rules
	rule.head.ref[0].value in {"must", "should"}
	not _is_made(rule.head.key)
	not _is_assigned(rule)
}

report contains _at(text, "only lib/check says what holds → use its functions") if {
	_is_held
	walk(input.rules, [_, node])
	some text in _texts(node)
	text.type == "string"
	text.value in _says
}

# Texts that are written out: what is read by a reference is none.
_texts(node) := node.value if node.type in {"array", "call", "set"}

_texts(node) := array.concat(keys, paths) if {
	node.type == "object"
	keys := [pair[0] | some pair in node.value]
	paths := [pair[1] | some pair in node.value; pair[1].type == "string"; startswith(pair[1].value, "/")]
}

_is_assigned(rule) if {
	some expression in rule.body
	expression.terms[0].value[0].value == "assign"
	expression.terms[1].value == rule.head.key.value
	_is_made(expression.terms[2])
}

_is_made(term) if _is_check(term)

_is_made(term) if {
	term.type == "call"
	count(term.value[0].value) == 1
	term.value[0].value[0].value in _makers
}

_is_check(term) if {
	term.type == "call"
	term.value[0].value[0].value in _imported
}

_is_check(term) if {
	term.type == "call"
	[part.value | some part in array.slice(term.value[0].value, 0, 4)] == ["data", "mandate", "lib", "check"]
}

_imported contains object.get(imported, "alias", "check") if {
	some imported in input.imports
	[part.value | some part in imported.path.value] == ["data", "mandate", "lib", "check"]
}

# Functions of the rule's own that return checks, whatever way they end.
_makers contains name if {
	some name, values in _returned
	every value in values {
		_is_check(value)
	}
}

_returned[name] contains head.value if {
	some rule in input.rules
	rule.head.args
	name := rule.head.ref[0].value
	walk(rule, [path, head])
	path[count(path) - 1] == "head"
	head.value
}

_at(node, description) := result.fail(rego.metadata.chain(), object.union(
	result.location(node),
	{"description": description},
))
