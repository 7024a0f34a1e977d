# METADATA
# description: |
#   Which rules the request must satisfy, and which of their terms: by the rule's own actions and environments, and
#   by the lists `include` and `exclude` for the model, the environment and the risk tier.
package mandate.lib.selection

import data.mandate.applicable
import data.mandate.catalogue
import data.mandate.lib.instants
import data.mandate.lib.thresholds
import data.mandate.lib.wording
import data.mandate.selection as settings

# METADATA
# description: The ids of the rules that judge.
rules := _chosen - object.keys(_replaced)

# METADATA
# description: Where the rules stand that judge all of their terms, rule → [category, name].
whole := object.filter(_applicable, rules - partial)

# METADATA
# description: The rules that judge some of their terms only, by patterns with a term.
partial contains rule if {
	some pattern in (_included_terms | _excluded_terms)
	some rule in rules
	_is_of(pattern, rule)
}

# METADATA
# description: Rules, and terms of rules, that do not judge, and why; by rule, then reason.
# scope: document
not_applicable contains {"rule": rule, "reason": reason} if {
	some rule in (object.keys(catalogue) - _chosen)
	reason := _why_not(rule, catalogue[rule])
}

not_applicable contains {"rule": rule, "reason": reason, "replaced_by": other} if {
	some rule, other in _replaced
	reason := sprintf("%s replaces it: %s", [other, wording.sentence(catalogue[other].replaces.reason)])
}

not_applicable contains {"rule": rule, "reason": reason} if {
	some rule in partial
	some pattern in _excluded_terms
	_is_of(pattern, rule)
	reason := sprintf("%s excludes %s.", [_exclude.set_at, wording.name(pattern)])
}

not_applicable contains {"rule": rule, "reason": reason} if {
	some rule in partial
	not is_whole(rule)
	reason := sprintf("%s includes only some of its terms.", [_include.set_at])
}

# METADATA
# description: Holds if the rule is included with all its terms.
is_whole(rule) if rule in _whole

# METADATA
# description: Holds if a rule of `partial` judges the term.
judges(rule, term) if {
	_includes_term(rule, term)
	not _is_named(rule, term, _excluded_terms)
}

_includes_term(rule, _) if is_whole(rule)

_includes_term(rule, term) if _is_named(rule, term, _included_terms)

_why_not(rule, about) := "The environment is unknown." if {
	not thresholds.environment
} else := sprintf("It does not judge the action %s.", [wording.name(_action)]) if {
	not _action in about.actions
} else := sprintf("It does not judge in the environment %s.", [thresholds.environment]) if {
	not thresholds.environment in about.environments
} else := sprintf("%s excludes it.", [_exclude.set_at]) if {
	rule in _excluded
} else := sprintf("%s does not include it.", [_include.set_at])

# Judged are those that the lists select, of those that judge the action in the environment …
default _chosen := set()

_chosen := ((_whole | _in_part) - _excluded) & object.keys(_applicable)

default _applicable := {}

_applicable := applicable[_action][thresholds.environment]

# … but a rule that another one replaces judges only where that one does not: nothing is left unjudged. One that is
# yet to take effect only warns, and one of which a list names but some terms judges only those: neither stands for
# another one.
_replaced[target] := rule if {
	some rule in (_chosen & _whole)
	target := catalogue[rule].replaces.rule
	target in _chosen
	not instants.is_to_come(catalogue[rule].effective_on)
}

# Rules that a list names by a pattern without a term.
_whole := _meant(_patterns(_include))

_excluded := _meant(_patterns(_exclude))

# Rules of which a list names a term.
_in_part contains rule if {
	some pattern in _included_terms
	some rule, _ in catalogue
	_is_of(pattern, rule)
}

_patterns(list) := {pattern | some pattern in list.value; not contains(pattern, ":")}

# No call for each rule: this is on the way of every decision, with as many rules as an organisation has.
_meant(patterns) := set() if {
	count(patterns) == 0
} else := object.keys(catalogue) if {
	"*" in patterns
} else := {rule |
	some rule, about in catalogue
	some name in array.concat([rule, split(rule, ".")[0]], [concat("", ["@", each]) | some each in about.collections])
	name in patterns
}

_is_of(pattern, rule) if split(pattern, ":")[0] in {rule, _category(rule)}

_is_named(rule, term, patterns) if {
	some name in {rule, _category(rule)}
	concat(":", [name, term]) in patterns
}

_category(rule) := split(rule, ".")[0]

default _action := "that is not named"

_action := input.request.action if is_string(input.request.action)

_include := thresholds.of(settings.include)

_exclude := thresholds.of(settings.exclude)

_included_terms contains pattern if {
	some pattern in _include.value
	contains(pattern, ":")
}

_excluded_terms contains pattern if {
	some pattern in _exclude.value
	contains(pattern, ":")
}
