package mandate.lib.selection_test

import data.mandate.lib.selection
import data.mandate.testing

catalogue := {
	"drift.psi": {
		"actions": ["promote", "monitor"],
		"environments": ["development", "staging", "production"],
		"collections": ["drift", "essential"],
	},
	"fairness.parity": {
		"actions": ["promote"],
		"environments": ["production"],
		"collections": ["fairness"],
	},
	"fairness.size": {
		"actions": ["promote"],
		"environments": ["staging", "production"],
		"collections": ["fairness"],
	},
}

lists(include, exclude) := {
	"include": {"default": {"value": include, "set_at": "selection.yaml:3"}},
	"exclude": {"default": {"value": exclude, "set_at": "selection.yaml:9"}},
}

asking(action, environment) := {
	"request": {"action": action, "environment": environment},
	"subject": {"name": "credit", "risk_tier": "high"},
}

test_the_compiled_index_is_that_of_the_catalogue if {
	data.mandate.applicable == testing.applicable(data.mandate.catalogue)
}

all_rules := {"drift.psi", "fairness.parity", "fairness.size"}

cases := {
	"everything": {"include": ["*"], "exclude": [], "rules": all_rules},
	"a collection": {"include": ["@essential"], "exclude": [], "rules": {"drift.psi"}},
	"a category": {"include": ["fairness"], "exclude": [], "rules": {"fairness.parity", "fairness.size"}},
	"a rule": {"include": ["fairness.size"], "exclude": [], "rules": {"fairness.size"}},
	"a term of a rule": {"include": ["fairness.size:afam"], "exclude": [], "rules": {"fairness.size"}},
	"a term of a category": {"include": ["fairness:afam"], "exclude": [], "rules": {"fairness.parity", "fairness.size"}},
	"all but a collection": {"include": ["*"], "exclude": ["@fairness"], "rules": {"drift.psi"}},
	"all but a category": {"include": ["*"], "exclude": ["fairness"], "rules": {"drift.psi"}},
	"all but a rule": {"include": ["*"], "exclude": ["drift.psi"], "rules": {"fairness.parity", "fairness.size"}},
	"all but a term": {"include": ["*"], "exclude": ["drift.psi:income"], "rules": all_rules},
	"all but everything": {"include": ["*"], "exclude": ["*"], "rules": set()},
	"exclusion wins": {"include": ["drift.psi"], "exclude": ["drift"], "rules": set()},
	"nothing": {"include": [], "exclude": [], "rules": set()},
	"part of a name": {"include": ["drift.ps", "dri", "@ess"], "exclude": [], "rules": set()},
}

test_rules[note] if {
	some note, case in cases
	selection.rules == case.rules with input as asking("promote", "production")
		with data.mandate.catalogue as catalogue
		with data.mandate.applicable as testing.applicable(catalogue)
		with data.mandate.selection as lists(case.include, case.exclude)
}

requests := {
	"another action": {"action": "monitor", "environment": "production", "rules": {"drift.psi"}},
	"another environment": {"action": "promote", "environment": "staging", "rules": {"drift.psi", "fairness.size"}},
	"an environment of all rules": {"action": "promote", "environment": "development", "rules": {"drift.psi"}},
	"an unknown action": {"action": "delete", "environment": "production", "rules": set()},
	"no action": {"action": null, "environment": "production", "rules": set()},
	"an unknown environment": {"action": "promote", "environment": "prod", "rules": set()},
	"no environment": {"action": "promote", "environment": null, "rules": set()},
}

test_requests[note] if {
	some note, case in requests
	selection.rules == case.rules with input as asking(case.action, case.environment)
		with data.mandate.catalogue as catalogue
		with data.mandate.applicable as testing.applicable(catalogue)
		with data.mandate.selection as lists(["*"], [])
}

test_each_rule_that_does_not_judge_says_why if {
	selection.not_applicable == {
		{"rule": "drift.psi", "reason": "selection.yaml:9 excludes it."},
		{"rule": "fairness.parity", "reason": "It does not judge in the environment staging."},
		{"rule": "fairness.size", "reason": "selection.yaml:3 does not include it."},
	} with input as asking("promote", "staging")
		with data.mandate.catalogue as catalogue
		with data.mandate.applicable as testing.applicable(catalogue)
		with data.mandate.selection as lists(["drift"], ["drift.psi"])
}

test_a_rule_of_other_actions_says_so if {
	{"rule": "fairness.size", "reason": "It does not judge the action monitor."} in selection.not_applicable with input as asking("monitor", "staging")
		with data.mandate.catalogue as catalogue
		with data.mandate.applicable as testing.applicable(catalogue)
		with data.mandate.selection as lists(["*"], [])
}

test_without_an_environment_every_rule_says_so if {
	selection.not_applicable == {{"rule": rule, "reason": "The environment is unknown."} | some rule in all_rules} with input as asking("promote", "prod")
		with data.mandate.catalogue as catalogue
		with data.mandate.applicable as testing.applicable(catalogue)
		with data.mandate.selection as lists(["*"], [])
}

test_terms_that_do_not_judge_are_named if {
	selection.not_applicable == {
		{"rule": "drift.psi", "reason": "selection.yaml:3 includes only some of its terms."},
		{"rule": "fairness.parity", "reason": "selection.yaml:9 excludes fairness:single."},
		{"rule": "fairness.size", "reason": "selection.yaml:9 excludes fairness:single."},
	} with input as asking("promote", "production")
		with data.mandate.catalogue as catalogue
		with data.mandate.applicable as testing.applicable(catalogue)
		with data.mandate.selection as lists(["drift.psi:income", "fairness"], ["fairness:single"])
}

