# METADATA
# description: |
#   What tests of rules share: one good input (`data.json` beside this), changes to it, and a rule's verdicts.
package mandate.testing

# METADATA
# description: The good input, changed by JSON patches.
changed(changes) := json.patch(data.mandate.testing.good, changes)

# METADATA
# description: |
#   What the compiler makes of a catalogue for the selection: action → environment → rule → [category, name].
applicable(catalogue) := {action: environments |
	some action in ["promote", "deploy", "monitor"]
	environments := {environment: rules |
		some environment in data.mandate.scope.environments
		rules := {rule: split(rule, ".") |
			some rule, about in catalogue
			action in about.actions
			environment in about.environments
		}
	}
}

# METADATA
# description: |
#   The thresholds with what the `settings` of a case put over them: `{file: {setting: {"default": {"value": …}}}}`.
set(case) := object.union(data.mandate.thresholds, object.get(case, "settings", {}))

# METADATA
# description: A JSON patch that puts another value to a place.
replaced(path, value) := {"op": "replace", "path": path, "value": value}

# METADATA
# description: A JSON patch that removes what is at a place.
removed(path) := {"op": "remove", "path": path}

# METADATA
# description: A JSON patch that adds an item to a list.
appended(path, value) := {"op": "add", "path": concat("", [path, "/-"]), "value": value}

# METADATA
# description: |
#   What became of each term, by `terms` and the checks of `must` (or `should`): `holds`, `fails`, or `no verdict`
#   for one that was to be judged and was not. A rule without terms has to judge `*`.
verdicts(terms, checks) := {term: verdict |
	some term in (_expected(terms) | {check.term | some check in checks})
	verdict := _verdict({check.holds | some check in checks; check.term == term; _counts(terms, check)})
}

_expected(terms) := terms if {
	count(terms) > 0
} else := {"*"}

# A check of `*` that holds is no verdict of a rule that does not say what it must judge.
_counts(terms, _) if count(terms) > 0

_counts(_, check) if not check.term == "*"

_counts(_, check) if not check.holds == true

_verdict(holding) := "no verdict" if {
	count(holding) == 0
} else := "holds" if {
	holding == {true}
} else := "fails"

# METADATA
# description: |
#   Who may sign, as `data.mandate.people` has them: those who approve the good input, with keys named after their roles.
people[approval.approver] := {
	"name": approval.approver,
	"keys": {sprintf("SHA256:%s", [approval.role]): "ssh-ed25519 AAAA"},
	"roles": [approval.role],
	"identities": [],
	"set_at": "organisation/people/all.yaml:1",
} if {
	some approval in data.mandate.testing.good.approvals
}
