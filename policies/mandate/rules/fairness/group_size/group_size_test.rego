package mandate.rules.fairness.group_size_test

import data.mandate.rules.fairness.group_size as rule
import data.mandate.testing

size(rows) := [testing.replaced("/fairness/attributes/0/groups/1/size", rows)]

others := {"afam: no": "holds", "single: no": "holds", "single: yes": "holds"}

yes(verdict) := object.union(others, {"afam: yes": verdict})

no_list(groups) := [
	testing.replaced("/fairness/attributes/0/groups", groups),
	testing.removed("/fairness/attributes/1"),
]

cases := {
	"30 rows do": {"changes": size(30), "verdicts": yes("holds"), "should": yes("fails")},
	"29 rows do not": {"changes": size(29), "verdicts": yes("fails"), "should": yes("fails")},
	"99 rows are advised against": {"changes": size(99), "verdicts": yes("holds"), "should": yes("fails")},
	"100 rows are enough": {"changes": size(100), "verdicts": yes("holds"), "should": yes("holds")},
	"no row is not enough": {"changes": size(0), "verdicts": yes("fails"), "should": yes("fails")},
	"null fails": {"changes": size(null), "verdicts": yes("fails"), "should": yes("fails")},
	"a string fails": {"changes": size("400"), "verdicts": yes("fails"), "should": yes("fails")},
	"NaN fails": {"changes": size("NaN"), "verdicts": yes("fails"), "should": yes("fails")},
	"groups that are text have no verdict": {"changes": no_list("NaN"), "verdicts": {"afam": "no verdict"}},
	"groups that are empty text have no verdict": {"changes": no_list(""), "verdicts": {"afam": "no verdict"}},
	"an attribute without groups has no verdict": {"changes": no_list([]), "verdicts": {"afam": "no verdict"}},
	"no section has no verdict": {"changes": [testing.removed("/fairness")], "verdicts": {"*": "no verdict"}},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == case.verdicts
}

test_advice[note] if {
	some note, case in cases
	advised := testing.verdicts(rule.terms, rule.should) with input as testing.changed(case.changes)
	advised == object.get(case, "should", advised)
}

test_every_group_is_judged_by_both_bounds if {
	alone := testing.changed([
		testing.removed("/fairness/attributes/1"),
		testing.removed("/fairness/attributes/0/groups/0"),
	])
	check := {
		"term": "afam: yes",
		"measured": 339,
		"comparison": ">=",
		"origin": "measured",
		"collector": "fairness",
		"n": null,
		"interval": null,
		"unit": "rows",
		"proven": true,
		"holds": true,
	}
	rule.must == {object.union(check, {"bound": 30, "bound_set_at": "thresholds/fairness.yaml:20"})} with input as alone
	rule.should == {object.union(check, {"bound": 100, "bound_set_at": "thresholds/fairness.yaml:24"})} with input as alone
}
