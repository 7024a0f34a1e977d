# METADATA
# description: |
#   Facts: `{measured, origin, n, interval, collector, unit}`. Only what a collector returned is one: where the
#   collection has no `collected` entry, there is no fact, whatever the section says.
#
#   The origin is the weakest of all that the fact rests on: the entries of its collectors, and its figures.
package mandate.lib.facts

import data.mandate.lib.collectors
import data.mandate.lib.instants

# METADATA
# description: A figure of the input, as it stands there. One that rests on no row is none, whatever its value.
figure(collector, stated) := {
	"measured": stated.value,
	"origin": _weaker(collectors.collected(collector).origin, object.get(stated, "origin", null)),
	"n": object.get(stated, "sample_size", null),
	"interval": object.get(stated, "interval", null),
	"collector": collector,
	"unit": null,
} if {
	is_object(stated)
	not stated.sample_size == 0
}

# METADATA
# description: A figure that is held against another one, and is as weak as the weaker of the two.
compared(collector, stated, other) := object.union(fact, {"origin": _weaker(fact.origin, other.origin)}) if {
	fact := figure(collector, stated)
}

# METADATA
# description: A figure in 0 … 1. A number outside is no such figure, whatever bound it meets, and is not judged.
share(collector, stated) := within(collector, stated, 0, 1)

# METADATA
# description: A figure in a range. A number outside is no such figure, whatever bound it meets, and is not judged.
within(collector, stated, lowest, highest) := figure(collector, stated) if {
	stated.value >= lowest
	stated.value <= highest
} else := figure(collector, stated) if not is_number(stated.value)

# METADATA
# description: What a rule makes of a collector's section.
derived(collector, value) := quantity(collector, value, null)

# METADATA
# description: A number of something, such as `rows`.
quantity(collector, value, unit) := {
	"measured": _listed(value),
	"origin": collectors.collected(collector).origin,
	"n": null,
	"interval": null,
	"collector": collector,
	"unit": unit,
}

# METADATA
# description: |
#   The days from an instant to the request. Time alone moves it: it can grow without a change of what was found.
age(collector, instant) := object.union(quantity(collector, instants.days_since(instant), "days"), {"ages": true})

# METADATA
# description: What a rule makes of several collectors' sections. The first one is named as the fact's own.
joint(names, value) := object.union(derived(names[0], value), {"origin": origin}) if {
	origins := [collectors.collected(name).origin | some name in names]
	count(origins) == count(names)
	origin := _weakest({each | some each in origins})
}

default _weaker(_, _) := "reported"

_weaker("measured", "measured") := "measured"

default _weakest(_) := "reported"

_weakest({"measured"}) := "measured"

# JSON has no sets: what is compared is what is shown.
_listed(value) := [item | some item in value] if {
	is_set(value)
} else := value
