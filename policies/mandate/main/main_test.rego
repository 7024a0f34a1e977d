package mandate.main_test

import data.mandate.main
import data.mandate.testing

# A small library of its own: what composes rules is tested without the rules that there are.

about(changes) := object.union(
	{
		"title": "Apples are ripe",
		"description": "Whether apples are ripe.",
		"failure_msg": "An apple is unripe",
		"solution": "Wait.",
		"severity": "low",
		"collections": ["fruit"],
		"controls": ["House rule 1"],
		"effective_on": "2026-01-01T00:00:00Z",
		"depends_on": ["fairness"],
		"actions": ["promote"],
		"environments": ["development", "staging", "production"],
		"waivable": true,
		"thresholds": [],
	},
	changes,
)

check(term, changes) := object.union(
	{
		"term": term,
		"measured": 7,
		"comparison": ">=",
		"bound": 5,
		"bound_set_at": "thresholds/fruit.yaml:2",
		"origin": "measured",
		"collector": "fairness",
		"n": 12,
		"interval": null,
		"unit": "days",
		"proven": true,
		"holds": true,
	},
	changes,
)

unripe := {"measured": 3, "proven": false, "holds": false}

# Decides on the good input with one rule, which is `fruit.ripe`.
judging(rule, changes, annotations) := decision if {
	decision := main.decision with input as testing.changed(changes)
		with data.mandate.rules as {"fruit": {"ripe": rule}}
		with data.mandate.catalogue as {"fruit.ripe": about(annotations)}
		with data.mandate.applicable as testing.applicable({"fruit.ripe": about(annotations)})
		with data.mandate.people as testing.people
}

outcomes(decision) := [[finding.term, finding.level, finding.outcome] | some finding in decision.findings]

passing := {
	"rule": "fruit.ripe",
	"term": "red",
	"level": "must",
	"outcome": "passed",
	"measured": 7,
	"comparison": ">=",
	"bound": 5,
	"bound_set_at": "thresholds/fruit.yaml:2",
	"origin": "measured",
	"collector": "fairness",
	"n": 12,
	"interval": null,
}

failing := object.union(passing, {
	"outcome": "violation",
	"measured": 3,
	"title": "Apples are ripe",
	"solution": "Wait.",
	"severity": "low",
	"collections": ["fruit"],
	"controls": ["House rule 1"],
	"effective_on": "2026-01-01T00:00:00Z",
	"message": "An apple is unripe: red measured 3 days (n = 12, measured by fairness), passes at ≥ 5 days.",
})

test_what_is_proven_is_allowed if {
	judging({"terms": {"red"}, "must": {check("red", {})}}, [], {}) == {
		"outcome": "allow",
		"reasons": [],
		"findings": [passing],
		"not_applicable": [],
		"waivers": [],
	}
}

test_what_is_refuted_is_denied if {
	judging({"terms": {"red"}, "must": {check("red", unripe)}}, [], {}) == {
		"outcome": "deny",
		"reasons": [],
		"findings": [failing],
		"not_applicable": [],
		"waivers": [],
	}
}

test_what_was_not_judged_is_denied if {
	judging({"terms": {"red", "green"}, "must": {check("red", {})}}, [], {}) == {
		"outcome": "deny",
		"reasons": [],
		"findings": [
			{
				"rule": "fruit.ripe",
				"term": "green",
				"level": "must",
				"outcome": "no_verdict",
				"measured": null,
				"comparison": "no verdict",
				"bound": null,
				"title": "Apples are ripe",
				"solution": "Wait.",
				"severity": "low",
				"collections": ["fruit"],
				"controls": ["House rule 1"],
				"effective_on": "2026-01-01T00:00:00Z",
				"message": "Apples are ripe: not shown for green. What fairness returned does not say.",
			},
			passing,
		],
		"not_applicable": [],
		"waivers": [],
	}
}

red := {"red"}

must(checks) := {"terms": red, "must": checks}

