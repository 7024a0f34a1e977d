# METADATA
# description: |
#   Waivers: of a rule or one of its terms, for one version or one artifact, for a time. Those of the policies
#   (`data.mandate.waivers`) were reviewed with them. Those of the input are believed only where Mandate itself read them
#   from the log (the collection's entry `waivers`, measured), and only for the artifact that is judged; they were signed
#   by somebody with a role that may waive, who is no author of the model.
# custom:
#   thresholds:
#     waivers.longest_days: {type: integer, tightens: down, minimum: 1, maximum: 366, unit: days}
#     waivers.roles: {type: array, tightens: down, items: {type: string, minLength: 1}}
#     waivers.expiring_within_days: {type: integer, tightens: up, minimum: 0, maximum: 366, unit: days}
package mandate.lib.waivers

import data.mandate.catalogue
import data.mandate.lib.collectors
import data.mandate.lib.instants
import data.mandate.lib.people
import data.mandate.lib.selection
import data.mandate.lib.thresholds
import data.mandate.thresholds.waivers as settings
import data.mandate.waivers as reviewed

# METADATA
# description: The waiver for a term of a rule; of several, the first by id.
of(rule, term) := first if {
	waivers := _for(rule) | _for(concat(":", [rule, term]))
	[_, first] := [[waiver.id, waiver] | some waiver in waivers][0]
}

# METADATA
# description: |
#   What became of every waiver that names the subject, by id. `used` are the ids of those that a violation of this
#   decision needed.
reports(used) := [report |
	some [_, waiver] in sort([[waiver.id, waiver] | some waiver in _about_the_subject])
	report := object.union(object.filter(waiver, ["id", "rule", "approver", "reference", "expires"]), {
		"status": _status(waiver),
		"used": waiver.id in used,
		"warning": _warning(waiver, _status(waiver), waiver.id in used),
	})
]

_about_the_subject contains waiver if {
	some waiver in reviewed
	_names_the_subject(waiver.subject)
}

_about_the_subject contains waiver if {
	collectors.collected("waivers").origin == "measured"
	some waiver in input.waivers
	_names_the_subject({"sha256": waiver.subject_sha256})
}

_names_the_subject(named) if {
	is_string(named.sha256)
	named.sha256 == input.subject.sha256
}

_names_the_subject(named) if {
	is_string(named.name)
	named.name == input.subject.name
	named.version == input.subject.version
}

_for(target) := {waiver |
	some waiver in _about_the_subject
	waiver.rule == target
	_status(waiver) == "in force"
}

# In this order, so that what could never count is not announced.
_status(waiver) := "void" if {
	_flaw(waiver)
} else := "pending" if {
	instants.is_to_come(waiver.effective_on)
} else := "expired" if {
	instants.has_come(waiver.expires)
} else := "in force"

# Why a waiver never counts.
_flaw(waiver) := "it has no instant from which, or until which, it holds" if {
	not instants.days_between(waiver.effective_on, waiver.expires)
} else := sprintf("it lasts longer than the %d days that are allowed", [longest]) if {
	longest := thresholds.of(settings.longest_days).value
	instants.days_between(waiver.effective_on, waiver.expires) > longest
} else := "nothing says how long a waiver may last" if {
	not thresholds.of(settings.longest_days)
} else := "there is no such rule" if {
	not catalogue[_rule(waiver)]
} else := "the rule cannot be waived" if {
	not catalogue[_rule(waiver)].waivable == true
} else := _flaw_of_signed(waiver) if {
	not waiver.subject
}

_flaw_of_signed(waiver) := flaw if {
	flaw := people.not_by(_approver(waiver), waiver.keyid)
} else := sprintf("%s revoked it", [waiver.revoked_by]) if {
	is_string(waiver.revoked_by)
} else := "no role of its approver may waive" if {
	count(people.roles(_approver(waiver)) & {role | some role in thresholds.of(settings.roles).value}) == 0
} else := "its approver is an author of the model" if {
	people.is_author(_approver(waiver))
}

_approver(waiver) := people.signer(object.get(waiver, "approver", null))

default _warning(_, _, _) := null

_warning(waiver, "void", _) := sprintf("It does not count: %s.", [_flaw(waiver)])

_warning(waiver, "pending", _) := sprintf("It counts from %s.", [waiver.effective_on])

_warning(waiver, "expired", _) := sprintf("It expired at %s. Remove it, or decide anew.", [waiver.expires])

_warning(waiver, "in force", true) := sprintf("It expires at %s, and then this denies.", [waiver.expires]) if {
	days := instants.days_between(input.request.time, waiver.expires)
	days <= thresholds.of(settings.expiring_within_days).value
}

_warning(waiver, "in force", false) := "Nothing needs it: there is no such violation. Remove it." if {
	_rule(waiver) in selection.rules
}

_rule(waiver) := split(waiver.rule, ":")[0]
