# METADATA
# description: |
#   Which waiver counts for a violation. A waiver is believed only where Mandate itself read it (the collection's
#   entry `waivers`, measured), for the artifact that is judged, from its first instant until it expires.
package mandate.lib.waivers

import data.mandate.lib.collectors
import data.mandate.lib.instants

# METADATA
# description: The waiver for a term of a rule; of several, the first by id.
of(rule, term) := first if {
	waivers := _for(rule) | _for(concat(":", [rule, term]))
	[_, first] := [[waiver.id, waiver] | some waiver in waivers][0]
}

_for(target) := {waiver | some waiver in _counting; waiver.rule == target}

_counting contains waiver if {
	collectors.collected("waivers").origin == "measured"
	is_string(input.subject.sha256)
	some waiver in input.waivers
	waiver.subject_sha256 == input.subject.sha256
	instants.has_come(waiver.effective_on)
	instants.is_to_come(waiver.expires)
}