compositions := {
	"a check that does not hold outweighs one that does": {
		"rule": must({check("red", {}), check("red", unripe)}),
		"outcomes": [["red", "must", "violation"]],
		"outcome": "deny",
	},
	"each check that does not hold is a finding": {
		"rule": must({check("red", unripe), check("red", object.union(unripe, {"measured": 2}))}),
		"outcomes": [["red", "must", "violation"], ["red", "must", "violation"]],
		"outcome": "deny",
	},
	"two checks that hold are one finding": {
		"rule": must({check("red", {}), check("red", {"measured": 8})}),
		"outcomes": [["red", "must", "passed"]],
		"outcome": "allow",
	},
	"a check of a term that was not announced counts": {
		"rule": must({check("red", {}), check("blue", unripe)}),
		"outcomes": [["blue", "must", "violation"], ["red", "must", "passed"]],
		"outcome": "deny",
	},
	"a should-check that does not hold warns": {
		"rule": object.union(must({check("red", {})}), {"should": {check("red", unripe)}}),
		"outcomes": [["red", "should", "warning"]],
		"outcome": "deny",
	},
	"a warning beside what passed allows": {
		"rule": object.union(must({check("red", {}), check("blue", {})}), {"should": {check("red", unripe)}}),
		"outcomes": [["blue", "must", "passed"], ["red", "should", "warning"]],
		"outcome": "allow",
	},
	"a violation is not a warning, too": {
		"rule": object.union(must({check("red", unripe)}), {"should": {check("red", unripe)}}),
		"outcomes": [["red", "must", "violation"]],
		"outcome": "deny",
	},
	"a should-check alone is no verdict on a term": {
		"rule": {"terms": red, "must": set(), "should": {check("red", unripe)}},
		"outcomes": [["red", "must", "no_verdict"]],
		"outcome": "deny",
	},
	"a should-check of a term of its own passes": {
		"rule": object.union(must({check("red", {})}), {"should": {check("blue", {})}}),
		"outcomes": [["blue", "should", "passed"], ["red", "must", "passed"]],
		"outcome": "allow",
	},
	"a rule without terms has judged nothing": {
		"rule": {"terms": set(), "must": set()},
		"outcomes": [["*", "must", "no_verdict"]],
		"outcome": "deny",
	},
	"a rule whose terms are undefined has judged nothing": {
		"rule": {},
		"outcomes": [["*", "must", "no_verdict"]],
		"outcome": "deny",
	},
	"a check without `holds` does not hold": {
		"rule": must({object.remove(check("red", {}), ["holds"])}),
		"outcomes": [["red", "must", "violation"]],
		"outcome": "deny",
	},
	"a check whose `holds` is a string does not hold": {
		"rule": must({check("red", {"holds": "true"})}),
		"outcomes": [["red", "must", "violation"]],
		"outcome": "deny",
	},
	"a check of nothing judges nothing": {
		"rule": must({"red"}),
		"outcomes": [["*", "must", "violation"], ["red", "must", "no_verdict"]],
		"outcome": "deny",
	},
	"a check that does not hold is not lost for want of a term": {
		"rule": must({check("red", {}), object.remove(check("red", unripe), ["term"])}),
		"outcomes": [["*", "must", "violation"], ["red", "must", "passed"]],
		"outcome": "deny",
	},
	"what is no check does not hold": {
		"rule": must({check("red", {}), false}),
		"outcomes": [["*", "must", "violation"], ["red", "must", "passed"]],
		"outcome": "deny",
	},
	"a doubt is not lost for want of a term": {
		"rule": object.union(must({check("red", {})}), {"should": {object.remove(check("red", unripe), ["term"])}}),
		"outcomes": [["*", "should", "warning"], ["red", "must", "passed"]],
		"outcome": "allow",
	},
}

test_compositions[note] if {
	some note, case in compositions
	decision := judging(case.rule, [], {})
	outcomes(decision) == case.outcomes
	decision.outcome == case.outcome
}

test_a_check_that_a_setting_bounds_is_the_one_shown if {
	decision := judging(must({check("red", {"bound": 0, "bound_set_at": null}), check("red", {})}), [], {})
	decision.findings == [passing]
}

test_a_warning_alone_proves_nothing if {
	decision := judging(object.union(must({check("red", {})}), {"should": {check("red", unripe)}}), [], {})
	decision.reasons == ["Nothing passed, and what nobody proved is not allowed."]
}

