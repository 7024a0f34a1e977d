# METADATA
# description: |
#   Sentences for the person who must act: what was measured, the bound, who says so, what would make it pass.
#   What comes from outside (names, values) is shown so that it can neither hide nor forge a part of a sentence.
package mandate.lib.wording

import data.mandate.lib.check as judging
import data.mandate.lib.collectors
import data.mandate.lib.thresholds

# METADATA
# description: A check that does not hold, after the rule's `failure_msg`.
failed(check) := sprintf("%s %s (%s), %s.%s", [
	name(check.term),
	_measured(check),
	_source(check),
	_counterfactual(check),
	_why(check),
])

# What a rule has to say of it besides.
_why(check) := sprintf(" %s", [check.why]) if {
	is_string(check.why)
	check.why != ""
} else := ""

# METADATA
# description: A term that nothing was judged for, after the rule's title.
unproven(term, needed) := sprintf("not shown%s. %s", [_for(term), concat(" ", _obstacles(needed))])

# METADATA
# description: A collector whose failure leaves a rule undecided.
could_not_find_out(collector, reason) := sprintf("The collector %s could not find out: %s", [
	name(collector),
	sentence(reason),
])

# METADATA
# description: |
#   A name from outside. Control characters, marks that reorder text and the like become `�`, and a name with
#   such marks, with quotes or of over 120 characters is quoted.
name(text) := text if {
	is_string(text)
	count(text) <= 120
	regex.match(`^[\p{L}\p{M}\p{N}_.,:;×()/@=<>+%#&'… -]+$`, text)
	text == trim_space(text)
} else := json.marshal(_shortened(_printable(text))) if {
	is_string(text)
} else := _shortened(json.marshal(text))

# METADATA
# description: |
#   A measured number beside its bound: four significant digits, or all of them where four would put it on the
#   other side of the bound.
number(measured, bound) := grouped(measured) if {
	_is_whole(measured)
} else := rounded if {
	measured != floor(measured)
	rounded := sprintf("%.4g", [measured])
	_side(to_number(rounded), bound) == _side(measured, bound)
} else := sprintf("%v", [measured])

_rounded(value) := number(value, null) if {
	is_number(value)
} else := _single(value)

# METADATA
# description: A whole number with a comma between thousands.
grouped(whole) := sprintf("%s%s", [_sign(whole), strings.reverse(trim_suffix(reversed, ","))]) if {
	digits := format_int(abs(whole), 10)
	reversed := regex.replace(strings.reverse(digits), `[0-9]{3}`, "${0},")
}

_sign(whole) := "-" if {
	whole < 0
} else := ""

_is_whole(measured) if {
	is_number(measured)
	abs(measured) < 1000000000000000
	measured == floor(measured)
}

default _side(_, _) := "none"

_side(measured, bound) := "below" if {
	is_number(bound)
	measured < bound
}

_side(measured, bound) := "above" if {
	is_number(bound)
	measured > bound
}

_side(measured, bound) := "on" if measured == bound

_measured(check) := sprintf("measured %s%s", [number(check.measured, check.bound), _unit(check)]) if {
	is_number(check.measured)
} else := "is absent" if {
	check.measured in {null, ""}
} else := "has none" if {
	check.measured == []
} else := sprintf("has %s", [told(check.measured)]) if {
	is_array(check.measured)
} else := sprintf("is %s", [told(check.measured)])

_unit(check) := sprintf(" %s", [check.unit]) if {
	is_string(check.unit)
} else := ""

# METADATA
# description: Any value, as it is shown in a sentence.
told(value) := "none" if {
	value == []
} else := _list(value) if {
	is_array(value)
} else := _single(value)

_list(values) := concat(", ", shown) if {
	count(values) <= 8
	shown := [_single(value) | some value in values]
} else := sprintf("%s and %d more", [concat(", ", shown), count(values) - 8]) if {
	shown := [_single(value) | some value in array.slice(values, 0, 8)]
}

_single(value) := name(value) if {
	is_string(value)
} else := number(value, value) if {
	is_number(value)
} else := _shortened(json.marshal(value))

_source(check) := concat(", ", array.concat(array.concat(_n(check), _interval(check)), [_who(check)]))

_n(check) := [sprintf("n = %s", [grouped(check.n)])] if {
	is_number(check.n)
} else := []

_interval(check) := [sprintf("%s %% interval %s to %s", [
	told(check.interval.level * 100),
	_rounded(check.interval.lower),
	_rounded(check.interval.upper),
])] if {
	is_object(check.interval)
} else := []

_who(check) := sprintf("measured by %s", [check.collector]) if {
	check.origin == "measured"
} else := sprintf("reported by %s for %s", [name(reporter), check.collector]) if {
	reporter := collectors.collected(check.collector).reported_by
	is_string(reporter)
} else := sprintf("reported, as %s found it", [check.collector])

# What would make it pass.
_counterfactual(check) := concat("", ["passes ", _passing(check), _only_reported(check, " and if Mandate measured it")]) if {
	not check.proven
} else := concat("", ["which", _only_reported(check, " would pass if Mandate had measured it")])

_only_reported(check, clause) := "" if {
	check.origin in judging.accepted_origins.value
} else := sprintf("%s: %s does not accept what is only reported (%s)", [
	clause,
	name(thresholds.environment),
	judging.accepted_origins.set_at,
])

_passing(check) := sprintf("at ≤ %s%s", [told(check.bound), _unit(check)]) if {
	check.comparison == "<="
} else := sprintf("at ≥ %s%s", [told(check.bound), _unit(check)]) if {
	check.comparison == ">="
} else := "once it is recorded" if {
	check.comparison == "present"
} else := sprintf("with %s", [told(check.bound)]) if {
	check.comparison == "includes"
} else := sprintf("as one of: %s", [told(check.bound)]) if {
	check.comparison == "one of"
	count(check.bound) > 1
} else := sprintf("as %s", [told(check.bound)])

_for(term) := "" if {
	term == "*"
} else := sprintf(" for %s", [name(term)])

# Why a collector that a rule depends on has no verdict to offer.
_obstacles(needed) := obstacles if {
	obstacles := [_obstacle(collector) | some collector in needed; not collectors.collected(collector)]
	count(obstacles) > 0
} else := [sprintf("What %s returned does not say.", [concat(" and ", needed)])]

_obstacle(collector) := sprintf("The collector %s found nothing: %s", [collector, sentence(found.reason)]) if {
	found := collectors.entry(collector)
	found.status == "missing"
} else := sprintf("The facts of %s are %s, and %s.", [collector, _since(found), _most_minutes(collector)]) if {
	found := collectors.entry(collector)
	collectors.is_stale(found)
} else := could_not_find_out(collector, found.reason) if {
	found := collectors.entry(collector)
} else := sprintf("The collection has not one entry for the collector %s.", [collector])

_since(found) := sprintf("of %v minutes ago", [round(collectors.age(found))]) if {
	is_number(collectors.age(found))
} else := "of an unknown time"

_most_minutes(collector) := sprintf("those of at most %v count here", [collectors.freshness(collector).value]) if {
	collectors.freshness(collector).value > 0
} else := "only those that are collected anew count here"

# METADATA
# description: A text from outside as one sentence, with a full stop.
sentence(text) := concat("", [trim_right(_shortened(_printable(text)), ". "), "."])

_shortened(text) := text if {
	count(text) <= 400
} else := concat("", [substring(text, 0, 400), "…"])

_printable(text) := regex.replace(text, `[^\p{L}\p{M}\p{N}\p{P}\p{S} ]`, "\ufffd")
