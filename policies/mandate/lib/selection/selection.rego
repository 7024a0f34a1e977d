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
	thresholds.environment
	some rule, about in catalogue
	_action in about.actions
	_is_here(about.environments)
	_is_included(rule, about.collections)
	not _is_excluded(rule, about.collections)
}

# METADATA
# description: The rules that judge some of their terms only, by patterns with a term.
partial contains rule if {
	some pattern in (_included_terms | _excluded_terms)
	some rule in rules
	_is_of(pattern, rule)
}

# METADATA
# description: Rules, and terms of rules, that do not judge, and why; by rule, then reason.
not_applicable contains {"rule": rule, "reason": reason} if {
	some rule, about in catalogue
	not rule in rules
	reason := _why_not(rule, about)
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
is_whole(rule) if _is_whole(rule, catalogue[rule].collections, _included)

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
	not _is_here(about.environments)
} else := sprintf("%s excludes it.", [_exclude.set_at]) if {
	_is_excluded(rule, about.collections)
} else := sprintf("%s does not include it.", [_include.set_at])

_is_here(environments) if {
	"*" in environments
} else if {
	thresholds.environment in environments
}

_is_included(rule, collections) if {
	"*" in _included
} else if {
	_is_whole(rule, collections, _included)
} else if {
	some pattern in _included_terms
	_is_of(pattern, rule)
}

_is_excluded(rule, collections) if {
	count(_excluded) > 0
	_is_whole(rule, collections, _excluded)
}

# Holds if one of the patterns, which name no term, is of the rule.
_is_whole(rule, collections, patterns) if {
	some pattern in ["*", rule, _category(rule)]
	pattern in patterns
} else if {
	some collection in collections
	concat("", ["@", collection]) in patterns
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