test_a_violation_without_wording_is_still_one if {
	decision := judging(must({{"term": "red"}}), [], {})
	outcomes(decision) == [["red", "must", "violation"]]
	decision.findings[0].message == "This rule is not met, and does not say how."
}

# Both a term that is judged and one that is not.
halfway := {"terms": {"red", "green"}, "must": {check("red", unripe), check("blue", {})}}

test_a_rule_that_is_not_yet_in_force_warns if {
	decision := judging(halfway, [], {"effective_on": "2026-11-20T09:30:01Z"})
	decision.outcome == "allow"
	outcomes(decision) == [["blue", "must", "passed"], ["green", "must", "warning"], ["red", "must", "warning"]]
	[finding.message | some finding in decision.findings; finding.outcome == "warning"] == [
		concat(" ", [
			"Apples are ripe: not shown for green. What fairness returned does not say.",
			"This will deny from 2026-11-20T09:30:01Z.",
		]),
		concat(" ", [
			"An apple is unripe: red measured 3 days (n = 12, measured by fairness), passes at ≥ 5 days.",
			"This will deny from 2026-11-20T09:30:01Z.",
		]),
	]
}

test_a_rule_is_in_force_from_its_instant[effective_on] if {
	some effective_on in ["2026-11-20T09:30:00Z", "2026-11-20", "", "2027-01-01T00:00:00+01:00"]
	judging(halfway, [], {"effective_on": effective_on}).outcome == "deny"
}

waiver := {
	"id": "w-1",
	"rule": "fruit.ripe:red",
	"subject_sha256": testing.good.subject.sha256,
	"approver": "dora@bank.example",
	"reason": "The apples are for cider.",
	"reference": "MRM-120",
	"effective_on": "2026-11-01T00:00:00Z",
	"expires": "2026-12-01T00:00:00Z",
	"keyid": "SHA256:risk_officer",
	"revoked_by": null,
}

waived := [testing.appended("/waivers", waiver)]

test_a_waived_violation_stays_in_the_decision if {
	judging(must({check("red", unripe), check("blue", {})}), waived, {}) == {
		"outcome": "allow",
		"reasons": [],
		"findings": [
			object.union(passing, {"term": "blue"}),
			object.union(failing, {
				"outcome": "waived",
				"waiver": waiver,
				"message": concat(" ", [
					failing.message,
					"dora@bank.example waived it until 2026-12-01T00:00:00Z: MRM-120.",
				]),
			}),
		],
		"not_applicable": [],
		"waivers": [{
			"id": "w-1",
			"rule": "fruit.ripe:red",
			"approver": "dora@bank.example",
			"reference": "MRM-120",
			"expires": "2026-12-01T00:00:00Z",
			"status": "in force",
			"used": true,
			"warning": "It expires at 2026-12-01T00:00:00Z, and then this denies.",
		}],
	}
}

test_what_cannot_be_waived[note] if {
	some note, case in {
		"a rule that says no": {"rule": must({check("red", unripe)}), "annotations": {"waivable": false}, "is": "violation"},
		"a rule that says so as text": {
			"rule": must({check("red", unripe)}),
			"annotations": {"waivable": "true"},
			"is": "violation",
		},
		"a term that nobody judged": {"rule": must(set()), "annotations": {}, "is": "no_verdict"},
	}
	decision := judging(case.rule, waived, case.annotations)
	decision.outcome == "deny"
	outcomes(decision) == [["red", "must", case.is]]
}

test_waivers_alone_prove_nothing if {
	decision := judging(must({check("red", unripe)}), waived, {})
	decision.outcome == "deny"
	decision.reasons == ["Nothing passed, and what nobody proved is not allowed."]
}

failed := testing.replaced("/collection/5", {"name": "fairness", "status": "failed", "reason": "the table is cut off"})

test_a_failed_collector_leaves_it_undecided if {
	decision := judging(must({check("red", unripe)}), [failed], {})
	decision.outcome == "undecided"
	decision.reasons == ["The collector fairness could not find out: the table is cut off."]
	outcomes(decision) == [["red", "must", "violation"]]
}

