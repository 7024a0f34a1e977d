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
at_most(term, fact, bound) := _check(term, fact, "<=", bound, _at_most(fact.value, bound.value))

# METADATA
# description: The number is at least the bound.
at_least(term, fact, bound) := _check(term, fact, ">=", bound, _at_least(fact.value, bound.value))

# METADATA
# description: The value is the bound. What is null or empty text is equal to nothing.
equals(term, fact, bound) := _check(term, fact, "==", bound, _equals(fact.value, bound.value))

# METADATA
# description: The value is one of the bound's list.
one_of(term, fact, bound) := _check(term, fact, "one of", bound, _one_of(fact.value, bound.value))

# METADATA
# description: The list has every item of the bound's list, which has at least one.
includes(term, fact, bound) := _check(term, fact, "includes", bound, _includes(fact.value, bound.value))

# METADATA
# description: The value is neither null nor empty. `false` and 0 are there.
present(term, fact) := _check(term, fact, "present", thresholds.fixed(true), _present(fact.value))

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
	"holds": {proven, _accepted(fact.origin)} == {true},
}

default _accepted(_) := false

_accepted(origin) if origin in accepted_origins.value

default _at_most(_, _) := false

_at_most(measured, bound) if {
	is_number(measured)
	is_number(bound)
	measured <= bound
}

default _at_least(_, _) := false

_at_least(measured, bound) if {
	is_number(measured)
	is_number(bound)
	measured >= bound
}

default _equals(_, _) := false

_equals(measured, bound) if {
	not measured in {null, ""}
	measured == bound
}

default _one_of(_, _) := false

_one_of(measured, bound) if {
	is_array(bound)
	not measured in {null, ""}
	measured in bound
}

default _includes(_, _) := false

_includes(measured, bound) if {
	is_array(measured)
	is_array(bound)
	count(bound) > 0
	every item in bound {
		not item in {null, ""}
		item in measured
	}
}

default _present(_) := false

_present(measured) if not measured in {null, "", [], {}}
