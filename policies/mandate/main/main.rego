# METADATA
# description: |
#   Composes every rule into one decision. Adding a rule is adding a folder.
#
#   A rule passes only where it is proven: each of its `terms` ends in exactly one outcome, and a term that nothing
#   was judged for is *no verdict*, which denies. So what is absent, empty, mistyped or undefined never allows.
package mandate.main

import data.mandate.catalogue
import data.mandate.lib.instants
import data.mandate.lib.selection
import data.mandate.lib.thresholds
import data.mandate.lib.waivers
import data.mandate.lib.wording
import data.mandate.rules as library
import data.mandate.scope

# METADATA
# description: The one answer that the gate asks for.
# entrypoint: true
decision := {
	"outcome": _outcome,
	"reasons": [reason | some reason in _reasons],
	"findings": _findings,
	"not_applicable": [one | some one in selection.not_applicable],
}

default _outcome := "deny"

_outcome := "undecided" if count(_failures) > 0

_outcome := "allow" if {
	count(_reasons) == 0
	"passed" in _outcomes
	count({"violation", "no_verdict"} & _outcomes) == 0
}

_outcomes := {finding.outcome | some finding in _findings}

# Why, where no single finding says it.
_reasons contains reason if some reason in _failures

_reasons contains "The input document is not of mandate/v1." if not input.apiVersion == "mandate/v1"

_reasons contains "The request has no time: nothing says which certificates, approvals and waivers hold." if {
	not instants.now
}

_reasons contains reason if {
	not thresholds.environment
	reason := sprintf("The environment %s is not one of %s.", [_environment, concat(", ", scope.environments)])
}

_reasons contains "No rule applies, and what nobody judged is not allowed." if {
	thresholds.environment
	count(selection.rules) == 0
}

_reasons contains "Nothing passed, and what nobody proved is not allowed." if {
	count(selection.rules) > 0
	count({"passed", "violation", "no_verdict"} & _outcomes) == 0
}

default _environment := "that is not named"

_environment := wording.name(input.request.environment)

# A collector that failed is not one that found nothing: nobody can say what it would have found.
_failures contains wording.could_not_find_out(name, entry.reason) if {
	some rule in selection.rules
	some name in catalogue[rule].depends_on
	some entry in input.collection
	entry.name == name
	entry.status == "failed"
}

# By rule, then term: sets iterate in order, and each rule's findings are sorted.
_findings := [finding |
	some rule in selection.rules
	some [_, finding] in sort(array.concat(array.concat(_passed(rule), _failed(rule)), _unproven(rule)))
]

_must[rule] := [check | some check in library[category][name].must; selection.judges(rule, check.term)] if {
	some rule in selection.rules
	[category, name] := split(rule, ".")
}

_should[rule] := [check | some check in library[category][name].should; selection.judges(rule, check.term)] if {
	some rule in selection.rules
	[category, name] := split(rule, ".")
}

# Terms of which a must-check does not hold. Only `holds: true` does.
_refuted[rule] := {check.term | some check in checks; not check.holds == true} if some rule, checks in _must

# Terms that had to be judged, and were not.
_unjudged[rule] := {term |
	some term in (_expected(rule) - {check.term | some check in checks})
	selection.judges(rule, term)
} if {
	some rule, checks in _must
}

# Terms of which a should-check does not hold, where nothing worse is to be said.
_doubted[rule] := {check.term | some check in checks; not check.holds == true} - (_refuted[rule] | _unjudged[rule]) if {
	some rule, checks in _should
}

# Fail closed: a rule that does not say what it must judge has not judged it.
_expected(rule) := terms if {
	[category, name] := split(rule, ".")
	terms := library[category][name].terms
	count(terms) > 0
} else := {"*"}

# One finding a term. Of several checks that hold, the one shown is a must-check with a bound that a setting sets.
_passed(rule) := [[term, finding] |
	some term, [level, check] in object.union_n(array.concat(_ranked("should", _should[rule]), _ranked("must", _must[rule])))
	not term in ((_refuted[rule] | _unjudged[rule]) | _doubted[rule])
	finding := object.union(_stated(check), {"rule": rule, "level": level, "outcome": "passed"})
]

# Where a term stands twice, the later one is taken.
_ranked(level, checks) := array.concat(
	[{check.term: [level, check]} | some check in checks; check.bound_set_at == null],
	[{check.term: [level, check]} | some check in checks; not check.bound_set_at == null],
)

# One finding a check: each says something else that is to be done.
_failed(rule) := [[check.term, finding] |
	some [level, checks, terms] in [["must", _must[rule], _refuted[rule]], ["should", _should[rule], _doubted[rule]]]
	some check in checks
	check.term in terms
	not check.holds == true
	finding := _finding(rule, check, level, _failed_outcome(rule, check, level))
]

_unproven(rule) := [[term, finding] |
	some term in _unjudged[rule]
	finding := _finding(rule, _no_verdict(term), "must", _no_verdict_outcome(rule))
]

_no_verdict(term) := {
	"term": term,
	"measured": null,
	"comparison": "no verdict",
	"bound": null,
}

# Never undefined, or a violation would be lost: an annotation that is absent is left out.
_finding(rule, check, level, outcome) := object.union_n([
	object.filter(catalogue[rule], ["title", "solution", "severity", "controls", "collections", "effective_on"]),
	_stated(check),
	{
		"rule": rule,
		"level": level,
		"outcome": outcome,
		"message": concat("", [_sentence(rule, check), _postscript(rule, check, outcome)]),
	},
	_waived(rule, check, outcome),
])

# What only wording needs is not part of a finding.
_stated(check) := object.remove(check, ["holds", "proven", "unit"])

_failed_outcome(rule, check, level) := "warning" if {
	level == "should"
} else := "warning" if {
	_is_announced(rule)
} else := "waived" if {
	catalogue[rule].waivable == true
	waivers.of(rule, check.term)
} else := "violation"

_no_verdict_outcome(rule) := "warning" if {
	_is_announced(rule)
} else := "no_verdict"

_is_announced(rule) if instants.is_to_come(catalogue[rule].effective_on)

_waived(rule, check, outcome) := {"waiver": waivers.of(rule, check.term)} if {
	outcome == "waived"
} else := {}

_sentence(rule, check) := sprintf("%s: %s", [catalogue[rule].title, unproven]) if {
	check.comparison == "no verdict"
	unproven := wording.unproven(check.term, catalogue[rule].depends_on)
} else := sprintf("%s: %s", [catalogue[rule].failure_msg, wording.failed(check)]) if {
	check.proven in {true, false}
} else := "This rule is not met, and does not say how."

_postscript(rule, check, outcome) := sprintf(" %s waived it until %s: %s.", [
	wording.name(waiver.approver),
	waiver.expires,
	wording.name(waiver.reference),
]) if {
	outcome == "waived"
	waiver := waivers.of(rule, check.term)
} else := sprintf(" This will deny from %s.", [catalogue[rule].effective_on]) if {
	outcome == "warning"
	_is_announced(rule)
} else := ""