test_a_failed_collector_that_gives_no_reason_failed_too if {
	decision := judging(must({check("red", {})}), [failed, testing.removed("/collection/5/reason")], {})
	decision.outcome == "undecided"
	decision.reasons == ["The collector fairness could not find out: it gave no reason."]
}

test_a_second_entry_does_not_hide_a_failure if {
	decision := judging(must({check("red", {})}), [failed, testing.appended("/collection", testing.good.collection[5])], {})
	decision.outcome == "undecided"
}

test_a_failed_collector_that_nothing_depends_on_does_not_matter if {
	judging(must({check("red", {})}), [failed], {"depends_on": ["drift"]}).outcome == "allow"
}

test_terms_are_selected if {
	only := {
		"include": {"default": {"value": ["fruit:red"], "set_at": "selection.yaml:3"}},
		"exclude": {"default": {"value": [], "set_at": "selection.yaml:9"}},
	}
	rule := {"terms": {"red", "green"}, "must": {check("red", {}), check("blue", unripe)}}
	decision := judging(rule, [], {}) with data.mandate.selection as only
	decision == {
		"outcome": "allow",
		"reasons": [],
		"findings": [passing],
		"not_applicable": [{"rule": "fruit.ripe", "reason": "selection.yaml:3 includes only some of its terms."}],
		"waivers": [],
	}
}

test_nothing_selected_is_denied if {
	judging(must({check("red", {})}), [testing.replaced("/request/action", "monitor")], {}) == {
		"outcome": "deny",
		"reasons": ["No rule applies, and what nobody judged is not allowed."],
		"findings": [],
		"not_applicable": [{"rule": "fruit.ripe", "reason": "It does not judge the action monitor."}],
		"waivers": [],
	}
}

test_findings_are_in_the_order_of_rules_and_terms if {
	rule := {"terms": {"c", "a", "b"}, "must": {check("a", {}), check("b", unripe)}}
	catalogue := {name: about({}) | some name in ["z.one", "a.two", "a.one"]}
	decision := main.decision with input as testing.good
		with data.mandate.rules as {"z": {"one": rule}, "a": {"two": rule, "one": rule}}
		with data.mandate.catalogue as catalogue
		with data.mandate.applicable as testing.applicable(catalogue)
	[[finding.rule, finding.term] | some finding in decision.findings] == [[rule_id, term] |
		some rule_id in ["a.one", "a.two", "z.one"]
		some term in ["a", "b", "c"]
	]
}

# From here on the library as it is.

test_the_good_input_is_allowed if {
	decision := main.decision with input as testing.good
	decision.outcome == "allow"
	decision.reasons == []
	decision.not_applicable == []
	{finding.outcome | some finding in decision.findings} == {"passed"}
	{finding.rule | some finding in decision.findings} == object.keys(data.mandate.catalogue)
}

test_in_service_only_what_can_change_is_judged if {
	decision := main.decision with input as testing.changed([testing.replaced("/request/action", "monitor")])
	decision.outcome == "allow"
	{finding.rule | some finding in decision.findings} == {
		"drift.missing_data", "drift.psi", "registry.digest", "registry.signature", "schema.compatible",
	}
}

selecting(include, exclude) := {
	"include": {"default": {"value": include, "set_at": "selection.yaml:3"}},
	"exclude": {"default": {"value": exclude, "set_at": "selection.yaml:9"}},
}

test_a_selected_term_that_no_rule_judges_has_no_verdict if {
	rule := {"terms": {"red"}, "must": {check("red", {})}}
	decision := judging(rule, [], {}) with data.mandate.selection as selecting(["fruit:yellow"], [])
	decision.outcome == "deny"
	outcomes(decision) == [["*", "must", "no_verdict"]]
}

test_a_rule_of_which_every_term_is_excluded_is_named_and_proves_nothing if {
	rule := {"terms": {"red"}, "must": {check("red", {})}}
	decision := judging(rule, [], {}) with data.mandate.selection as selecting(["*"], ["fruit:red"])
	decision.outcome == "deny"
	decision.findings == []
	decision.not_applicable == [{"rule": "fruit.ripe", "reason": "selection.yaml:9 excludes fruit:red."}]
}

