# METADATA
# title: Enough people, none of them an author, approved the artifact
# description: |
#   For each role of `approvals.required`, that many different people approved this very artifact before the request was
#   made. Somebody with several roles fills one place only. No approver is an author of the model, by any name that is
#   known of them: neither among the developers nor the run's user. Identities are compared without case and surrounding
#   space.
#
#   An approval is signed with the approver's own key, and bound to the findings that were shown. It counts as long as
#   these are what is found, and the policies' own data give the approver that key and that role.
# custom:
#   failure_msg: The artifact is not signed off
#   solution: Ask somebody with the role, who is not an author, to run `mandate approve`.
#   severity: critical
#   collections: [essential, people]
#   controls:
#     - SOC 2 CC8.1
#     - SOX ITGC change management
#     - EU AI Act 17(1)(m)
#     - NIST AI RMF GOVERN 2.1
#     - ISO/IEC 42001 A.3.2
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [approvals, developers, mlflow]
#   actions: [promote, deploy]
#   waivable: false
#   thresholds:
#     approvals.required.*: {type: integer, tightens: up, minimum: 0, unit: people}
package mandate.rules.approvals.signed_off

import data.mandate.lib.approvals
import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.people
import data.mandate.lib.thresholds
import data.mandate.thresholds.approvals as settings

terms contains role if some role, _ in settings.required

terms contains "different people"

terms contains "independent"

must contains check.at_least(role, object.union(people_in_role, {"why": approvals.uncounted(role)}), bound) if {
	is_array(input.approvals)
	some role, bound in _required
	people_in_role := facts.quantity("approvals", count(_people({role})), "people")
}

must contains check.at_least("different people", places, thresholds.fixed(sum(_places))) if {
	is_array(input.approvals)
	places := facts.quantity("approvals", _filled, "places filled by different people")
}

# Who is measured are the approvers who are authors. Where nobody is known to be one, nothing shows that none is.
must contains check.equals("independent", interested, thresholds.fixed([])) if {
	people.authors != set()
	authors := {one | some one in _people(object.keys(_required)); people.is_author(one)}
	interested := facts.joint(["approvals", "developers", "mlflow"], authors)
}

# A role of the same name as another term would be judged in its place.
must contains check.equals(role, facts.derived("approvals", "a reserved name"), thresholds.fixed("another name")) if {
	some role, _ in settings.required
	role in {"independent", "different people"}
}

_required[role] := thresholds.of(setting) if some role, setting in settings.required

_places := [bound.value | some bound in _required]

_people(roles) := {person |
	some approval in approvals.counting
	approval.role in roles
	person := people.person(approval.approver)
}

# Places that can be filled at once, one person each. By the deficiency form of Hall's theorem (O. Ore, 1955) that is
# the least, over all sets of roles, of the people with one of these roles and the places of all other roles.
_filled := min([filled |
	some roles in _sets_of_roles
	others := [bound.value | some role, bound in _required; not role in roles]
	filled := count(_people(roles)) + sum(others)
])

_sets_of_roles contains roles if {
	names := [role | some role, _ in _required]
	some mask in numbers.range(0, bits.lsh(1, count(names)) - 1)
	roles := {role | some at, role in names; bits.and(mask, bits.lsh(1, at)) != 0}
}
