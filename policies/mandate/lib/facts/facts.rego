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
	entry := collectors.collected(collector)
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
