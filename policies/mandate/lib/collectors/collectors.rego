# METADATA
# description: What became of each collector, by the input's `collection`.
package mandate.lib.collectors

# METADATA
# description: |
#   The entry of a collector. Undefined if it was not asked, and if two different entries bear its name:
#   one of them would be a lie, and nobody knows which.
entry(name) := one if {
	count(_entries[name]) == 1
	some one in _entries[name]
}

# METADATA
# description: The entry of a collector that returned its sections.
collected(name) := one if {
	one := entry(name)
	one.status == "collected"
}

_entries[one.name] contains one if some one in input.collection