test_a_rule_that_does_not_say_what_it_must_judge_has_no_verdict_whatever_it_judges[note] if {
	some note, terms in {"empty": {"terms": set()}, "absent": {}}
	decision := judging(object.union(terms, {"must": {check("*", {})}}), [], {})
	decision.outcome == "deny"
	outcomes(decision) == [["*", "must", "no_verdict"]]
}

test_a_rule_that_does_not_say_what_it_must_judge_and_fails_is_a_violation if {
	decision := judging({"terms": set(), "must": {check("*", unripe)}}, [], {})
	outcomes(decision) == [["*", "must", "violation"]]
}

test_a_low_risk_takes_what_is_essential if {
	decision := main.decision with input as testing.changed([testing.replaced("/subject/risk_tier", "low")])
	decision.outcome == "allow"
	count(decision.not_applicable) > 0
	every finding in decision.findings {
		"essential" in data.mandate.catalogue[finding.rule].collections
	}
}

test_an_unknown_risk_takes_everything if {
	changes := {
		"unknown": testing.replaced("/subject/risk_tier", "negligible"),
		"null": testing.replaced("/subject/risk_tier", null),
		"absent": testing.removed("/subject/risk_tier"),
	}
	left_out := {note: decision.not_applicable |
		some note, change in changes
		decision := main.decision with input as testing.changed([change])
	}
	left_out == {"unknown": [], "null": [], "absent": []}
}

test_the_reason_says_what_to_do if {
	changes := [testing.replaced("/fairness/attributes/0/metrics/0/value", 0.104)]
	decision := main.decision with input as testing.changed(changes)
	[finding.message | some finding in decision.findings; finding.outcome == "violation"] == [concat(" ", [
		"Selection rates differ too much between groups: afam measured 0.104",
		"(n = 2,380, 95 % interval 0.003 to 0.045, measured by fairness), passes at ≤ 0.05.",
	])]
}

test_a_claim_proves_nothing_in_production if {
	changes := [testing.replaced(path, "reported") |
		some at, _ in testing.good.collection
		path := sprintf("/collection/%d/origin", [at])
	]
	decision := main.decision with input as testing.changed(changes)
	decision.outcome == "deny"
	{finding.outcome | some finding in decision.findings} == {"violation"}
}

# Whatever section is taken away: never an allow, and always the whole answer. Every single value is destroyed by the
# tests of the gate, which ask the same entrypoint much faster.
paths := [
	"/subject", "/request", "/model", "/artifact", "/performance", "/fairness", "/drift", "/data_schema",
	"/provenance", "/developers", "/approvals", "/documentation", "/collection",
]

never_allowed(change) if {
	decision := main.decision with input as testing.changed([change])
	decision.outcome in {"deny", "undecided"}
	object.keys(decision) == {"outcome", "reasons", "findings", "not_applicable", "waivers"}
	blocking := [finding | some finding in decision.findings; finding.outcome in {"violation", "no_verdict"}]
	count(decision.reasons) + count(blocking) > 0
}

# Cases of their own would be ten times as slow: OPA traces tests that have cases.
test_what_is_absent_is_never_allowed if {
	allowed := {path | some path in paths; not never_allowed(testing.removed(path))}
	allowed == set()
}

test_what_is_null_is_never_allowed if {
	allowed := {path | some path in paths; not never_allowed(testing.replaced(path, null))}
	allowed == set()
}

test_a_request_that_makes_no_sense_says_why[note] if {
	some note, case in {
		"an unknown environment": {
			"change": testing.replaced("/request/environment", "prod\n"),
			"reasons": [`The environment "prod�" is not one of development, staging, production.`],
		},
		"no environment": {
			"change": testing.removed("/request/environment"),
			"reasons": ["The environment that is not named is not one of development, staging, production."],
		},
		"no action": {
			"change": testing.removed("/request/action"),
			"reasons": ["No rule applies, and what nobody judged is not allowed."],
		},
		"another version of the document": {
			"change": testing.replaced("/apiVersion", "mandate/v2"),
			"reasons": ["The input document is not of mandate/v1."],
		},
		"no time": {
			"change": testing.removed("/request/time"),
			"reasons": ["The request has no time: nothing says which certificates, approvals and waivers hold."],
		},
	}
	decision := main.decision with input as testing.changed([case.change])
	decision.outcome == "deny"
	decision.reasons == case.reasons
}

