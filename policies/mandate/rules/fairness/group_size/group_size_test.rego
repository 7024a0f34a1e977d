package mandate.rules.fairness.group_size_test

import data.mandate.rules.fairness.group_size as rule
import data.mandate.testing

size(rows) := [testing.replaced("/fairness/attributes/0/groups/1/size", rows)]

others := {"afam: no": "holds", "single: no": "holds", "single: yes": "holds"}

cases := {
	"30 rows do": {"rows": 30, "must": "holds", "should": "fails"},
	"29 rows do not": {"rows": 29, "must": "fails", "should": "fails"},
	"99 rows are advised against": {"rows": 99, "must": "holds", "should": "fails"},
	"100 rows are enough": {"rows": 100, "must": "holds", "should": "holds"},
	"no row is not enough": {"rows": 0, "must": "fails", "should": "fails"},
	"null fails": {"rows": null, "must": "fails", "should": "fails"},
	"a string fails": {"rows": "400", "must": "fails", "should": "fails"},
	"NaN fails": {"rows": "NaN", "must": "fails", "should": "fails"},
}

test_verdicts[note] if {
	some note, case in cases
	must := testing.verdicts(rule.terms, rule.must) with input as testing.changed(size(case.rows))
	must == object.union(others, {"afam: yes": case.must})
	should := testing.verdicts(rule.terms, rule.should) with input as testing.changed(size(case.rows))
	should == object.union(others, {"afam: yes": case.should})
}

test_groups_that_are_no_list_have_no_verdict[groups] if {
	some groups in ["NaN", ""]
	changes := [testing.replaced("/fairness/attributes/0/groups", groups), testing.removed("/fairness/attributes/1")]
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(changes)
	judged == {"afam": "no verdict"}
}

test_an_attribute_without_groups_has_no_verdict if {
	changes := [testing.replaced("/fairness/attributes/0/groups", []), testing.removed("/fairness/attributes/1")]
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(changes)
	judged == {"afam": "no verdict"}
}

test_without_a_section_there_is_no_verdict if {
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed([testing.removed("/fairness")])
	judged == {"*": "no verdict"}
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
