# METADATA
# description: |
#   Judgements: the only place where a fact meets a bound. A check holds only where that is proven: the types are
#   right, the comparison is true, and the fact's origin is one that the environment accepts. In Rego itself
#   `null <= 0.05` is true, and so is `"NaN" >= 0.8`.
# custom:
#   thresholds:
#     evidence.accepted_origins: {type: array, items: {type: string, enum: [measured, reported]}}
package mandate.lib.check

import data.mandate.lib.thresholds
import data.mandate.thresholds.evidence as settings

# METADATA
# description: The number is at most the bound.
at_most(term, fact, bound) := _check(term, fact, "<=", bound, true) if {
	is_number(fact.value)
	is_number(bound.value)
	fact.value <= bound.value
} else := _check(term, fact, "<=", bound, false)

# METADATA
# description: The number is at least the bound.
at_least(term, fact, bound) := _check(term, fact, ">=", bound, true) if {
	is_number(fact.value)
	is_number(bound.value)
	fact.value >= bound.value
} else := _check(term, fact, ">=", bound, false)

# METADATA
# description: The value is the bound. What is null or empty text is equal to nothing.
equals(term, fact, bound) := _check(term, fact, "==", bound, true) if {
	not fact.value in {null, ""}
	fact.value == bound.value
} else := _check(term, fact, "==", bound, false)

# METADATA
# description: The value is one of the bound's list.
one_of(term, fact, bound) := _check(term, fact, "one of", bound, true) if {
	is_array(bound.value)
	not fact.value in {null, ""}
	fact.value in bound.value
} else := _check(term, fact, "one of", bound, false)

# METADATA
# description: The list has every item of the bound's list, which has at least one.
includes(term, fact, bound) := _check(term, fact, "includes", bound, true) if {
	is_array(fact.value)
	is_array(bound.value)
	count(bound.value) > 0
	every item in bound.value {
		not item in {null, ""}
		item in fact.value
	}
} else := _check(term, fact, "includes", bound, false)

# METADATA
# description: The value is neither null, empty nor blank. `false` and 0 are there.
present(term, fact) := _check(term, fact, "present", thresholds.fixed(true), true) if {
	not fact.value in {null, [], {}}
	not _is_blank(fact.value)
} else := _check(term, fact, "present", thresholds.fixed(true), false)

_is_blank(value) if {
	is_string(value)
	trim_space(value) == ""
}

# METADATA
# description: Whose facts the environment accepts, as a bound.
accepted_origins := thresholds.of(settings.accepted_origins)

_check(term, fact, comparison, bound, proven) := {
	"term": term,
	"measured": fact.value,
	"comparison": comparison,
	"bound": bound.value,
	"bound_set_at": bound.set_at,
	"origin": fact.origin,
	"collector": fact.collector,
	"n": fact.n,
	"interval": fact.interval,
	"unit": fact.unit,
	"proven": proven,
	"holds": _holds(proven, fact.origin),
}

default _holds(_, _) := false

_holds(true, origin) if origin in accepted_origins.value
