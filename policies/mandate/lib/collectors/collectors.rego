# METADATA
# description: |
#   What became of each collector, by the input's `collection`. Facts that were collected for an earlier question
#   count for as long as the settings say; those that were collected for this one, always.
# custom:
#   thresholds:
#     evidence.fresh_minutes.*: {type: number, tightens: down, minimum: 0, unit: minutes}
package mandate.lib.collectors

import data.mandate.lib.check
import data.mandate.lib.instants
import data.mandate.lib.thresholds
import data.mandate.thresholds.evidence as settings

# METADATA
# description: |
#   The entry of a collector. Undefined if it was not asked, and if two different entries bear its name:
#   one of them would be a lie, and nobody knows which.
entry(name) := one if {
	count(_entries[name]) == 1
	some one in _entries[name]
}

# METADATA
# description: The entry of a collector that returned its sections, if they are not stale.
collected(name) := one if {
	one := entry(name)
	one.status == "collected"
	not is_stale(one)
}

# METADATA
# description: Holds for facts of an earlier question, unless they are proven to be fresh.
is_stale(one) if {
	one.reused
	not _is_fresh(one)
}

# METADATA
# description: How old the facts are, in minutes.
age(one) := instants.days_since(one.collected_at) * (24 * 60)

# METADATA
# description: How old a collector's facts may be, as a bound. Undefined where nothing says it.
freshness(name) := thresholds.of(settings.fresh_minutes[name])

_is_fresh(one) if {
	minutes := {"measured": age(one), "origin": one.origin}
	check.at_least("age", minutes, thresholds.fixed(0)).proven
	check.at_most("age", minutes, freshness(one.name)).proven
}

_entries[one.name] contains one if some one in input.collection
