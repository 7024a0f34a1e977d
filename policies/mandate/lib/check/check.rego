# METADATA
# description: |
#   Judgements: the only place where a fact meets a bound. A check holds only where that is proven: the types are
#   right, the comparison is true, and the fact's origin is one that the environment accepts. In Rego itself
#   `null <= 0.05` is true, and so is `"NaN" >= 0.8`.
# custom:
#   thresholds:
#     evidence.accepted_origins: {type: array, tightens: down, items: {type: string, enum: [measured, reported]}}
package mandate.lib.check

import data.mandate.lib.thresholds
import data.mandate.thresholds.evidence as settings

# METADATA
# description: The number is at most the bound.
at_most(term, fact, bound) := _proven(term, fact, "<=", bound) if {
	measured := fact.measured
	is_number(measured)
	limit := bound.value
	is_number(limit)
	measured <= limit
} else := _failed(term, fact, "<=", bound, false)

# METADATA
# description: The number is at least the bound.
at_least(term, fact, bound) := _proven(term, fact, ">=", bound) if {
	measured := fact.measured
	is_number(measured)
	limit := bound.value
	is_number(limit)
	measured >= limit
} else := _failed(term, fact, ">=", bound, false)

# METADATA
# description: The value is the bound. What is null or empty text is equal to nothing.
equals(term, fact, bound) := _proven(term, fact, "==", bound) if {
	measured := fact.measured
	not measured in {null, ""}
	measured == bound.value
} else := _failed(term, fact, "==", bound, false)

# METADATA
# description: The value is one of the bound's list.
one_of(term, fact, bound) := _proven(term, fact, "one of", bound) if {
	is_array(bound.value)
	measured := fact.measured
	not measured in {null, ""}
	measured in bound.value
} else := _failed(term, fact, "one of", bound, false)

# METADATA
# description: The list has every item of the bound's list, which has at least one.
includes(term, fact, bound) := _proven(term, fact, "includes", bound) if {
	is_array(fact.measured)
	is_array(bound.value)
	count(bound.value) > 0
	every item in bound.value {
		not item in {null, ""}
		item in fact.measured
	}
} else := _failed(term, fact, "includes", bound, false)

# METADATA
# description: The value is neither null, empty nor blank. `false` and 0 are there.
present(term, fact) := _proven(term, fact, "present", thresholds.fixed(true)) if {
	measured := fact.measured
	not measured in {null, [], {}}
	not _is_blank(measured)
} else := _failed(term, fact, "present", thresholds.fixed(true), false)

_is_blank(value) if {
	is_string(value)
	trim_space(value) == ""
}

# METADATA
# description: Whose facts the environment accepts, as a bound.
accepted_origins := thresholds.of(settings.accepted_origins)

# The comparison is true, which holds only for a fact of an origin that is accepted.
_proven(term, fact, comparison, bound) := object.union(fact, {
	"term": term,
	"comparison": comparison,
	"bound": bound.value,
	"bound_set_at": bound.set_at,
	"proven": true,
	"holds": true,
}) if {
	fact.origin in accepted_origins.value
} else := _failed(term, fact, comparison, bound, true)

_failed(term, fact, comparison, bound, proven) := object.union(fact, {
	"term": term,
	"measured": fact.measured,
	"comparison": comparison,
	"bound": bound.value,
	"bound_set_at": bound.set_at,
	"proven": proven,
	"holds": false,
})
