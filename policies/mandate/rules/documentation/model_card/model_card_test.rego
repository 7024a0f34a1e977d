package mandate.rules.documentation.model_card_test

import data.mandate.rules.documentation.model_card as rule
import data.mandate.testing

names := data.mandate.thresholds.documentation.required_sections.default.value

all_but(section, verdict) := object.union({name: "holds" | some name in names}, {section: verdict})

words(count_) := [testing.replaced("/documentation/sections/1/words", count_)]

cases := {
	"five words do": {"changes": words(5), "verdict": "holds"},
	"four words do not": {"changes": words(4), "verdict": "fails"},
	"an empty section fails": {"changes": words(0), "verdict": "fails"},
	"null fails": {"changes": words(null), "verdict": "fails"},
	"a string fails": {"changes": words("88"), "verdict": "fails"},
	"NaN fails": {"changes": words("NaN"), "verdict": "fails"},
	"an absent section fails": {"changes": [testing.removed("/documentation/sections/1")], "verdict": "fails"},
	"upper case and space do not matter": {
		"changes": [testing.replaced("/documentation/sections/1/name", " INTENDED use ")],
		"verdict": "holds",
	},
	"the shorter of two sections counts": {
		"changes": [testing.appended("/documentation/sections", {"name": "intended use", "words": 1})],
		"verdict": "fails",
	},
}

test_verdicts[note] if {
	some note, case in cases
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(case.changes)
	judged == all_but("Intended use", case.verdict)
}

test_a_card_without_sections_fails if {
	changes := [testing.replaced("/documentation/sections", [])]
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed(changes)
	judged == {name: "fails" | some name in names}
}

test_without_a_card_there_is_no_verdict if {
	judged := testing.verdicts(rule.terms, rule.must) with input as testing.changed([testing.removed("/documentation")])
	judged == {name: "no verdict" | some name in names}
}

test_words_are_counted if {
	checks := rule.must with input as testing.good
	{
		"term": "Intended use",
		"measured": 88,
		"comparison": ">=",
		"bound": 5,
		"bound_set_at": "thresholds/documentation.yaml:15",
		"origin": "measured",
		"collector": "documentation",
		"n": null,
		"interval": null,
		"unit": "words",
		"proven": true,
		"holds": true,
	} in checks
}
