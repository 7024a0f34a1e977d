# METADATA
# description: |
#   The tests that each rule must have, checked and not believed: `mandate policy check` evaluates `problems`.
#
#   The test of a rule, `mandate.rules.<category>.<rule>_test`, has `cases`: by its name, each case is
#
#       {"changes": […], "verdicts": {term: verdict}, "should": {term: verdict}, "settings": {file: {setting: …}}}
#
#   `changes` are JSON patches of `mandate.testing.good`; `verdicts` are of `must`, and `should` (where there are any) of
#   `should`; `settings` are put over `data.mandate.thresholds`. The rule is judged by each case here. There must be
#
#   - for each threshold that is a number, a number that meets it and a number that does not;
#   - a figure or field that is null, one that is text where the good input has none, a whole section that is absent
#     (or null), and a list that is empty: each in a case in which something does not hold.
package mandate.testing.conformance

import data.mandate.catalogue
import data.mandate.rules as library
import data.mandate.testing

problems contains _problem(rule, "no-cases", sprintf("the rule %s has no test with cases", [rule]), next_step) if {
	some rule, _ in catalogue
	not _cases[rule]
	next_step := sprintf("Define cases in %s_test.rego, as mandate.testing.conformance says", [split(rule, ".")[1]])
}

problems contains _problem(rule, "case", what, "Write {\"changes\": […], \"verdicts\": {term: verdict}}") if {
	some rule, cases in _cases
	unusable := [note | some note, _ in cases; not _judged[rule][note]]
	count(unusable) != 0
	what := sprintf("cases of %s have no changes that can be made, or no verdicts: %s", [rule, concat(", ", unusable)])
}

problems contains object.union(_problem(rule, "verdicts", what, next_step), {"case": note}) if {
	some rule, judged in _judged
	some note, case in judged
	some level in ["verdicts", "should"]
	case.expected[level] != case.got[level]
	what := sprintf("the case %q of %s expects %v, and the rule says %v", [
		note,
		rule,
		json.marshal(case.expected[level]),
		json.marshal(case.got[level]),
	])
	next_step := sprintf("See `mandate policy test %s`", [rule])
}

problems contains _problem(rule, "threshold", what, next_step) if {
	some rule, _ in _cases
	some name in catalogue[rule].thresholds
	some leaf in _leaves(name)
	is_number(leaf.value)
	some met, words in {true: "meets", false: "does not meet"}
	not met in _sides(rule, name)
	what := sprintf("no case of %s has a number that %s the threshold %s", [rule, words, name])
	next_step := "Add a case on that side of the bound, as near to it as makes a difference"
}

problems contains _problem(rule, kind, what, next_step) if {
	some rule, _ in _cases
	some kind, said in _kinds
	not kind in _shown[rule]
	what := sprintf("no case of %s shows that %s does not pass", [rule, said.what])
	next_step := sprintf("Add a case whose changes have %s", [said.example])
}

_kinds := {
	"null": {"what": "null", "example": "testing.replaced(\"/section/…/field\", null)"},
	"text": {
		"what": "text in the place of something else",
		"example": "testing.replaced(\"/section/…/value\", \"0.05\")",
	},
	"absent": {"what": "an absent section", "example": "testing.removed(\"/section\")"},
	"empty": {"what": "an empty list", "example": "testing.replaced(\"/section/list\", [])"},
}

_problem(rule, kind, what, next_step) := {
	"rule": rule,
	"kind": kind,
	"what": what,
	"next_step": next_step,
	"case": null,
}

_cases[rule] := cases if {
	some rule, _ in catalogue
	[category, name] := split(rule, ".")
	cases := library[category][sprintf("%s_test", [name])].cases
	cases != {}
}

# What the rule makes of each case that can be judged.
_judged[rule][note] := {
	"document": document,
	"checks": array.concat(must, should),
	"expected": {"verdicts": case.verdicts, "should": object.get(case, "should", {})},
	"got": {"verdicts": testing.verdicts(terms, must), "should": _should(case, terms, should)},
} if {
	some rule, cases in _cases
	some note, case in cases
	[category, name] := split(rule, ".")
	document := testing.changed(case.changes)
	settings := testing.set(case)
	terms := {term | some term in library[category][name].terms} with input as document
		with data.mandate.thresholds as settings
	must := [check | some check in library[category][name].must] with input as document
		with data.mandate.thresholds as settings
	should := [check | some check in library[category][name].should] with input as document
		with data.mandate.thresholds as settings
}

_should(case, terms, checks) := testing.verdicts(terms, checks) if {
	case.should
} else := {}

# Whether numbers were found to meet the threshold, and not to.
_sides(rule, name) := {check.proven |
	set_at := {leaf.set_at | some leaf in _leaves(name)}
	some case in _judged[rule]
	some check in case.checks
	is_number(check.measured)
	check.bound_set_at in set_at
}

# What the threshold is in all its layers; all of a group's thresholds if the name ends in `*`.
_leaves(name) := {node |
	path := [part | some part in split(name, "."); part != "*"]
	setting := object.get(data.mandate.thresholds, path, {})
	walk(setting, [_, node])
	is_object(node)
	node.set_at
}

# Which kinds of bad input there are among the cases in which something does not hold.
_shown[rule] contains kind if {
	some rule, judged in _judged
	some case in judged
	_something_fails(case.got)
	some section, good in testing.good
	not section in _not_facts
	object.get(case.document, section, null) != good
	some kind in _made(section, case.document)
}

# A field may be null in the good input.
_shown[rule] contains "null" if {
	some rule, judged in _judged
	some note, case in judged
	_something_fails(case.got)
	some change in _cases[rule][note].changes
	change.value == null
	regex.match(`^/[^/]+/`, change.path)
}

# What the gate writes: rules judge the other sections.
_not_facts := {"apiVersion", "collection", "request"}

_something_fails(got) if {
	some level in got
	some verdict in level
	verdict != "holds"
}

_made(section, document) := {"absent"} if {
	object.get(document, section, null) == null
} else := {kind |
	some [path, before] in _places[section]
	some kind in _became(before, object.get(document, array.concat([section], path), {}))
}

# Every value of the good input with its path, by section.
_places[section] contains [path, value] if {
	some section, good in testing.good
	walk(good, [path, value])
}

_became(before, null) := {"null"} if before != null

_became(before, []) := {"empty"} if before != []

_became(before, after) := {"text"} if {
	is_string(after)
	not is_string(before)
}
