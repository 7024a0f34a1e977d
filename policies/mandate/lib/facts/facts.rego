# METADATA
# description: |
#   Facts: `{value, origin, n, interval, collector, unit}`. Only what a collector returned is one: where the
#   collection has no `collected` entry, there is no fact, whatever the section says.
#
#   The origin is the weakest of all that the fact rests on: the entries of its collectors, and its figures.
package mandate.lib.facts

import data.mandate.lib.collectors

# METADATA
# description: A figure of the input, as it stands there.
figure(collector, stated) := compared(collector, stated, stated)

# METADATA
# description: A figure that is held against another one, and is as weak as the weaker of the two.
compared(collector, stated, other) := {
	"value": stated.value,
	"origin": _weakest({entry.origin, _origin_of(stated), _origin_of(other)}),
	"n": object.get(stated, "sample_size", null),
	"interval": object.get(stated, "interval", null),
	"collector": collector,
	"unit": null,
} if {
	is_object(stated)
	is_object(other)
	entry := collectors.collected(collector)
}

# METADATA
# description: A figure in 0 … 1. A number outside is no such figure, whatever bound it meets, and is not judged.
share(collector, stated) := within(collector, stated, 0, 1)

# METADATA
# description: A figure in a range. A number outside is no such figure, whatever bound it meets, and is not judged.
within(collector, stated, lowest, highest) := figure(collector, stated) if not _outside(stated.value, lowest, highest)

_outside(value, lowest, _) if {
	is_number(value)
	value < lowest
}

_outside(value, _, highest) if {
	is_number(value)
	value > highest
}

# METADATA
# description: What a rule makes of a collector's section.
derived(collector, value) := joint([collector], value)

# METADATA
# description: A number of something, such as `rows`.
quantity(collector, value, unit) := object.union(derived(collector, value), {"unit": unit})

# METADATA
# description: What a rule makes of several collectors' sections. The first one is named as the fact's own.
joint(names, value) := {
	"value": _listed(value),
	"origin": _weakest(origins),
	"n": null,
	"interval": null,
	"collector": names[0],
	"unit": null,
} if {
	origins := {entry.origin | some name in names; entry := collectors.collected(name)}
	every name in names { collectors.collected(name) }
}

_origin_of(stated) := object.get(stated, "origin", "reported")

default _weakest(_) := "reported"

_weakest({"measured"}) := "measured"

# JSON has no sets: what is compared is what is shown.
_listed(value) := [item | some item in value] if {
	is_set(value)
} else := value
