# METADATA
# description: |
#   Which rules the request must satisfy, and which of their terms: by the rule's own actions and environments, and
#   by the lists `include` and `exclude` for the model, the environment and the risk tier.
package mandate.lib.selection

import data.mandate.catalogue
import data.mandate.lib.thresholds
import data.mandate.lib.wording
import data.mandate.selection as settings

# METADATA
# description: The ids of the rules that judge.
rules contains rule if {
	some rule, about in catalogue
	not _why_not(rule, about)
}

# METADATA
# description: Rules, and terms of rules, that do not judge, and why; by rule, then reason.
not_applicable contains {"rule": rule, "reason": reason} if {
	some rule, about in catalogue
	reason := _why_not(rule, about)
}

not_applicable contains {"rule": rule, "reason": reason} if {
	some rule in rules
	some pattern in _excluded_terms
	_is_of(pattern, rule)
	reason := sprintf("%s excludes %s.", [_exclude.set_at, wording.name(pattern)])
}

not_applicable contains {"rule": rule, "reason": reason} if {
	some rule in rules
	not _whole(rule, catalogue[rule], _included)
	reason := sprintf("%s includes only some of its terms.", [_include.set_at])
}

# METADATA
# description: Holds if the rule, which judges, judges the term.
judges(rule, term) if {
	_includes_term(rule, term)
	not _is_named(rule, term, _excluded_terms)
}

_includes_term(rule, _) if _whole(rule, catalogue[rule], _included)

_includes_term(rule, term) if _is_named(rule, term, _included_terms)

_why_not(rule, about) := "The environment is unknown." if {
	not thresholds.environment
} else := sprintf("It does not judge the action %s.", [wording.name(_action)]) if {
	not _action in about.actions
} else := sprintf("It does not judge in the environment %s.", [thresholds.environment]) if {
	not _judges_here(about)
} else := sprintf("%s does not include it.", [_include.set_at]) if {
	not _whole(rule, about, _included)
	not _some_term(rule)
} else := sprintf("%s excludes it.", [_exclude.set_at]) if {
	_whole(rule, about, _excluded)
}

_judges_here(about) if {
	some environment in {"*", thresholds.environment}
	environment in about.environments
}

# Holds if one of the patterns, which name no term, is of the rule.
_whole(rule, _, patterns) if {
	some pattern in {"*", rule, _category(rule)}
	pattern in patterns
}

_whole(_, about, patterns) if {
	some collection in about.collections
	concat("", ["@", collection]) in patterns
}

_some_term(rule) if {
	some pattern in _included_terms
	_is_of(pattern, rule)
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

_included contains pattern if {
	some pattern in _include.value
	not contains(pattern, ":")
}

_excluded contains pattern if {
	some pattern in _exclude.value
	not contains(pattern, ":")
}

_included_terms contains pattern if {
	some pattern in _include.value
	contains(pattern, ":")
}

_excluded_terms contains pattern if {
	some pattern in _exclude.value
	contains(pattern, ":")
}