test_no_input_is_denied[note] if {
	some note, nothing in {"null": null, "an empty object": {}, "a list": [], "text": "allow", "a number": 1}
	decision := main.decision with input as nothing
	decision.outcome == "deny"
	count(decision.findings) == 0
	count(decision.reasons) == 3
}

test_a_missing_collector_is_named if {
	missing := {"name": "drift", "status": "missing", "reason": "not configured: mandate.yaml has no collectors.drift"}
	changes := [testing.replaced("/drift", null), testing.replaced("/collection/4", missing)]
	decision := main.decision with input as testing.changed(changes)
	[finding.message | some finding in decision.findings; finding.outcome == "no_verdict"] == [
		concat(" ", [
			"No column is gone or has lost its values: not shown. The collector drift found nothing:",
			"not configured: mandate.yaml has no collectors.drift.",
		]),
		concat(" ", [
			"The data are distributed as the model knows them: not shown for columns. The collector drift found nothing:",
			"not configured: mandate.yaml has no collectors.drift.",
		]),
		concat(" ", [
			"The data are distributed as the model knows them: not shown for share of drifted columns.",
			"The collector drift found nothing: not configured: mandate.yaml has no collectors.drift.",
		]),
	]
}

# An approval counts for what was found: `fruit.ripe` is what is found, and `people.agreed` depends on approvals.

agreed(approvals) := decision if {
	changes := [testing.replaced("/request/what_if", false), testing.replaced("/approvals", approvals)]
	decision := main.decision with input as testing.changed(changes)
		with data.mandate.rules.fruit.ripe as must({check("red", {"ages": true})})
		with data.mandate.rules.fruit.round as {"terms": {"apple"}, "must": {check("apple", {"measured": 5.5})}}
		with data.mandate.catalogue as catalogue_of_two
		with data.mandate.applicable as testing.applicable(catalogue_of_two)
		with data.mandate.people as testing.people
}

catalogue_of_two := {
	"fruit.ripe": about({}),
	"fruit.round": about({}),
	"approvals.signed_off": about({"depends_on": ["approvals", "developers", "mlflow"], "waivable": false}),
}

consent(role, approver, shown) := {
	"approver": approver,
	"role": role,
	"subject_sha256": testing.good.subject.sha256,
	"approved_at": "2026-11-19T10:00:00Z",
	"reference": "",
	"entry": sprintf("entry of %s", [approver]),
	"index": 3,
	"keyid": sprintf("SHA256:%s", [role]),
	"decision": "the one that was shown",
	"shown": shown,
	"revoked_by": null,
}

both(shown) := [
	consent("model_owner", "carol@bank.example", shown),
	consent("risk_officer", "dora@bank.example", shown),
]

shown_first := [object.filter(finding, ["rule", "term", "level", "outcome", "measured", "comparison", "bound"]) |
	some finding in agreed([]).findings
]

test_what_was_denied_for_want_of_approvals_is_allowed_by_those_who_saw_it if {
	agreed([]).outcome == "deny"
	agreed(both(shown_first)).outcome == "allow"
}

test_an_approval_of_other_findings_does_not_count_and_the_denial_says_why if {
	others := json.patch(shown_first, [{"op": "replace", "path": sprintf("/%d/measured", [round_at]), "value": 6.25}])
	decision := agreed(both(others))
	decision.outcome == "deny"
	some finding in decision.findings
	finding.term == "model_owner"
	contains(finding.message, concat("", [
		"The approval by carol@bank.example of 2026-11-19T10:00:00Z (entry 3) does not count: ",
		"since then, fruit.round for apple was 6.25 (>= 5, passed) and is 5.5 (>= 5, passed).",
	]))
}

round_at := [at | some at, finding in shown_first; finding.rule == "fruit.round"][0]

test_that_something_grew_older_is_no_other_finding if {
	ripe_at := [at | some at, finding in shown_first; finding.rule == "fruit.ripe"][0]
	older := json.patch(shown_first, [{"op": "replace", "path": sprintf("/%d/measured", [ripe_at]), "value": 6}])
	agreed(both(older)).outcome == "allow"
}
