# METADATA
# description: |
#   Which approvals count. One that somebody signed is bound to the artifact and to the findings that were shown: it
#   counts as long as the key and the role are the approver's, nobody revoked it, and the findings are the same.
package mandate.lib.approvals

import data.mandate.lib.collectors
import data.mandate.lib.instants
import data.mandate.lib.people
import data.mandate.lib.wording

# METADATA
# description: |
#   What is found by the rules that depend on no approval: `findings`; `resting`, the other rules; and `ages`, what moves
#   by time alone, as [rule, term]. `mandate.main` sets it for rules that depend on approvals. Where it is empty nobody
#   knows what is found, and no signed approval counts.
default basis := {}

# METADATA
# description: Approvals that had been given when the request was made, whatever artifact they are for.
given contains approval if {
	some approval in input.approvals
	instants.has_come(approval.approved_at)
	people.person(approval.approver)
}

# METADATA
# description: Those of them that count for the artifact that is judged.
counting contains approval if {
	some approval in given
	not flaw(approval)
}

# METADATA
# description: Why an approval does not count, as a clause. Undefined if it does.
flaw(approval) := "it is for another artifact" if {
	not _is_for_the_artifact(approval)
} else := _flaw_of_signed(approval) if {
	_is_signed(approval)
} else := "nobody signed it" if {
	not _is_signed(approval)
	not _is_believed_unsigned
}

# METADATA
# description: What there is to say of approvals in a role that do not count, the newest first; empty if there is nothing.
uncounted(role) := _sentences(array.reverse(sort([[approval.approved_at, said] |
	some approval in given
	approval.role == role
	said := sprintf("The approval by %s of %s%s does not count: %s.", [
		wording.name(approval.approver),
		approval.approved_at,
		_place(approval),
		flaw(approval),
	])
])))

_sentences(found) := concat(" ", array.concat(
	[said | some [_, said] in array.slice(found, 0, 3)],
	[sprintf("Nor do %d others.", [count(found) - 3]) | count(found) > 3],
))

_place(approval) := sprintf(" (entry %d)", [approval.index]) if {
	is_number(approval.index)
} else := ""

_is_for_the_artifact(approval) if {
	is_string(input.subject.sha256)
	approval.subject_sha256 == input.subject.sha256
}

_is_signed(approval) if is_string(approval.entry)

# What is only asked about, and what a caller claims where claims are accepted.
_is_believed_unsigned if input.request.what_if == true

_is_believed_unsigned if collectors.collected("approvals").origin == "reported"

_flaw_of_signed(approval) := flaw if {
	flaw := people.not_by(_approver(approval), approval.keyid)
} else := sprintf("the policies do not give them the role %s", [wording.name(approval.role)]) if {
	not _is_given_the_role(approval)
} else := sprintf("%s revoked it", [approval.revoked_by]) if {
	is_string(approval.revoked_by)
} else := "nothing was found when it was given" if {
	count(_then(approval)) == 0
} else := "nobody says what is found now" if {
	basis == {}
} else := sprintf("since then, %s", [_told(changed, approval)]) if {
	changed := {[rule, term] | some [rule, term, _] in ((_then(approval) - _now) | (_now - _then(approval)))}
	count(changed) > 0
}

_is_given_the_role(approval) if approval.role in people.roles(_approver(approval))

_approver(approval) := people.signer(object.get(approval, "approver", null))

_then(approval) := {[finding.rule, finding.term, _shape(finding)] |
	some finding in approval.shown
	not finding.rule in object.get(basis, "resting", set())
}

_now contains [finding.rule, finding.term, _shape(finding)] if some finding in object.get(basis, "findings", [])

# A waiver changes what becomes of a violation, and not what was found. Numbers are compared as they are on record:
# as doubles, of which twelve digits are certain.
_shape(finding) := {
	"level": finding.level,
	"outcome": object.get({"waived": "violation"}, finding.outcome, finding.outcome),
	"measured": _measured(finding),
	"comparison": finding.comparison,
	"bound": _comparable(finding.bound),
}

_measured(finding) := "its age" if {
	[finding.rule, finding.term] in object.get(basis, "ages", set())
} else := _comparable(finding.measured)

_comparable(value) := sprintf("%.12g", [value]) if {
	is_number(value)
	value != floor(value)
} else := value

_told(changed, approval) := concat("; ", array.concat(
	[said |
		some [rule, term] in array.slice(sort(changed), 0, 3)
		said := sprintf("%s for %s was %s and is %s", [
			rule,
			wording.name(term),
			_found({shape | some [of_rule, of_term, shape] in _then(approval); [of_rule, of_term] == [rule, term]}),
			_found({shape | some [of_rule, of_term, shape] in _now; [of_rule, of_term] == [rule, term]}),
		])
	],
	[sprintf("and %d more findings changed", [count(changed) - 3]) | count(changed) > 3],
))

_found(shapes) := "not judged" if {
	count(shapes) == 0
} else := concat(" and ", [said |
	some shape in shapes
	said := sprintf("%s (%s %s, %s)", [
		wording.told(shape.measured),
		shape.comparison,
		wording.told(shape.bound),
		shape.outcome,
	])
])
