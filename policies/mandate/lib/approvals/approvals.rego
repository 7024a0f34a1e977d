# METADATA
# description: Which approvals count, and which people they come from.
package mandate.lib.approvals

import data.mandate.lib.instants

# METADATA
# description: Approvals that had been given when the request was made, whatever artifact they are for.
given contains approval if {
	some approval in input.approvals
	instants.has_come(approval.approved_at)
	person(approval.approver)
}

# METADATA
# description: Those of them that name the artifact that is judged.
counting contains approval if {
	is_string(input.subject.sha256)
	some approval in given
	approval.subject_sha256 == input.subject.sha256
}

# METADATA
# description: |
#   Whom an identity stands for. Case and surrounding space do not make another person; an empty name is nobody.
person(identity) := folded if {
	is_string(identity)
	folded := lower(trim_space(identity))
	folded != ""
}