test_terms if {
	selected := {[rule, name] |
		some rule in all_rules
		some name in {"income", "afam", "single"}
		selection.judges(rule, name) with input as asking("promote", "production")
			with data.mandate.catalogue as catalogue
			with data.mandate.applicable as testing.applicable(catalogue)
			with data.mandate.selection as lists(
				["drift.psi:income", "fairness", "drift:afam"],
				["fairness:single", "fairness.size:afam", "drift:afam"],
			)
	}
	selected == {
		["drift.psi", "income"],
		["fairness.parity", "afam"],
		["fairness.parity", "income"],
		["fairness.size", "income"],
	}
}

replacing := object.union(catalogue, {"bank.parity": {
	"actions": ["promote", "monitor"],
	"environments": ["production"],
	"collections": ["bank"],
	"effective_on": "2026-11-01T00:00:00Z",
	"replaces": {"rule": "fairness.parity", "reason": "the board measures by odds"},
}})

replacements := {
	"where the other judges, it stands back": {
		"request": asking("promote", "production"),
		"lists": lists(["*"], []),
		"rules": {"bank.parity", "drift.psi", "fairness.size"},
		"not_applicable": {{
			"rule": "fairness.parity",
			"reason": "bank.parity replaces it: the board measures by odds.",
			"replaced_by": "bank.parity",
		}},
	},
	"where the other is not selected, it judges": {
		"request": asking("promote", "production"),
		"lists": lists(["drift", "fairness"], []),
		"rules": {"drift.psi", "fairness.parity", "fairness.size"},
		"not_applicable": {{"rule": "bank.parity", "reason": "selection.yaml:3 does not include it."}},
	},
	"where the other is excluded, it judges": {
		"request": asking("promote", "production"),
		"lists": lists(["*"], ["bank"]),
		"rules": {"drift.psi", "fairness.parity", "fairness.size"},
		"not_applicable": {{"rule": "bank.parity", "reason": "selection.yaml:9 excludes it."}},
	},
	"where the other judges some of its terms only, both judge": {
		"request": asking("promote", "production"),
		"lists": lists(["fairness", "bank.parity:income"], []),
		"rules": {"bank.parity", "fairness.parity", "fairness.size"},
		"not_applicable": {
			{"rule": "bank.parity", "reason": "selection.yaml:3 includes only some of its terms."},
			{"rule": "drift.psi", "reason": "selection.yaml:3 does not include it."},
		},
	},
	"where the other is to judge all but a term, it stands back": {
		"request": asking("promote", "production"),
		"lists": lists(["fairness", "bank"], ["bank.parity:income"]),
		"rules": {"bank.parity", "fairness.size"},
		"not_applicable": {
			{"rule": "bank.parity", "reason": "selection.yaml:9 excludes bank.parity:income."},
			{"rule": "drift.psi", "reason": "selection.yaml:3 does not include it."},
			{
				"rule": "fairness.parity",
				"reason": "bank.parity replaces it: the board measures by odds.",
				"replaced_by": "bank.parity",
			},
		},
	},
	"where it would not judge itself, nothing is replaced": {
		"request": asking("monitor", "production"),
		"lists": lists(["*"], []),
		"rules": {"bank.parity", "drift.psi"},
		"not_applicable": {
			{"rule": "fairness.parity", "reason": "It does not judge the action monitor."},
			{"rule": "fairness.size", "reason": "It does not judge the action monitor."},
		},
	},
}

test_replacements[note] if {
	some note, case in replacements
	selection.rules == case.rules with input as case.request
		with data.mandate.catalogue as replacing
		with data.mandate.applicable as testing.applicable(replacing)
		with data.mandate.selection as case.lists
	selection.not_applicable == case.not_applicable with input as case.request
		with data.mandate.catalogue as replacing
		with data.mandate.applicable as testing.applicable(replacing)
		with data.mandate.selection as case.lists
}

# What only warns does not stand for what denies.
test_a_rule_replaces_another_one_from_its_instant[instant] if {
	some instant, expected in {
		"2026-10-31T23:59:59.999Z": {"bank.parity", "drift.psi", "fairness.parity", "fairness.size"},
		"2026-11-01T00:00:00Z": {"bank.parity", "drift.psi", "fairness.size"},
	}
	request := object.union(asking("promote", "production"), {"request": {"time": instant}})
	selection.rules == expected with input as request
		with data.mandate.catalogue as replacing
		with data.mandate.applicable as testing.applicable(replacing)
		with data.mandate.selection as lists(["*"], [])
}

# One that is itself replaced still stands for what it replaced.
test_replacements_form_chains if {
	chained := object.union(replacing, {"bank.odds": {
		"actions": ["promote"],
		"environments": ["production"],
		"collections": [],
		"effective_on": "2026-11-01T00:00:00Z",
		"replaces": {"rule": "bank.parity", "reason": "the new board"},
	}})
	selection.rules == {"bank.odds", "drift.psi", "fairness.size"} with input as asking("promote", "production")
		with data.mandate.catalogue as chained
		with data.mandate.applicable as testing.applicable(chained)
		with data.mandate.selection as lists(["*"], [])
}
