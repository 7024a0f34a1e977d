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
	"waivers": waivers.reports(_needed_waivers),
}

default _outcome := "deny"

_outcome := "undecided" if count(_failures) > 0

_outcome := "allow" if {
	count(_reasons) == 0
	"passed" in _outcomes
	count({"violation", "no_verdict"} & _outcomes) == 0
}

_outcomes contains finding.outcome if some finding in _findings

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

_needed_waivers contains finding.waiver.id if {
	"waived" in _outcomes
	some finding in _findings
}

# A collector that failed is not one that found nothing: nobody can say what it would have found.
_failures contains wording.could_not_find_out(entry.name, object.get(entry, "reason", "it gave no reason")) if {
	some entry in input.collection
	entry.status == "failed"
	some rule in selection.rules
	entry.name in catalogue[rule].depends_on
}

# By rule, then term: sets and objects iterate in order.
_findings := [finding |
	some of_rule in object.union_n([_all_well, _others, _resting])
	some finding in of_rule
]

# What most rules find is that all is well: each term that must be judged has one check, which holds. To say that
# this way takes half the time.
_all_well[rule] := passed if {
	some rule, [category, name] in _at_once
	must := library[category][name].must
	holding := {check.term | some check in must; check.holds == true}
	holding == library[category][name].terms
	count(holding) == count(must)
	holding != set()
	not library[category][name].should
	passed := {check.term: object.union(object.remove(check, _unstated), outcome) |
		outcome := {"rule": rule, "level": "must", "outcome": "passed"}
		some check in must
	}
}

_others[rule] := [finding | some [_, finding] in _selected(rule, sort(_judged(rule, terms, must, should)))] if {
	some rule in ((selection.rules - object.keys(_all_well)) - _on_approvals)
	[category, name] := split(rule, ".")
	must := {_attributed(check) | some check in library[category][name].must}
	should := {_attributed(check) | some check in library[category][name].should}
	terms := {term | some term in library[category][name].terms}
}

# An approval counts for what was found then, so the rules that depend on approvals are judged last, and are told what
# all others find.
_resting[rule] := [finding | some [_, finding] in _selected(rule, sort(_judged(rule, terms, must, should)))] if {
	some rule in (selection.rules & _on_approvals)
	[category, name] := split(rule, ".")
	found := {part: checks |
		some part in ["must", "should", "terms"]
		checks := {check | some check in library[category][name][part]}
	} with data.mandate.lib.approvals.basis as _basis
	must := {_attributed(check) | some check in found.must}
	should := {_attributed(check) | some check in found.should}
	terms := found.terms
}

# Where nobody signed one there is nothing to tell.
_on_approvals contains rule if {
	_some_are_signed
	some rule, about in catalogue
	"approvals" in about.depends_on
}

_some_are_signed if {
	some approval in input.approvals
	is_string(approval.entry)
}

_basis := {
	"findings": [finding |
		some of_rule in object.union(_all_well, _others)
		some finding in of_rule
	],
	"resting": _on_approvals,
	"ages": {[rule, check.term] |
		some rule in (selection.rules - _on_approvals)
		[category, name] := split(rule, ".")
		some part in ["must", "should"]
		some check in library[category][name][part]
		check.ages == true
	},
}

_at_once := selection.whole if {
	not _some_are_signed
} else := object.remove(selection.whole, _on_approvals)

# A check that names no term would be nowhere among the findings, and what it says would be lost.
_attributed(check) := check if {
	is_string(check.term)
} else := {"term": "*", "measured": null, "comparison": "no term", "bound": null, "holds": false}

# Whatever is judged, ends here in one way only, by term.
_judged(rule, terms, must, should) := array.concat(passed, array.concat(warned, array.concat(failed, unproven))) if {
	judged := {check.term | some check in must}

	# Only `holds: true` holds.
	refuted := {check | some check in must; not check.holds == true}
	doubted := {check | some check in should; not check.holds == true}

	# Terms that had to be judged and were not, those with a violation, and those with a warning and nothing worse.
	unjudged := _unjudged(terms, judged, {check.term | some check in refuted})
	worse := unjudged | {check.term | some check in refuted}
	bad := worse | {check.term | some check in doubted}

	# One finding a term that passed, and one a check that did not: each of these says something else that is to be done.
	passed := array.concat(
		[[check.term, _passed(rule, "must", check)] | some check in _shown(must); not check.term in bad],
		[[check.term, _passed(rule, "should", check)] | some check in _shown(should); not check.term in (bad | judged)],
	)
	warned := [[check.term, _finding(rule, "should", "warning", check)] | some check in doubted; not check.term in worse]
	failed := [[check.term, _finding(rule, "must", _failed_outcome(rule, check), check)] | some check in refuted]
	unproven := [[term, _unproven(rule, term)] | some term in unjudged]
}

# Fail closed: a rule that does not say what it must judge has not judged it, whatever it did judge.
_unjudged(terms, judged, _) := terms - judged if {
	count(terms) > 0
}

_unjudged(terms, _, refuted) := {"*"} - refuted if count(terms) == 0

# Without the terms that the selection leaves out. A rule of which it takes some terms only has to judge one of them.
_selected(rule, findings) := findings if {
	not rule in selection.partial
} else := kept if {
	kept := [[term, finding] |
		some [term, finding] in findings
		selection.judges(rule, term)
	]
	count(kept) > 0
} else := [] if {
	selection.is_whole(rule)
} else := [["*", _unproven(rule, "*")]]

# Of several checks of a term that hold, one with a bound that a setting sets is shown.
_shown(checks) := checks if {
	count({check.term | some check in checks}) == count(checks)
} else := {check |
	later_ones_win := array.concat(
		[{check.term: [check]} | some check in checks; check.bound_set_at == null],
		[{check.term: [check]} | some check in checks; not check.bound_set_at == null],
	)
	some [check] in object.union_n(later_ones_win)
}

_passed(rule, level, check) := object.union(_stated(check), {"rule": rule, "level": level, "outcome": "passed"})

_unproven(rule, term) := _finding(rule, "must", outcome, {
	"term": term,
	"measured": null,
	"comparison": "no verdict",
	"bound": null,
}) if {
	outcome := {true: "warning", false: "no_verdict"}[_is_announced(rule)]
}

# Never undefined, or a violation would be lost: an annotation that is absent is left out.
_finding(rule, level, outcome, check) := object.union_n([
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

_stated(check) := object.remove(check, _unstated)

# What only wording needs is not part of a finding.
_unstated := ["holds", "proven", "unit", "ages", "why"]

_failed_outcome(rule, check) := "warning" if {
	_is_announced(rule)
} else := "waived" if {
	catalogue[rule].waivable == true
	waivers.of(rule, check.term)
} else := "violation"

default _is_announced(_) := false

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
